// The README and docs/ are run, so that they cannot rot. In the README, the
// recipes and the page on htmx a comment before a block says what becomes of it:
//
//   <!-- run: DIRECTORY/FILE -->  written there; the test of that directory runs it
//   <!-- from: FILE -->           a part of that file of the repository
import { execFileSync, spawn } from 'node:child_process'
import diagnostics from 'node:diagnostics_channel'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import Fastify from 'fastify'
import t from 'tap'
import { createParser } from 'eventsource-parser'
import chirp, { Fragment, Fragments, SSEEvent } from 'fastify-chirp'
import { formatText } from 'fastify-chirp/contracts'
import * as errors from '../dist/errors.js'
import { resolveOptions } from '../dist/options.js'
import { until } from './helpers/app.js'
import { QuietClient } from './helpers/client.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = path => readFileSync(join(root, path), 'utf8')
const readme = read('README.md')

const VIEWS = {
  'page.html': '<h1>News</h1>\n{% block list %}<ul>{% for item in items %}<li>{{ item }}</li>{% endfor %}</ul>{% endblock %}\n' +
    '{% block alert %}<p>{{ message }}</p>{% endblock %}',
  'news.html': '{% block item %}\n  <li>{{ text }}</li>\n{% endblock %}'
}

// The examples of the rules below are for contracts-rules.test.js.
const usage = read('docs/contracts.md').split('## Rules')[0]

const blocks = [...(readme + read('docs/recipes.md') + read('docs/htmx.md') + usage).matchAll(/(?:<!-- (run|from): (\S+) -->\n)?```(\w*)\n([\s\S]*?)```/g)]
  .map(([, kind, name, language, code]) => ({ kind, name, language, code }))

// In a folder of the repository, so that `fastify-chirp` is this package.
const home = t.testdir()
for (const { kind, name, code } of blocks) {
  if (kind !== 'run') continue
  mkdirSync(dirname(join(home, name)), { recursive: true })
  const needsApp = /\bapp\./.test(code) && !/const app =|import \{ app \}/.test(code)
  writeFileSync(join(home, name), needsApp ? `import { app } from './app.mjs'\n${code}` : code)
}

/** Runs a block that needs an app, and gives that app and what the block is asked to export. */
async function runBlock (t, directory, exported = '') {
  const app = Fastify()
  t.teardown(() => app.close())
  const views = join(home, directory, 'views')
  mkdirSync(views, { recursive: true })
  for (const [name, text] of Object.entries(VIEWS)) writeFileSync(join(views, name), text)
  await app.register(chirp, { templates: views, debug: false })
  globalThis[directory] = app
  writeFileSync(join(home, directory, 'app.mjs'), `export const app = globalThis[${JSON.stringify(directory)}]\n`)
  return { app, main: await importBlock(directory, exported) }
}

async function importBlock (directory, exported) {
  const file = join(home, directory, 'main.mjs')
  writeFileSync(file, `${readFileSync(file, 'utf8')}\nexport { ${exported} }\n`)
  return import(pathToFileURL(file))
}

/** Starts a program that prints its address, on a free port. */
async function start (t, file, env = {}) {
  const child = spawn(process.execPath, [file], { cwd: dirname(file), env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  let output = ''
  child.stdout.on('data', chunk => { output += chunk })
  await until(() => /http:\S+\n/.test(output), `${file} prints its address`, 15000)
  return { child, url: /http:\S+/.exec(output)[0] }
}

/** The first `count` events of a stream, as a browser sees them. */
async function readEvents (url, count, headers = {}) {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), 10000)
  const response = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: controller.signal })
  const events = []
  const parser = createParser({ onEvent: event => events.push(event) })
  const decoder = new TextDecoder()
  for await (const chunk of response.body) {
    parser.feed(decoder.decode(chunk, { stream: true }))
    if (events.length >= count) break
  }
  clearTimeout(timer)
  controller.abort()
  return events.slice(0, count)
}

