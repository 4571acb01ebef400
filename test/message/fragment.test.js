// Fragments in streams, in both dialects, and HTML without a stream.
import { fileURLToPath } from 'node:url'
import t from 'tap'
import nunjucks from 'nunjucks'
import fastifyView from '@fastify/view'
import chirp, { Fragment, SSEEvent } from 'fastify-chirp'
import Fastify from 'fastify'
import { buildApp, quiet, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

const templates = fileURLToPath(new URL('../fixtures/views', import.meta.url))
const alert = (message, options) => new Fragment('page.html', 'alert', { message }, options)

function slowEnvironment () {
  const env = new nunjucks.Environment(new nunjucks.FileSystemLoader(templates))
  env.addFilter('slow', (value, callback) => { setTimeout(callback, 20, value === 'fail' ? new Error('too slow') : null, value) }, true)
  return env
}

t.test('a fragment is the rendered block, trimmed, named by its target', async t => {
  const app = await buildApp(t, { templates })
  const both = alert('twice', { target: 'alerts' })
  app.get('/', (request, reply) => reply.eventStream([
    alert('a <b>'), both, both, alert('c', { target: 'alerts', id: '7', retry: 100, swap: 'beforeend' }),
    new Fragment('page.html', 'list', { items: ['x', 'y'] }, { target: '' }), alert('line 1\r\nline 2\rline 3')
  ]))
  const { events } = await new TestClient(app).sse('/')
  t.same(events, [
    { data: '<p class="alert">a &lt;b&gt;</p>' },
    { data: '<p class="alert">twice</p>', event: 'alerts' },
    { data: '<p class="alert">twice</p>', event: 'alerts' },
    { data: '<p class="alert">c</p>', event: 'alerts', id: '7', retry: 100 },
    { data: '<ul><li>x</li><li>y</li></ul>' },
    { data: '<p class="alert">line 1\nline 2\nline 3</p>' }
  ])
})

t.test('fragments that render asynchronously keep their place', async t => {
  const app = await buildApp(t, { templates: slowEnvironment() })
  const slow = message => new Fragment('page.html', 'slow', { message })
  app.get('/', (request, reply) => reply.eventStream(['a', slow('b'), 'c', slow('fail'), slow('d')]))
  const { events, ended } = await new TestClient(app).sse('/')
  t.same(events.map(({ data }) => data), ['a', 'b', 'c', 'd'])
  t.ok(ended)
  t.equal(app.eventStreams.errors, 1)
})

t.test('a client that leaves while a fragment renders gets nothing more', async t => {
  const env = new nunjucks.Environment(new nunjucks.FileSystemLoader(templates))
  let answer
  env.addFilter('slow', (value, callback) => { answer = callback }, true)
  const app = await buildApp(t, { templates: env })
  app.get('/', (request, reply) => reply.eventStream(['a', new Fragment('page.html', 'slow', { message: 'b' })]))
  const stream = await new TestClient(app, { listen: true }).open('/')
  await stream.next()
  await until(() => answer !== undefined)
  stream.close()
  await until(() => app.eventStreams.open === 0)
  answer(null, 'b')
  await quiet(10)
  t.equal(app.eventStreams.events, 1)
})

t.test('on htmx 4 a fragment says itself where it goes', async t => {
  const app = await buildApp(t, { templates })
  app.get('/', (request, reply) => reply.eventStream([
    alert('a', { target: 'alerts', id: '7', swap: 'beforeend' }),
    alert('b', { target: '#w > .x', swap: 'innerHTML swap:"1s"' }),
    alert('c', { target: 'größe' }),
    alert('c', { target: 'chat:5:b' }),
    alert('c', { target: '7up' }),
    alert('c', { target: '.a:hover' }),
    alert('d')
  ]))
  const expected = [
    { data: '<hx-partial hx-target="#alerts" hx-swap="beforeend"><p class="alert">a</p></hx-partial>', id: '7' },
    { data: '<hx-partial hx-target="#w &gt; .x" hx-swap="innerHTML swap:&quot;1s&quot;"><p class="alert">b</p></hx-partial>' },
    { data: '<hx-partial hx-target="#größe"><p class="alert">c</p></hx-partial>' },
    { data: '<hx-partial hx-target="#chat\\:5\\:b"><p class="alert">c</p></hx-partial>' },
    { data: '<hx-partial hx-target="#\\37 up"><p class="alert">c</p></hx-partial>' },
    { data: '<hx-partial hx-target=".a:hover"><p class="alert">c</p></hx-partial>' },
    { data: '<p class="alert">d</p>' }
  ]
  const client = new TestClient(app)
  const htmx4 = { 'hx-request': 'true', 'hx-request-type': 'partial', accept: 'text/html, text/event-stream' }
  t.same((await client.sse('/', { headers: htmx4 })).events, expected)
  t.same((await client.sse('/', { headers: { 'hx-request': 'true', 'hx-source': 'div#x' } })).events, expected)
  t.same((await client.sse('/?htmx=4')).events, expected)
  for (const [path, headers] of [['/', {}], ['/', { 'hx-request': 'true' }], ['/', { 'hx-request-type': 'full' }], ['/?htmx=2', htmx4], ['/?htmx=5', {}]]) {
    t.equal((await client.sse(path, { headers })).events[0].event, 'alerts', `${path} ${JSON.stringify(headers)}`)
  }
})

t.test('on htmx 4 a retry that comes alone gets a name, or it would be overlooked', async t => {
  const app = await buildApp(t, { templates })
  const values = [new SSEEvent({ retry: 1 }), new SSEEvent({ retry: 2, id: '7' }), new SSEEvent({ retry: 3, data: 'a' }), new SSEEvent({ retry: 4, event: 'b' }), new SSEEvent({ id: '8' })]
  const news = app.channel('news')
  app.get('/', (request, reply) => reply.eventStream(values))
  app.get('/channel', (request, reply) => reply.eventStream(news))
  const read = async path => (await app.inject(path)).body.replace(': open\n', '')
  const rest = 'retry: 3\ndata: a\n\nevent: b\nretry: 4\ndata: \n\nid: 8\n\n'
  t.equal(await read('/?htmx=2'), `retry: 1\n\nid: 7\nretry: 2\n\n${rest}`)
  t.equal(await read('/?htmx=4'), `event: chirp:retry\nretry: 1\ndata: \n\nevent: chirp:retry\nid: 7\nretry: 2\ndata: \n\n${rest}`)

  const [first] = await Promise.all([news.publish('a'), news.publish(values[0]), news.publish('b')])
  const client = new TestClient(app)
  const { events } = await client.sse('/channel?htmx=4', { lastEventId: first, maxEvents: 2 })
  t.match(events, [{ event: 'chirp:retry', retry: 1, data: '' }, { data: 'b' }])
  t.match((await client.sse('/channel?htmx=2', { lastEventId: first, maxEvents: 1 })).events, [{ data: 'b' }])
})

t.test('a fixed dialect does not look at the request', async t => {
  const app = await buildApp(t, { templates, dialect: 'htmx4' })
  app.get('/', (request, reply) => reply.eventStream([alert('a', { target: 'x' })]))
  app.get('/2', (request, reply) => reply.eventStream([alert('a', { target: 'x' })], { dialect: 'htmx2' }))
  t.match((await new TestClient(app).sse('/?htmx=2')).events[0].data, /^<hx-partial/)
  t.equal((await new TestClient(app).sse('/2?htmx=4')).events[0].event, 'x')
})

t.test('a block that fails is skipped; all other events go on', async t => {
  const app = await buildApp(t, { templates, debug: false })
  app.get('/', (request, reply) => reply.eventStream([
    new Fragment('page.html', 'nothing', {}, { target: 'x' }), new Fragment('missing.html', 'x'), alert('after')
  ]))
  const { events } = await new TestClient(app).sse('/')
  t.same(events.map(({ data }) => data), ['<p class="alert">after</p>'])
  t.same(app.log.lines.filter(line => line.level === 50).map(line => line.err.code), ['FST_CHIRP_BLOCK_NOT_FOUND', 'FST_CHIRP_TEMPLATE_NOT_FOUND'])
  t.equal(app.eventStreams.errors, 2)
})

t.test('in debug a box takes the place of a block that fails, in either dialect', async t => {
  const app = await buildApp(t, { templates, debug: true })
  app.get('/', (request, reply) => reply.eventStream([
    new Fragment('page.html', 'strict', {}, { target: 'people', id: '7', swap: 'outerHTML' }),
    new Fragment('page.html', '<i>', {}, { target: 'people' }),
    alert('after')
  ]))
  const box = '<div class="chirp-block-error" data-block="strict"><strong>UndefinedError</strong>: &#39;users&#39; is undefined</div>\n<small class="chirp-block-error-place">page.html, line 12, column 4</small>'
  const htmx2 = (await new TestClient(app).sse('/')).events
  t.same(htmx2[0], { data: box, event: 'people' }, 'without the id: it was not received')
  t.match(htmx2[1].data, /^<div class="chirp-block-error" data-block="&lt;i&gt;"><strong>FST_CHIRP_BLOCK_NOT_FOUND<\/strong>: /)
  t.same(htmx2[2], { data: '<p class="alert">after</p>' })
  const htmx4 = (await new TestClient(app).sse('/?htmx=4')).events
  t.same(htmx4[0], { data: `<hx-partial hx-target="#people" hx-swap="outerHTML">${box}</hx-partial>` })
})

t.test('whatever a template throws is shown by its own name', async t => {
  const env = new nunjucks.Environment(new nunjucks.FileSystemLoader(templates))
  const thrown = { error: new TypeError('wrong type'), text: 'just text' }
  env.addFilter('slow', value => { throw thrown[value] })
  const app = await buildApp(t, { templates: env, debug: true })
  app.get('/', (request, reply) => reply.eventStream(Object.keys(thrown).map(message => new Fragment('page.html', 'slow', { message }))))
  const { events } = await new TestClient(app).sse('/')
  t.match(events[0].data, '<strong>TypeError</strong>: wrong type')
  t.match(events[1].data, 'just text')
})

t.test('without templates a fragment fails with a sentence that says what to do', async t => {
  const app = await buildApp(t, { debug: true })
  app.get('/', (request, reply) => reply.eventStream([alert('a')]))
  const { events } = await new TestClient(app).sse('/')
  t.match(events[0].data, /FST_CHIRP_NO_TEMPLATES.*Register the plugin with \{ templates:/)
})

t.test('a fragment is frozen and checked when it is made', async t => {
  const context = { a: 1 }
  const fragment = new Fragment('a.html', 'b', context, { target: 't', id: 7n, retry: 1, swap: 'none' })
  t.ok(Object.isFrozen(fragment))
  t.match(fragment, { template: 'a.html', block: 'b', context, target: 't', id: '7', retry: 1, swap: 'none' })
  t.match(new Fragment('a', 'b'), { context: {}, target: undefined, id: undefined })
  const cases = [
    [[], /the template must be a name/], [[''], /not an empty string/], [['a', 5], /the block must be a name.*not number/],
    [['a', 'b', null], /the context must be an object/], [['a', 'b', []], /the context must be an object/], [['a', 'b', 'x'], /the context must be/],
    [['a', 'b', {}, null], /the options must be an object/], [['a', 'b', {}, 'x'], /the options must be an object/],
    [['a', 'b', {}, { target: 'x\ny' }], /the target .* line break/], [['a', 'b', {}, { target: 5 }], /the target must be a string/],
    [['a', 'b', {}, { id: 'x\ny' }], /the id/], [['a', 'b', {}, { retry: -1 }], /retry must be/], [['a', 'b', {}, { swap: 'x\0' }], /the swap/]
  ]
  for (const [values, message] of cases) {
    t.throws(() => new Fragment(...values), { code: 'FST_CHIRP_FRAGMENT', message }, String(message))
  }
  t.equal(new Fragment('a', 'b', {}, { swap: '' }).swap, undefined)
})

t.test('app.renderFragment() gives the HTML of a fragment', async t => {
  const app = await buildApp(t, { templates })
  t.equal(await app.renderFragment(alert('a')), '<p class="alert">a</p>')
  await t.rejects(app.renderFragment(new Fragment('page.html', 'nothing')), { code: 'FST_CHIRP_BLOCK_NOT_FOUND' })
  await t.rejects(app.renderFragment('page.html'), { code: 'FST_CHIRP_FRAGMENT', message: /Call renderFragment\(new Fragment/ })
})

t.test('reply.fragment() answers with one block', async t => {
  const app = await buildApp(t, { templates: slowEnvironment() })
  app.get('/', (request, reply) => reply.fragment('page.html', 'alert', { message: 'a' }))
  app.get('/slow', async (request, reply) => reply.code(201).fragment('page.html', 'slow', { message: request.query.message }))
  app.get('/type', (request, reply) => reply.type('text/plain').fragment('page.html', 'title'))
  app.get('/missing', (request, reply) => reply.fragment('page.html', 'nothing'))
  const response = await app.inject('/')
  t.equal(response.body.trim(), '<p class="alert">a</p>')
  t.equal(response.headers['content-type'], 'text/html; charset=utf-8')
  const slow = await app.inject('/slow?message=b')
  t.match(slow, { statusCode: 201, body: 'b' })
  t.equal((await app.inject('/slow?message=fail')).statusCode, 500)
  t.match((await app.inject('/type')).headers['content-type'], /text\/plain/)
  t.match((await app.inject('/missing')).json(), { code: 'FST_CHIRP_BLOCK_NOT_FOUND', statusCode: 500 })
})

t.test('reply.page() answers a browser with the page and htmx with the block', async t => {
  const app = await buildApp(t, { templates: slowEnvironment() })
  app.get('/', (request, reply) => reply.header('vary', 'Origin').page('page.html', { message: 'a', items: [] }, { block: 'alert' }))
  app.get('/whole', (request, reply) => reply.page('page.html'))
  app.get('/bad', (request, reply) => reply.page('page.html', {}, { block: 5 }))
  const get = async (headers, url = '/') => app.inject({ url, headers })
  const whole = await get({})
  t.match(whole.body, /^<!doctype html>[^]*<p class="alert">a<\/p>[^]*<\/main>/)
  t.equal(whole.headers.vary, 'Origin, HX-Request, HX-Request-Type, HX-Boosted, HX-History-Restore-Request')
  const isPage = response => response.body.startsWith('<!doctype')
  for (const headers of [{ 'hx-request': 'true' }, { 'hx-request': 'true', 'hx-request-type': 'partial' }]) {
    const response = await get(headers)
    t.equal(response.body.trim(), '<p class="alert">a</p>', JSON.stringify(headers))
    t.equal(response.headers.vary, whole.headers.vary)
  }
  for (const headers of [
    { 'hx-request': 'false' }, { 'hx-request': 'true', 'hx-boosted': 'true' }, { 'hx-request': 'true', 'hx-history-restore-request': 'true' },
    { 'hx-request': 'true', 'hx-request-type': 'full' }
  ]) t.ok(isPage(await get(headers)), JSON.stringify(headers))
  const always = await get({ 'hx-request': 'true' }, '/whole')
  t.ok(isPage(always))
  t.notOk('vary' in always.headers)
  t.match((await get({}, '/bad')).json(), { code: 'FST_CHIRP_OPTION' })
})

t.test('an environment can be shared with @fastify/view', async t => {
  const env = slowEnvironment()
  env.addGlobal('site', 'shared')
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(fastifyView, { engine: { nunjucks: { configure: () => env } }, templates })
  await app.register(chirp, { templates: env })
  app.get('/view', (request, reply) => reply.view('page.html', { message: 'view' }))
  app.get('/fragment', (request, reply) => reply.fragment('page.html', 'alert', { message: 'fragment' }))
  const [view, fragment] = await Promise.all([app.inject('/view'), app.inject('/fragment')])
  t.match(view.body, /<p class="alert">view<\/p>/)
  t.equal(fragment.body.trim(), '<p class="alert">fragment</p>')
})
