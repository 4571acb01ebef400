// The route options `live` and `referenced`: the same streams, and a mark for the checker from one of them only.
import compress from '@fastify/compress'
import cookie from '@fastify/cookie'
import Fastify from 'fastify'
import t from 'tap'
import chirp from 'fastify-chirp'
import { buildApp, certificate, listen, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

const marks = { plain: {}, referenced: { referenced: true }, live: { live: true }, both: { live: true, referenced: true }, off: { live: false, referenced: false } }
const shorter = ['referenced', 'live', 'both']

/** Stays open after its first value. */
async function * waiting ({ signal }) {
  yield 'a'
  await new Promise(resolve => { signal.onabort = resolve })
}

t.test('a stream is the same on a plain, a live and a referenced route', async t => {
  for (const [transport, options] of Object.entries({ http: {}, https: { https: certificate() }, http2: { http2: true, https: certificate() } })) {
    const app = Fastify({ forceCloseConnections: true, ...options })
    t.teardown(() => app.close())
    await app.register(cookie)
    await app.register(chirp, { retry: false })
    const ran = []
    for (const hook of ['onRequest', 'preHandler', 'onSend', 'onResponse']) {
      app.addHook(hook, async (request, reply) => { ran.push(hook); if (hook === 'onSend') reply.setCookie('late', '1').header('x-hook', 'ran') })
    }
    for (const [name, mark] of Object.entries(marks)) {
      app.get(`/${name}`, mark, (request, reply) => reply.code(201).eventStream(['a', { n: 1 }], { closeEvent: 'bye' }))
      app.get(`/${name}/throws`, mark, async () => { throw new Error('thrown') })
      app.get(`/${name}/list`, mark, async () => [1])
    }
    const client = new TestClient(app, { listen: true })
    for (const name of Object.keys(marks)) {
      ran.length = 0
      const { status, headers, events, ended } = await client.sse(`/${name}`)
      t.strictSame({ status, events, ended }, { status: 201, events: [{ data: 'a' }, { data: '{"n":1}' }, { event: 'bye', data: '' }], ended: true }, `${transport} ${name}`)
      t.match(headers, {
        'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no', 'x-hook': 'ran', 'set-cookie': ['late=1']
      })
      await until(() => ran.length === 4)
      t.strictSame(ran, ['onRequest', 'preHandler', 'onSend', 'onResponse'])
      t.match(await client.sse(`/${name}/throws`), { status: 500, body: /thrown/, headers: { 'x-hook': 'ran' } })
      t.match(await client.sse(`/${name}/list`), { status: 200, body: '[1]' })
      t.match(await app.inject({ method: 'HEAD', url: `/${name}` }), { statusCode: 201, body: '', headers: { 'content-type': /event-stream/ } })
    }
  }
})

t.test('a live route has the shorter way to the response, as a referenced one has', async t => {
  const app = await buildApp(t)
  const responses = {}
  app.addHook('onRequest', async (request, { raw }) => { responses[request.url.slice(1)] = raw })
  for (const [name, mark] of Object.entries(marks)) app.get(`/${name}`, mark, (request, reply) => reply.eventStream(waiting))
  const client = new TestClient(app, { listen: true })
  const counts = {}
  for (const name of Object.keys(marks)) {
    const stream = await client.open(`/${name}`)
    await stream.next()
    // Those of Fastify keep the request and the reply for as long as the stream is open.
    counts[name] = ['close', 'end', 'error', 'finish'].reduce((sum, event) => sum + responses[name].listenerCount(event), 0)
    stream.close()
  }
  t.equal(counts.off, counts.plain)
  for (const name of shorter) {
    t.equal(counts[name], counts.referenced, name)
    t.ok(counts[name] < counts.plain, `${counts[name]} listeners on a ${name} route, ${counts.plain} on a plain one`)
  }
})

t.test('@fastify/compress leaves the streams of a live route alone, before and after the plugin', async t => {
  for (const first of ['compress', 'chirp']) {
    const app = Fastify({ forceCloseConnections: true })
    t.teardown(() => app.close())
    const plugins = { compress: () => app.register(compress, { global: true, threshold: 0 }), chirp: () => app.register(chirp, { retry: false }) }
    await plugins[first]()
    await plugins[first === 'chirp' ? 'compress' : 'chirp']()
    const options = {}
    app.addHook('onRoute', ({ url, compress }) => { options[url.slice(1)] = compress })
    for (const [name, mark] of Object.entries(marks)) app.get(`/${name}`, mark, (request, reply) => reply.eventStream(waiting))
    app.get('/own', { live: true, compress: { threshold: 1 } }, (request, reply) => reply.eventStream(waiting))
    app.get('/text', async () => 'compressible '.repeat(500))
    t.match(options, { plain: undefined, off: undefined, live: false, referenced: false, both: false, own: { threshold: 1 } })
    const client = new TestClient(app, { listen: true })
    for (const name of Object.keys(marks)) {
      const stream = await client.open(`/${name}`, { headers: { 'accept-encoding': 'gzip' } })
      t.equal(stream.headers['content-encoding'], undefined, name)
      t.strictSame(await stream.next(), { data: 'a' })
      stream.close()
    }
    const answer = await fetch(`http://127.0.0.1:${await listen(app)}/text`)
    t.equal(answer.headers.get('content-encoding'), 'gzip')
  }
})

t.test('a live route takes generators as handlers, and streams what a handler returns', async t => {
  const app = await buildApp(t)
  const news = app.channel('news')
  app.get('/generator', { live: true }, async function * (request) { yield request.url })
  app.post('/generator', { live: true }, function * (request) { yield request.body.a })
  app.get('/iterator', { live: true }, () => ['a'].values())
  app.get('/iterable', { live: true }, async request => waiting({ signal: request.signal }))
  app.get('/channel', { live: true }, () => news)
  app.get('/off', { live: false }, async () => ['a'].values())
  const client = new TestClient(app, { listen: true })
  t.match(await client.sse('/generator'), { events: [{ data: '/generator' }], ended: true })
  t.match(await client.sse('/generator', { method: 'POST', payload: { a: 1 } }), { events: [{ data: '1' }], ended: true })
  t.match(await client.sse('/iterator'), { events: [{ data: 'a' }], ended: true })
  t.match(await client.sse('/iterable', { maxEvents: 1 }), { events: [{ data: 'a' }] })
  const stream = await client.open('/channel')
  await until(() => news.size === 1)
  await news.publish('one')
  t.match(await stream.next(), { data: 'one' })
  stream.close()
  t.match(await client.sse('/off'), { body: '{}' })
})

t.test('route.config has what the route is marked with', async t => {
  const app = await buildApp(t)
  for (const [name, mark] of Object.entries(marks)) app.get(`/${name}`, { ...mark, events: ['a'], config: { own: name } }, async ({ routeOptions: { config } }) => config)
  const expected = {
    plain: {}, off: {}, referenced: { referenced: true, events: ['a'] }, live: { live: true, events: ['a'] }, both: { live: true, referenced: true, events: ['a'] }
  }
  for (const [name, config] of Object.entries(expected)) {
    const { own, url, method, ...rest } = (await app.inject(`/${name}`)).json()
    t.strictSame([own, rest], [name, config], name)
  }
})

t.test('live must be true or false', async t => {
  const app = await buildApp(t)
  for (const live of ['yes', 1, null, {}]) {
    const error = t.throws(() => app.get('/x', { live }, async () => ''), { code: 'FST_CHIRP_OPTION' })
    t.match(error.message, /route option "live" of \/x must be true or false, not /)
  }
  app.get('/y', { live: undefined }, async () => 'plain')
  t.equal((await app.inject('/y')).body, 'plain')
})

t.test('the checker treats a live route as any other, and knows that its handler may be a generator', async t => {
  const app = await buildApp(t, { templates: t.testdir({ 'page.html': '<main sse-connect="/used"></main><main sse-connect="/page"></main><main sse-connect="/text"></main>' }) })
  const stream = (request, reply) => reply.eventStream([])
  for (const [name, mark] of Object.entries(marks)) {
    app.get(`/stream/${name}`, mark, stream)
    app.get(`/page/${name}`, mark, (request, reply) => reply.page('page.html'))
  }
  app.get('/generator', { live: true }, async function * () {})
  app.get('/used', { live: true }, async function * () {})
  app.get('/page', { live: true }, async () => ['a'].values())
  app.get('/text', async () => 'text')
  const { issues } = await app.checkContracts({ sources: [] })
  const found = issues.map(({ category, route }) => `${category} ${route}`).sort()
  t.strictSame(found, [
    ...['plain', 'live', 'off'].flatMap(name => [`orphan GET /page/${name}`, `unreferenced-stream GET /stream/${name}`]),
    'unreferenced-stream GET /generator', 'not-a-stream GET /text'
  ].sort())
})