t.test('every block of code is run', async t => {
  const directories = new Set()
  for (const { kind, name, language, code } of blocks) {
    if (language === 'js') t.ok(kind, `has a comment that says how: ${code.split('\n', 1)}`)
    if (kind === 'run') directories.add(name.split('/', 1)[0])
    if (kind === 'from') t.ok(read(name).includes(code), `is in ${name}`)
  }
  t.same([...directories].sort(), [
    'answer', 'asking', 'audience', 'broadcast', 'channels', 'chat', 'context', 'contracts', 'failing', 'limits', 'moving', 'observing', 'pages',
    'per-user', 'presence', 'progress', 'quick-start', 'registering', 'testing', 'who'
  ])
})

t.test('the page that is alive', async t => {
  const file = join(home, 'quick-start', 'server.mjs')
  const code = readFileSync(file, 'utf8')
  t.ok(code.includes('{ port: 3000 }'))
  writeFileSync(file, code.replace('{ port: 3000 }', '{ port: 0 }'))
  const { url } = await start(t, file)

  const html = await (await fetch(url)).text()
  t.match(html, /<div sse-swap="machine">\s+<p>[^<]+: load <b>\d+\.\d\d<\/b><\/p>\s+<\/div>/)
  for (const [, script] of html.matchAll(/<script src="(.+?)">/g)) {
    const response = await fetch(url + script)
    t.equal(response.status, 200, script)
    t.ok((await response.text()).length > 1000)
  }
  const [, stream] = /sse-connect="(.+?)"/.exec(html)
  const events = await readEvents(url + stream, 3)
  t.same(events[0], { id: undefined, event: 'chirp:open', data: '' })
  for (const { event, data } of events.slice(1)) {
    t.equal(event, 'machine')
    t.match(data, /^<p>[^<]+: load <b>\d+\.\d\d<\/b><\/p>$/)
  }

  const shown = blocks.find(({ code }) => code.startsWith('event: chirp:open')).code
  const real = await firstText(url + stream, 2)
  t.equal(mask(real), mask(shown), 'what curl is said to show')
})

/** The text of the first frames. */
async function firstText (url, frames) {
  const controller = new AbortController()
  const response = await fetch(url, { signal: controller.signal })
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body) {
    text += decoder.decode(chunk, { stream: true })
    if (text.split('\n\n').length > frames) break
  }
  controller.abort()
  return text
}

function mask (text) {
  return text.trimEnd().replace(/<p>.+?:.+?: load/, '<p>TIME: load').replace(/<b>[\d.]+</, '<b>LOAD<')
}

t.test('the table of what can be yielded', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  const views = t.testdir({ 'news.html': VIEWS['news.html'] })
  await app.register(chirp, { templates: views })
  let value
  app.get('/', (request, reply) => reply.eventStream([value]))
  const rows = [...section('What can be yielded').matchAll(/^\| `(.+?)` \| (`.+`) \|$/gm)]
  t.equal(rows.length, 13)
  for (const [, code, lines] of rows) {
    // eslint-disable-next-line no-new-func
    value = new Function('Fragment', 'Fragments', 'SSEEvent', `return (${code})`)(Fragment, Fragments, SSEEvent)
    const wire = lines.split('<br>').map(line => line.slice(1, -1) + '\n').join('')
    const { body } = await app.inject('/')
    t.equal(body, `event: chirp:open\nretry: 3000\ndata: \n\n${wire}\n`, code)
  }
})

t.test('the context of a stream', async t => {
  const { app, main: { orders } } = await runBlock(t, 'context', 'orders')
  const stream = await new QuietClient(app).open('/orders?shop=7', { lastEventId: '3' })
  await until(() => orders.listenerCount('order') === 1)
  orders.emit('order', { id: 2 })
  t.same(await stream.next(), { event: 'order', data: '{"id":2}' })
  stream.close()
  await until(() => app.eventStreams.open === 0 && orders.listenerCount('order') === 0)
  t.equal(app.eventStreams.errors, 0)
})

