// A handler that is a generator, or returns what can be streamed: a stream on a marked route, a warning elsewhere.
import { Readable } from 'node:stream'
import Fastify from 'fastify'
import t from 'tap'
import chirp, { merge, SSEEvent } from 'fastify-chirp'
import { buildApp, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

const referenced = true

const handlers = {
  'an async generator': async function * (request) { yield request.url; yield 'b' },
  'a generator': function * (request) { yield request.url; yield 'b' },
  'an async function that returns one': async request => handlers['an async generator'](request),
  'a function that returns an async iterable': request => ({ [Symbol.asyncIterator]: () => handlers['an async generator'](request) })
}

for (const [name, handler] of Object.entries(handlers)) {
  t.test(`the handler of a marked route is ${name}`, async t => {
    const app = await buildApp(t, { closeEvent: 'bye' })
    app.get('/x', { referenced }, handler)
    app.post('/x', { referenced }, handler)
    for (const listen of [false, true]) {
      for (const method of ['GET', 'POST']) {
        const { status, headers, events, ended } = await new TestClient(app, { listen }).sse('/x', { method })
        t.match({ status, ended, type: headers['content-type'] }, { status: 200, ended: true, type: 'text/event-stream; charset=utf-8' })
        t.same(events, [{ data: '/x' }, { data: 'b' }, { event: 'bye', data: '' }])
      }
    }
    t.match(await app.inject({ method: 'HEAD', url: '/x' }), { statusCode: 200, body: '', headers: { 'content-type': /event-stream/ } })
    t.equal(app.eventStreams.total, 4)
  })
}

t.test('the handler of a marked route returns a channel, a subscription or a merge', async t => {
  const app = await buildApp(t)
  const news = app.channel('news')
  const sources = { channel: () => news, subscription: async () => news.subscribe(), merge: () => merge(news, ['a']) }
  for (const [name, source] of Object.entries(sources)) app.get(`/${name}`, { referenced }, source)
  for (const name of Object.keys(sources)) {
    const stream = await new TestClient(app).open(`/${name}`)
    await until(() => news.size === 1)
    if (name === 'merge') t.match(await stream.next(), { data: 'a' })
    await news.publish('one')
    t.match(await stream.next(), { data: 'one' })
    stream.close()
    await until(() => news.size === 0)
  }
})

t.test('the handler of a marked route that returns anything else answers as before', async t => {
  const app = await buildApp(t)
  const values = { list: [1], object: { a: 1 }, set: new Set([1]), null: null, text: 'text', bytes: Buffer.from('bytes') }
  for (const [name, value] of Object.entries(values)) app.get(`/${name}`, { referenced }, async () => value)
  app.get('/readable', { referenced }, () => Readable.from(['a', 'b'], { objectMode: false }))
  app.get('/web', { referenced }, async () => new Response('web'))
  app.get('/web-stream', { referenced }, async () => new Response('web').body)
  app.get('/sent', { referenced }, (request, reply) => { reply.send('sent') })
  app.get('/reply', { referenced }, async (request, reply) => reply.send('reply'))
  app.get('/throws', { referenced }, async () => { throw new Error('thrown') })
  const bodies = {
    list: '[1]', object: '{"a":1}', set: '{}', null: 'null', text: 'text', bytes: 'bytes', readable: 'ab', web: 'web', 'web-stream': 'web', sent: 'sent', reply: 'reply', throws: /thrown/
  }
  for (const [name, body] of Object.entries(bodies)) t.match((await app.inject(`/${name}`)).body, body, name)
  t.equal(app.eventStreams.total, 0)
})

t.test('a handler that is a generator', async t => {
  t.test('has the app as this, and a name for others', async t => {
    const app = await buildApp(t)
    const names = []
    app.addHook('onRoute', ({ method, handler }) => { if (method === 'GET') names.push(handler.name) })
    app.get('/', { referenced }, async function * news () { yield this === app })
    t.same((await new TestClient(app).sse('/')).events, [{ data: 'true' }])
    t.same(names, ['news'])
  })

  t.test('can wait with request.signal, which aborts when the client leaves, and when the stream ends', async t => {
    const app = await buildApp(t)
    let ended = 0
    app.route({
      url: '/parameter',
      method: ['GET', 'POST'],
      referenced,
      async * handler ({ signal }) {
        yield 'a'
        await new Promise(resolve => signal.addEventListener('abort', resolve))
        t.match(signal.reason, { name: 'AbortError' })
        ended++
      }
    })
    app.route({
      url: '/body',
      method: ['GET', 'POST'],
      referenced,
      async * handler (request) {
        yield 'a'
        await new Promise(resolve => request.signal.addEventListener('abort', resolve))
        ended++
      }
    })
    const client = new TestClient(app, { listen: true })
    const requests = ['/parameter', '/body'].flatMap(url => [{ url, method: 'GET' }, { url, method: 'POST', payload: { a: 1 } }])
    for (const { url, ...options } of requests) {
      const stream = await client.open(url, options)
      t.same(await stream.next(), { data: 'a' })
      t.equal(ended, 0)
      stream.close()
      await until(() => ended === 1)
      ended = 0
    }
    for (const { url, ...options } of requests) t.same(await (await client.open(url, options)).next(), { data: 'a' })
    await app.close()
    await until(() => ended === 4)
  })

  t.test('that fails at its first value is a stream that failed', async t => {
    const app = await buildApp(t)
    app.get('/', { referenced }, async function * () { throw new Error('x') })
    t.match(await new TestClient(app).sse('/'), { status: 200, events: [{ event: 'chirp:error', data: 'Internal Server Error' }] })
  })

  t.test('is refused like any other stream', async t => {
    const app = await buildApp(t)
    app.get('/', { referenced }, async function * () { yield 'a' })
    t.match(await new TestClient(app).sse('/', { headers: { accept: 'application/json' } }), { status: 406, body: /FST_CHIRP_NOT_ACCEPTABLE/ })
  })

  t.test('after an answer is an error in the log', async t => {
    const app = await buildApp(t)
    let closed = 0
    const source = { [Symbol.asyncIterator]: () => ({ next () {}, async return () { closed++ } }) }
    app.get('/', { referenced }, (request, reply) => {
      reply.send('first')
      return source
    })
    t.equal((await app.inject('/')).body, 'first')
    t.ok(app.log.lines.some(({ level, err }) => level >= 40 && err !== undefined))
    t.equal(closed, 1)
  })

  t.test('is a stream to the checker on a marked route only', async t => {
    const templates = t.testdir({
      'page.html': '<div hx-ext="sse" sse-connect="/marked" sse-swap="message"></div><div hx-ext="sse" sse-connect="/returned" sse-swap="message"></div>' +
        '<div hx-ext="sse" sse-connect="/unmarked" sse-swap="message"></div>'
    })
    const app = await buildApp(t, { templates })
    app.get('/', (request, reply) => reply.page('page.html'))
    app.get('/marked', { referenced }, async function * () { yield 'a' })
    app.get('/returned', { referenced }, () => ['a'].values())
    app.get('/unmarked', async function * () { yield 'a' })
    const { issues } = await app.checkContracts()
    const named = ['/marked', '/returned', '/unmarked'].filter(url => issues.some(({ severity, message }) => severity === 'error' && message.includes(url)))
    t.same(named, ['/unmarked'])
  })
})

t.test('on an unmarked route a generator is JSON, and debug warns once for each route', async t => {
  const lines = log => log.filter(({ msg }) => /something to stream/.test(msg)).map(({ level, msg }) => [level, msg])
  const text = route => `${route} was given something to stream, such as an async generator, and answered with its JSON. Write "return reply.eventStream(source)", or, for what the handler returns, add the route with { live: true } after the plugin was registered`
  for (const debug of [true, false]) {
    const app = await buildApp(t, { debug })
    const generator = async function * () { yield 'a' }
    app.get('/x/:id', generator)
    app.get('/async', async () => generator())
    app.get('/send', { referenced }, (request, reply) => reply.send(generator()))
    app.get('/channel', () => app.channel('a'))
    app.get('/fine', () => ({ list: [1] }))
    app.setNotFoundHandler(generator)
    for (const url of ['/x/1', '/x/2', '/async', '/send', '/fine', '/none']) t.equal((await app.inject(url)).headers['content-type'], 'application/json; charset=utf-8')
    await app.inject('/channel')
    t.same(lines(app.log.lines), debug ? ['GET /x/:id', 'GET /async', 'GET /send', 'GET /none', 'GET /channel'].map(route => [40, text(route)]) : [])
  }
})

t.test('a registration inside of a registered scope does not warn again', async t => {
  const app = await buildApp(t, { debug: true })
  app.register(async scope => {
    await scope.register(chirp, { debug: true })
    scope.get('/x', async function * () { yield new SSEEvent({ data: 'a' }) })
  })
  await app.inject('/x')
  t.equal(app.log.lines.filter(({ msg }) => /something to stream/.test(msg)).length, 1)
})

t.test('a marked route that was added before the plugin was loaded warns too', async t => {
  const log = []
  const app = Fastify({ logger: { level: 'warn', stream: { write: line => { log.push(JSON.parse(line).msg) } } } })
  t.teardown(() => app.close())
  app.register(chirp, { debug: true })
  app.get('/x', { referenced }, async function * () { yield 'a' })
  await app.inject('/x')
  t.ok(log.some(msg => msg.startsWith('GET /x was given something to stream')))
})
