// The README and docs/ are run, so that they cannot rot.
import { execFileSync, spawn } from 'node:child_process'
import diagnostics from 'node:diagnostics_channel'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import Fastify from 'fastify'
import t from 'tap'
import { instrument } from 'fastify-chirp/otel'
import chirp, { Fragment, Fragments, SSEEvent } from 'fastify-chirp'
import { formatText } from 'fastify-chirp/contracts'
import { until } from '../helpers/app.js'
import { QuietClient } from '../helpers/client.js'
import { addressIn } from '../helpers/live.js'
import { blocks, firstText, home, importBlock, maskIds, read, readBody, readEvents, root, runBlock, section, start, usage, VIEWS } from '../helpers/readme.js'

// Pages whose blocks need what a test has not, such as a database of yours: these are only checked by types.test.js.
const CHECKED = [
  'docs/guide/deferred.md', 'docs/operate/deployment.md', 'docs/internals/engines.md', 'docs/reference/errors.md', 'docs/guide/fragments.md', 'docs/guide/jobs.md', 'docs/guide/live-views.md', 'docs/reference/observability.md', 'docs/guide/pages.md', 'docs/operate/scaling.md'
]

t.test('every block of code is run', async t => {
  const directories = new Set()
  for (const { document, kind, name, language, code } of blocks) {
    if (language === 'js' && !CHECKED.includes(document)) t.ok(kind, `has a comment that says how: ${code.split('\n', 1)}`)
    if (kind === 'run') directories.add(name.split('/', 1)[0])
    if (kind === 'from') t.ok(read(name).includes(code), `is in ${name}`)
  }
  const tests = ['docs', 'contracts'].flatMap(folder => readdirSync(join(root, 'test', folder)).map(name => read(`test/${folder}/${name}`))).join('')
  for (const directory of directories) t.match(tests, new RegExp(`'${directory}['/]`), `${directory} is run`)
})

t.test('the README is short', async t => {
  t.ok(read('README.md').split('\n').length <= 251)
})

t.test('the first example', async t => {
  const { app } = await runBlock(t, 'first')
  const { body } = await app.inject('/')
  t.match(body, /sse-connect="\/live"[^]*<p [^>]*sse-swap="clock">It is .+\.<\/p>/)
  const stream = await new QuietClient(app).open('/live')
  t.match(await stream.next(), { event: 'clock', data: /^It is .+\.$/ })
  stream.close()
})

t.test('the quick start', async t => {
  const file = join(home, 'quick-start', 'server.mjs')
  const code = readFileSync(file, 'utf8')
  t.ok(code.includes('{ port: 3000 }'))
  // This repository has htmx 4 by another name.
  writeFileSync(file, code.replace('{ port: 3000 }', '{ port: 0 }').replace("'htmx.org/dist'", "'htmx4/dist'"))
  const { url } = await start(t, file)

  const html = await (await fetch(url)).text()
  t.match(html, /<li id="item-0">The server has started\.<\/li>/)
  for (const [, script] of html.matchAll(/<script .*?src="(.+?)">/g)) {
    const response = await fetch(url + script)
    t.equal(response.status, 200, script)
    t.ok((await response.text()).length > 1000)
  }
  const address = url + addressIn(html)
  const post = () => fetch(`${url}/news`, { method: 'POST', body: new URLSearchParams({ text: 'Hello' }) })
  t.equal((await post()).status, 204)
  const events = await readEvents(address, 2)
  t.same(events[0], { id: undefined, event: 'chirp:open', data: '' })
  t.match(events[1].data, /<li id="item-1">Hello<\/li>/)

  const shown = blocks.find(({ code }) => code.startsWith('event: chirp:open')).code
  const real = await firstText(address, 2)
  t.equal(maskIds(real), maskIds(shown), 'what curl is said to show')
})