t.test('channels', async t => {
  const { app } = await runBlock(t, 'channels')
  const client = new QuietClient(app)
  const post = async text => (await app.inject({ method: 'POST', url: '/news', payload: { text } })).json().id
  const live = await client.open('/news')
  const first = await post('one')
  t.match(first, /^[a-z0-9]+-1$/)
  t.same(await live.next(), { event: 'news', id: first, data: '<li>one</li>' })
  live.close()

  const second = await post('two')
  t.same((await client.sse('/news', { lastEventId: first, maxEvents: 1 })).events, [{ event: 'news', id: second, data: '<li>two</li>' }])
  const { events } = await client.sse('/live', { maxEvents: 1 })
  t.match(events, [{ event: 'readers', data: '0' }])

  const gap = (await client.sse('/news', { lastEventId: 'mf3k9xq2-2', maxEvents: 1 })).events
  t.same(gap, [{ event: 'chirp:gap', id: second, data: `{"requested":"mf3k9xq2-2","resumedFrom":"${second}"}` }])
  const shown = blocks.find(({ code }) => code.startsWith('event: chirp:gap')).code
  const { body } = await readBody(app, '/news?lastEventId=mf3k9xq2-2', 2)
  t.equal(body.replace('event: chirp:open\nretry: 3000\ndata: \n\n', '').replaceAll(second, 'mf3k9xq2-7').trimEnd(), shown.trimEnd())
})

/** The text of the first frames of an injected stream. */
async function readBody (app, url, frames) {
  const response = await app.inject({ url, payloadAsStream: true })
  let body = ''
  for await (const chunk of response.stream()) {
    body += chunk
    if (body.split('\n\n').length > frames) break
  }
  return { body }
}

t.test('the table of channel options', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(chirp)
  const rows = [...section('Channels').matchAll(/^\| `(\w+)` \| .+? \| `(.+?)` \| `(.+?)` \|$/gm)].map(([, ...row]) => row)
  t.same(rows, [['history', '1000', '0'], ['latest', 'false', 'false']])
  const [, body] = /interface ChannelOptions \{([\s\S]*?)\n\}/.exec(read('dist/channel/channel.d.ts'))
  t.same([...body.matchAll(/^ {4}(\w+)\?:/gm)].map(([, name]) => name), rows.map(([name]) => name))
  for (const [name, , off] of rows) t.doesNotThrow(() => app.channel(`without ${name}`, { [name]: JSON.parse(off) }))

  const channel = app.channel('all defaults')
  app.get('/', (request, reply) => reply.eventStream(channel))
  const ids = []
  for (let n = 0; n <= 1001; n++) ids.push(await channel.publish(n))
  const first = async lastEventId => (await new QuietClient(app).sse('/', { lastEventId, maxEvents: 1 })).events[0]
  t.equal((await first(ids[1])).data, '2')
  t.equal((await first(ids[0])).event, 'chirp:gap')
})

t.test('the table of what a channel can do', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(chirp)
  const names = [...section('Channels').matchAll(/^\| `channel\.(\w+)/gm)].map(([, name]) => name)
  const [, body] = /declare class Channel [^{]*\{([\s\S]*?)\n\}/.exec(read('dist/channel/channel.d.ts'))
  const isInternal = /@internal/
  const real = body.split(/;\n/).filter(member => !isInternal.test(member) && !/#private/.test(member))
    .flatMap(member => /^ {4}(?:readonly |get )?(\w+)\b/m.exec(member.replace(/\/\*[\s\S]*?\*\//g, ''))?.[1] ?? [])
  t.same(names.sort(), real.sort())
})

t.test('an audience', async t => {
  const { app, main: { orders } } = await runBlock(t, 'audience', 'orders')
  const stream = await new QuietClient(app).open('/orders?shop=b')
  orders.publish({ order: 14 }, { audience: { shop: 'a' } })
  orders.publish({ order: 15 }, { audience: { shop: 'b' } })
  orders.publish('Closed.')
  t.equal((await stream.next()).data, '{"order":15}')
  t.equal((await stream.next()).data, 'Closed.')
  stream.close()
})

t.test('who is here', async t => {
  const { app, main: { people } } = await runBlock(t, 'presence', 'people')
  const client = new QuietClient(app)
  const ann = await client.open('/room?key=1&name=Ann')
  t.match(await ann.next(), { event: 'people', data: '["Ann"]' })
  const again = await client.open('/room?key=1&name=Ann')
  const bob = await client.open('/room?key=2&name=Bob')
  t.match(await ann.next(), { event: 'people', data: '["Ann","Bob"]' })
  t.same(people.members().map(({ key, info, count }) => [key, info.name, count]), [['1', 'Ann', 2], ['2', 'Bob', 1]])
  again.close()
  bob.close()
  t.match(await ann.next(), { event: 'people', data: '["Ann"]' })
  t.equal(people.size, 1)
  ann.close()
  await until(() => people.size === 0)
})

t.test('recipe: broadcast', async t => {
  const { app } = await runBlock(t, 'broadcast')
  const streams = [await new QuietClient(app).open('/news'), await new QuietClient(app).open('/news')]
  t.equal((await app.inject({ method: 'POST', url: '/news', payload: { text: '<hi>' } })).statusCode, 204)
  for (const stream of streams) {
    t.match(await stream.next(), { event: 'news', data: '<li>&lt;hi&gt;</li>' })
    stream.close()
  }
})

t.test('recipe: notices for one user', async t => {
  const { app, main: { notify } } = await runBlock(t, 'per-user', 'notify')
  const client = new QuietClient(app)
  const [ann, bob] = [await client.open('/notices?user=ann'), await client.open('/notices?user=bob')]
  const before = await notify('bob', 'one')
  await notify('ann', 'two')
  t.match(await ann.next(), { event: 'alert', data: '<p>two</p>' })
  t.match(await bob.next(), { event: 'alert', data: '<p>one</p>', id: before })
  await notify('bob', 'three')
  t.match(await bob.next(), { data: '<p>three</p>' })
  for (const stream of [ann, bob]) stream.close()
  const { events } = await client.sse('/notices?user=bob', { lastEventId: before, timeout: 100 })
  t.same(events.map(({ data }) => data), ['<p>three</p>'])
})

t.test('recipe: presence', async t => {
  const { app, main: { people } } = await runBlock(t, 'who', 'people')
  const client = new QuietClient(app)
  const ann = await client.open('/room?user=ann')
  t.match(await ann.next(), { event: 'people', data: '<p>1 here: ann </p>' })
  const bob = await client.open('/room?user=bob')
  t.match(await bob.next(), { event: 'people', data: '<p>2 here: ann bob </p>' })
  bob.close()
  t.match(await ann.next(), { data: '<p>2 here: ann bob </p>' })
  t.match(await ann.next(), { data: '<p>1 here: ann </p>' })
  ann.close()
  await until(() => people.size === 0)
})

t.test('recipe: chat', async t => {
  const { app } = await runBlock(t, 'chat')
  const client = new QuietClient(app)
  const say = text => app.inject({ method: 'POST', url: '/chat?user=ann', payload: { text } })
  const open = async () => /sse-connect="(.+?)"/.exec((await app.inject('/')).body)[1]
  const empty = await open()
  await say('one')
  const page = await app.inject('/')
  t.match(page.body, /<li><b>ann<\/b> one<\/li>/)
  const later = await open()
  await say('two')
  const dataOf = async url => (await client.sse(url, { timeout: 100 })).events.map(({ event, data }) => [event, data])
  t.same(await dataOf(empty), [['message', '<li><b>ann</b> one</li>'], ['message', '<li><b>ann</b> two</li>']])
  t.same(await dataOf(later), [['message', '<li><b>ann</b> two</li>']])
  t.same((await dataOf('/chat?lastEventId=old-1')).map(([event]) => event), ['chirp:gap'])
})

t.test('recipe: progress of a job', async t => {
  const { app } = await runBlock(t, 'progress')
  const client = new QuietClient(app)
  const { headers: { location } } = await app.inject({ method: 'POST', url: '/jobs' })
  const other = await app.inject({ method: 'POST', url: '/jobs' })
  const { body } = await app.inject(location)
  t.match(body, /value="0"/)
  const [, url] = /sse-connect="(.+?)"/.exec(body)
  const bars = [25, 50, 75, 100].map(percent => `<progress max="100" value="${percent}">${percent} %</progress>`)
  const { events } = await client.sse(url, { maxEvents: 5, timeout: 5000 })
  t.same(events.map(({ event, data }) => event === 'bar' ? data : event), [...bars, 'done'])
  t.equal(new Set(events.map(({ id }) => id)).size, 5)
  const late = await app.inject(location)
  t.match(late.body, /value="100"/)
  const [, after] = /sse-connect="(.+?)"/.exec(late.body)
  t.same((await client.sse(after, { maxEvents: 1 })).events.map(({ event }) => event), ['done'])
  t.match((await app.inject(other.headers.location)).body, /<progress/)
  t.equal((await app.inject('/jobs/none')).statusCode, 404)
})

t.test('recipe: an answer that survives a reload', async t => {
  const { app, main: { answers } } = await runBlock(t, 'answer', 'answers')
  const client = new QuietClient(app)
  const { headers: { location } } = await app.inject({ method: 'POST', url: '/answers', payload: { question: 'why not <b>?' } })
  const [answer] = answers.values()
  await until(() => answer.words.length === 2)
  const { body } = await app.inject(location)
  const shown = [...body.matchAll(/<span>.*?<\/span>/g)].map(([span]) => span)
  t.same(shown.slice(0, 2), ['<span>You </span>', '<span>asked: </span>'])
  const [, url] = /sse-connect="(.+?)"/.exec(body)
  const { events } = await client.sse(url, { maxEvents: 6 - shown.length, timeout: 5000 })
  const rest = events.map(({ event, data }) => event === 'word' ? data : event)
  t.same([...shown, ...rest], ['You', 'asked:', 'why', 'not', '&lt;b&gt;?'].map(word => `<span>${word} </span>`).concat('done'))
  t.notMatch((await app.inject(location)).body, /sse-connect/)
})

t.test('pages of both htmx on the same routes', async t => {
  const { app } = await runBlock(t, 'moving')
  const order = order => app.inject({ method: 'POST', url: '/orders', payload: { order } })
  await order('<tea>')
  const attributes = {
    '/': ['<main hx-ext="sse" sse-connect="/live" sse-swap="message">', '<p id="count" sse-swap="count">1 orders</p>', '<ol id="orders" sse-swap="orders" hx-swap="beforeend">', '/htmx2/sse.min.js'],
    '/next': ['<main hx-sse:connect="/live" >', '<p id="count">1 orders</p>', '<ol id="orders" hx-swap="beforeend">', '/htmx4/ext/hx-sse.js']
  }
  const client = new QuietClient(app)
  const streams = []
  for (const [path, parts] of Object.entries(attributes)) {
    const { body } = await app.inject(path)
    for (const part of [...parts, '<li>&lt;tea&gt;</li>']) t.ok(body.includes(part), `${path} has ${part}`)
    streams.push(await client.open('/live', { headers: path === '/' ? {} : { 'hx-request': 'true', 'hx-request-type': 'partial' } }))
  }
  t.equal((await order('milk')).statusCode, 204)
  for (const stream of streams) {
    t.match(await stream.next(), {
      data: '<hx-partial hx-target="#orders" hx-swap="beforeend"><li>milk</li></hx-partial><hx-partial hx-target="#count">2 orders</hx-partial>'
    })
    stream.close()
  }
})

t.test('the functions for templates', async t => {
  const rows = [...read('docs/htmx.md').matchAll(/^\| `<\w+ (.+?)>` \| `(.+?)` \| (?:`(.+?)`|nothing) \|$/gm)]
  t.equal(rows.length, 4)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(chirp, { templates: t.testdir(Object.fromEntries(rows.map(([, code], n) => [`${n}.html`, `{% block a %}${code}{% endblock %}`]))) })
  for (const [n, [, code, htmx2, htmx4 = '']] of rows.entries()) {
    t.equal(await app.renderFragment(new Fragment(`${n}.html`, 'a', { dialect: 'htmx2' })), htmx2, code)
    t.equal(await app.renderFragment(new Fragment(`${n}.html`, 'a', { dialect: 'htmx4' })), htmx4, code)
  }
})

t.test('a form that is answered by a stream', async t => {
  const { app } = await runBlock(t, 'asking')
  const headers = { 'hx-request': 'true', 'hx-request-type': 'partial', accept: 'text/html, text/event-stream' }
  const { events, ended } = await new QuietClient(app).sse('/ask', { method: 'POST', payload: { question: '<why>?' }, headers, timeout: 5000 })
  t.same(events, ['You', 'asked:', '&lt;why&gt;?'].map(word => ({ data: `<span>${word} </span>` })))
  t.ok(ended)
  t.match(await app.renderFragment(new Fragment('ask.html', 'word', { word: 'a' })), '<span>a </span>')
})

t.test('what fails', async t => {
  const { app } = await runBlock(t, 'failing')
  const { events, ended } = await new QuietClient(app).sse('/failing')
  t.same(events, [{ data: 'before' }, { data: 'after' }, { event: 'chirp:error', data: 'Internal Server Error' }])
  t.ok(ended)
  t.equal(app.eventStreams.errors, 2)
})

t.test('the box for a block that fails', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(chirp, { templates: t.testdir({ 'page.html': '{% block machine %}{{ load }}{% endblock %}' }), debug: true })
  app.get('/', (request, reply) => reply.eventStream([new Fragment('page.html', 'machine', {}, { target: 'machine' })]))
  const { events } = await new QuietClient(app).sse('/')
  const shown = blocks.find(({ code }) => code.includes('chirp-block-error')).code
  t.same(events, [{ event: 'machine', data: shown.trim() }])
})

t.test('HTML without a stream', async t => {
  const { app } = await runBlock(t, 'pages')
  const page = await app.inject('/news')
  t.match(page.body, /^<h1>News<\/h1>\n<ul><li>a<\/li><li>b<\/li><\/ul>/)
  t.match(page.headers.vary, /HX-Request/)
  const block = await app.inject({ url: '/news', headers: { 'hx-request': 'true' } })
  t.equal(block.body, '<ul><li>a</li><li>b</li></ul>')
  t.equal((await app.inject('/alert')).body, '<p>Careful</p>')
})

t.test('errors of pages go through the error handler, whatever debug is', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(chirp, { templates: t.testdir({ 'page.html': '' }), debug: false })
  app.get('/none', (request, reply) => reply.fragment('page.html', 'none'))
  const { statusCode, body } = await app.inject('/none')
  t.equal(statusCode, 500)
  t.match(JSON.parse(body), { code: 'FST_CHIRP_BLOCK_NOT_FOUND', message: /page\.html/ })
})

t.test('contracts', async t => {
  const { app } = await runBlock(t, 'contracts', 'report')
  t.ok(app.checkContracts)

  const folder = t.testdir({ views: { 'news.html': `${'<!-- -->\n'.repeat(10)}<nav>\n  <a href="/newz">News</a>\n</nav>\n` } })
  const other = Fastify()
  t.teardown(() => other.close())
  await other.register(chirp, { templates: join(folder, 'views'), debug: false })
  other.get('/news', (request, reply) => reply.page('news.html'))
  const report = await other.checkContracts({ sources: [], severities: { orphan: 'off' } })
  const shown = blocks.find(({ code }) => code.startsWith('news.html (views/news.html)')).code
  t.equal(formatText(report).replace(relative(process.cwd(), folder) + '/', ''), shown, 'what the command is said to show')
  const { template, line, column, message, category } = report.issues[0]
  t.ok(usage.includes(`\n${template}:${line}:${column} ${message} (${category})\n`), 'what the log is said to have')
})

t.test('what the checks of an app are told at registration', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  const directory = join(home, 'registering')
  mkdirSync(join(directory, 'views'))
  writeFileSync(join(directory, 'views', 'page.html'), '<a href="/auth/login">Sign in</a>')
  globalThis.registering = app
  writeFileSync(join(directory, 'app.mjs'), 'export const app = globalThis.registering\n')
  await importBlock('registering', '')
  app.get('/forgotten', async () => 'x')
  t.same((await app.checkContracts({ sources: [] })).issues, [])
})

t.test('the tables of the checker have all options', async t => {
  const help = execFileSync(process.execPath, [join(root, 'dist/contracts/cli.js'), '--help'], { encoding: 'utf8' })
  const flags = text => [...new Set(text.match(/--[a-z-]{4,}/g))].sort()
  t.same(flags([...usage.matchAll(/^\| `--.*$/gm)].join()), flags(help))
  const options = /interface ContractOptions \{([\s\S]*?)\n\}/.exec(read('dist/types.d.ts'))[1]
  t.same([...usage.matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name), [...options.matchAll(/^ {4}(\w+)\?:/gm)].map(([, name]) => name))
})