t.test('the table of what can be yielded', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  const views = t.testdir({ 'news.html': VIEWS['news.html'] })
  await app.register(chirp, { templates: views })
  let value
  app.get('/', (request, reply) => reply.eventStream([value]))
  const rows = [...section('docs/guide/streams.md', 'Values').matchAll(/^\| `(.+?)` \| (`.+`) \|$/gm)]
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

t.test('the table of channel options', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(chirp)
  const rows = [...read('docs/guide/channels.md').matchAll(/^\| `(\w+)` \| .+? \| `?(.+?)`? \| `?(.+?)`? \|$/gm)].map(([, ...row]) => row)
  t.same(rows, [['history', '1000', '0'], ['latest', 'false', 'false'], ['viewer', 'false', 'false'], ['ttl', 'none', 'omit'], ['every', 'none', 'omit'], ['source', 'none', 'omit'], ['linger', '1000', '0']])
  const declared = ['options', 'keeping'].map(file => /interface (?:Channel|Keeping)Options\b[^{]*\{([\s\S]*?)\n\}/.exec(read(`dist/channel/${file}.d.ts`))[1]).join('\n')
  t.same([...declared.matchAll(/^ {4}(\w+)\?:/gm)].map(([, name]) => name), rows.map(([name]) => name))
  const source = async function * () {}
  for (const [name, , off] of rows) t.doesNotThrow(() => app.channel(`without ${name}`, { source, [name]: off === 'omit' ? undefined : JSON.parse(off) }))

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
  const names = [...read('docs/guide/channels.md').matchAll(/^\| `channel\.(\w+)/gm)].map(([, name]) => name)
  const [, body] = /declare class Channel\b[^{]*\{([\s\S]*?)\n\}/.exec(read('dist/channel/channel.d.ts'))
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

t.test('events while somebody follows', async t => {
  const { app } = await runBlock(t, 'source')
  const stream = await new QuietClient(app).open('/load')
  for (let n = 0; n < 2; n++) t.match(await stream.next(), { event: 'load', data: /^[\d.]+$/ })
  stream.close()
  await until(() => app.eventStreams.open === 0)
  await app.close()
  t.equal(app.eventStreams.errors, 0)
})

t.test('work that does not end with its client', async t => {
  const { app, main: { job } } = await runBlock(t, 'jobs', 'job')
  t.equal(await job.done, 'ended')
  const { events, ended } = await new QuietClient(app).sse('/imports/7')
  t.same(events.map(({ event, data }) => event ?? data), ['the first row', 'the second row', 'done'])
  t.ok(ended)
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
  const rows = [...read('docs/guide/htmx.md').matchAll(/^\| `<\w+ (.+?)>` \| `(.+?)` \| (?:`(.+?)`|nothing) \|$/gm)]
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

t.test('the first paint does not wait', async t => {
  const { app } = await runBlock(t, 'deferred')
  const { html, chunks } = await new QuietClient(app).page('/dash')
  t.match(chunks[0], '<p>Counting</p>')
  t.match(html, /<main>\s+<p>42 visitors<\/p>\s+<\/main>/)
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
  const [part, shown] = blocks.filter(({ code }) => code.startsWith('news.html (views/news.html)')).map(({ code }) => code)
  t.ok(shown.startsWith(part), 'the README shows a part of it')
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
  t.same(Object.keys(app.eventStreams), /const \{ (.+) \} = app\.eventStreams/.exec(read('docs/reference/observability.md'))[1].split(', '))

  const messages = {}
  for (const channel of channels) diagnostics.subscribe(channel, message => { messages[channel] = message })
  const logged = Fastify({ logger: { stream: { write: line => lines.push(JSON.parse(line)) } } })
  t.teardown(() => logged.close())
  await logged.register(chirp)
  logged.get('/', (request, reply) => reply.eventStream(function * () { yield undefined }))
  await logged.inject('/')
  for (const channel of channels) {
    const [, names] = new RegExp(`'${channel}', \\(\\{ (.+) \\}\\)`).exec(read('docs/reference/observability.md'))
    t.same(Object.keys(messages[channel]).sort(), names.split(', ').sort(), channel)
  }
  const shown = JSON.parse(blocks.find(({ code }) => code.includes('"event stream closed"')).code)
  const { time, pid, hostname, ...line } = lines.find(({ msg }) => msg === 'event stream closed')
  t.same(Object.keys(line), Object.keys(shown))
})

t.test('metrics and spans', async t => {
  const { app } = await runBlock(t, 'otel')
  t.throws(() => instrument(app), { message: /instrumented already/ })
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

t.test('compression', async t => {
  const { app } = await importBlock('compression', 'app')
  t.teardown(() => app.close())
  const stream = await new QuietClient(app).open('/orders', { headers: { 'accept-encoding': 'gzip' } })
  t.equal(stream.headers['content-encoding'], 'gzip')
  await app.channel('orders').publish('an order')
  t.match(await stream.next(), { data: 'an order' })
  stream.close()
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