t.test('the tests of an app', async t => {
  const directory = join(home, 'testing')
  writeFileSync(join(directory, 'app.mjs'), `
    import Fastify from 'fastify'
    import chirp, { SSEEvent } from 'fastify-chirp'
    export const app = Fastify()
    await app.register(chirp)
    app.get('/notifications', (request, reply) => reply.eventStream(async function * ({ signal }) {
      yield new SSEEvent({ id: 8, data: 'one' })
      yield new SSEEvent({ id: 9, data: 'two' })
      await new Promise(resolve => signal.addEventListener('abort', resolve))
    }))`)
  // Else node:test talks to a parent that it does not have.
  const { NODE_TEST_CONTEXT, ...env } = process.env
  const child = spawn(process.execPath, ['--test-reporter=tap', join(directory, 'main.test.mjs')], { env })
  let output = ''
  child.stdout.on('data', chunk => { output += chunk })
  child.stderr.on('data', chunk => { output += chunk })
  const [code] = await once(child, 'exit')
  t.equal(code, 0, output)
  t.match(output, /# pass 2/)
})

t.test('what is observed', async t => {
  const lines = []
  const channels = ['open', 'close', 'error'].map(name => `fastify-chirp:stream:${name}`)
  const { app } = await runBlock(t, 'observing')
  t.same(Object.keys(app.eventStreams), /const \{ (.+) \} = app\.eventStreams/.exec(readme)[1].split(', '))

  const messages = {}
  for (const channel of channels) diagnostics.subscribe(channel, message => { messages[channel] = message })
  const logged = Fastify({ logger: { stream: { write: line => lines.push(JSON.parse(line)) } } })
  t.teardown(() => logged.close())
  await logged.register(chirp)
  logged.get('/', (request, reply) => reply.eventStream(function * () { yield undefined }))
  await logged.inject('/')
  for (const channel of channels) {
    const [, names] = new RegExp(`'${channel}', \\(\\{ (.+) \\}\\)`).exec(readme)
    t.same(Object.keys(messages[channel]).sort(), names.split(', ').sort(), channel)
  }
  const shown = JSON.parse(blocks.find(({ code }) => code.includes('"event stream closed"')).code)
  const { time, pid, hostname, ...line } = lines.find(({ msg }) => msg === 'event stream closed')
  t.same(Object.keys(line), Object.keys(shown))
})

t.test('the limits', async t => {
  const { app } = await importBlock('limits', 'app')
  t.teardown(() => app.close())
  app.get('/', (request, reply) => reply.eventStream(async function * ({ signal }) {
    await new Promise(resolve => signal.addEventListener('abort', resolve))
  }))
  const client = new QuietClient(app)
  for (let i = 0; i < 12; i++) await client.open('/')
  const { status, events, ended } = await client.sse('/')
  t.equal(status, 200)
  t.match(events, [{ event: 'chirp:busy', data: '' }])
  t.ok(events[0].retry >= 5000 && events[0].retry <= 15000)
  t.ok(ended)
})

t.test('nothing is lost and nothing comes twice, also when the server is killed', async t => {
  const file = join(root, 'docs/examples/replay.js')
  const env = { PORT: '0', NEWS_FILE: join(home, 'news.db') }
  const post = (url, text) => fetch(`${url}/news`, { method: 'POST', body: new URLSearchParams({ text }) })
  const first = await start(t, file, env)
  await post(first.url, 'one')
  await post(first.url, 'two')
  const live = readEvents(`${first.url}/live`, 4)
  await post(first.url, '<b>three</b>')
  t.same((await live).map(({ id, event, data }) => [id, event, data]), [
    [undefined, 'chirp:open', ''],
    ['1', 'news', '<li id="news-1">one</li>'],
    ['2', 'news', '<li id="news-2">two</li>'],
    ['3', 'news', '<li id="news-3">&lt;b&gt;three&lt;/b&gt;</li>']
  ])

  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  // Half a row, as a crash leaves it. SQLite minds that itself.
  if (!process.getBuiltinModule?.('node:sqlite')) writeFileSync(env.NEWS_FILE, '{"id":4,"te', { flag: 'a' })
  const second = await start(t, file, env)
  await post(second.url, 'four')
  const after = await readEvents(`${second.url}/live?lastEventId=1`, 3, { 'last-event-id': '2' })
  t.same(after.map(({ id }) => id), [undefined, '3', '4'])
  t.equal((await readEvents(`${second.url}/live`, 2, { 'last-event-id': '99' }))[1].id, '1', 'an id of another table')
  t.match(await (await fetch(second.url)).text(), /sse-connect="\/live\?lastEventId=4"[\s\S]+<li id="news-4">four<\/li>\n<\/ol>/)

  second.child.kill('SIGTERM')
  const [code] = await once(second.child, 'exit')
  t.equal(code, 0)
})

t.test('the table of options has all of them, with their defaults', async t => {
  const rows = new Map([...section('Options').matchAll(/^\| `(\w+)` \| .+? \| (.+?) \| (.+?) \|$/gm)].map(([, name, byDefault, off]) => [name, { byDefault, off }]))
  const types = read('dist/types.d.ts') + read('dist/stream/types.d.ts')
  const names = body => [...body.matchAll(/^ {4}(\w+)\?:/gm)].map(([, name]) => name)
  const stream = names(/interface StreamOptions \{([\s\S]*?)\n\}/.exec(types)[1]).filter(name => name !== 'event')
  const plugin = names(/interface ChirpOptions [^{]*\{([\s\S]*?)\n\}/.exec(types)[1])
  t.same([...rows.keys()].sort(), [...stream, ...plugin].sort())

  const settings = resolveOptions({})
  const defaults = { ...settings, ...settings.stream }
  for (const [name, { byDefault, off }] of rows) {
    if (/^`\d+`$/.test(byDefault)) t.equal(Number(byDefault.slice(1, -1)), defaults[name], name)
    else t.notOk(typeof defaults[name] === 'number' && defaults[name] !== 0, `${name} has no other default`)
    if (off === '`false`' || off === '`0`') t.doesNotThrow(() => resolveOptions({ [name]: JSON.parse(off.slice(1, -1)) }), name)
  }
  t.equal(defaults.dialect, 'auto')
})

t.test('every error code is documented, and no other', async t => {
  const headings = [...read('docs/errors.md').matchAll(/^## (\S+)$/gm)].map(([, code]) => code)
  t.same(headings.sort(), Object.keys(errors).sort())
  for (const [name, ChirpError] of Object.entries(errors)) t.equal(new ChirpError('a', 'b', 'c').code, name)
  for (const file of documents()) {
    for (const [code] of read(file).matchAll(/FST_CHIRP_[A-Z_]+[A-Z]/g)) t.ok(code in errors, `${code} in ${file}`)
  }
})

t.test('links lead somewhere', async t => {
  for (const file of documents()) {
    for (const [, target] of withoutCode(read(file)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      const [path, anchor] = target.split('#')
      const there = path === '' ? join(root, file) : resolve(root, dirname(file), path)
      t.ok(existsSync(there), `${target} in ${file}`)
      if (anchor !== undefined) t.ok(anchors(readFileSync(there, 'utf8')).includes(anchor), `${target} in ${file}`)
    }
  }
})

t.test('commands exist', async t => {
  const { scripts } = JSON.parse(read('package.json'))
  for (const file of documents()) {
    for (const [, name] of read(file).matchAll(/npm run ([\w:]+)/g)) t.ok(scripts[name], `npm run ${name} in ${file}`)
  }
})

t.test('other code in docs/ is at least code', async t => {
  for (const file of documents()) {
    if (file === 'README.md') continue
    for (const [, code] of read(file).matchAll(/```js\n([\s\S]*?)```/g)) {
      const child = spawn(process.execPath, ['--input-type=module', '--check', '-'])
      let problem = ''
      child.stderr.on('data', chunk => { problem += chunk })
      child.stdin.end(code)
      const [status] = await once(child, 'exit')
      t.equal(status, 0, `${file}: ${code.split('\n', 1)} ${problem}`)
    }
  }
})

function section (title) {
  return readme.split(/^## /m).find(text => text.startsWith(`${title}\n`))
}

function documents () {
  return ['README.md', 'CONTRIBUTING.md', ...readdirSync(join(root, 'docs')).filter(name => name.endsWith('.md')).map(name => `docs/${name}`)]
}

function withoutCode (text) {
  return text.replace(/```[\s\S]*?```/g, '')
}

// As GitHub makes them.
function anchors (text) {
  return [...withoutCode(text).matchAll(/^#+ (.+)$/gm)]
    .map(([, title]) => title.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'))
}
