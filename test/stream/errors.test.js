// Sources that fail, and streams that cannot start.
import { Readable } from 'node:stream'
import t from 'tap'
import { buildApp, never, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { data } from '../helpers/result.js'

for (const [debug, message] of [[true, 'it broke'], [false, 'Internal Server Error']]) {
  t.test(`a source that fails ends the stream with an event${debug ? ' that tells why in debug' : ''}`, async t => {
    const app = await buildApp(t, { debug, closeEvent: 'bye' })
    const fail = () => { throw new Error('it broke') }
    const sources = {
      generator: function * () { yield 'a'; fail() },
      'async generator': async function * () { yield 'a'; fail() },
      'next throws': () => ({ [Symbol.iterator]: () => ({ n: 0, next () { return this.n++ ? fail() : { done: false, value: 'a' } } }) }),
      readable: () => new Readable({ objectMode: true, read () { if (this.n === undefined) { this.n = 1; this.push('a') } else this.destroy(new Error('it broke')) } }),
      web: () => new ReadableStream({ n: 0, pull (controller) { if (this.n++) fail(); controller.enqueue('a') } }, { highWaterMark: 0 })
    }
    for (const [name, source] of Object.entries(sources)) app.get(`/${name}`, (request, reply) => reply.eventStream(source))
    for (const name of Object.keys(sources)) {
      const result = await new TestClient(app).sse(`/${name}`)
      t.same(result.events, [{ data: 'a' }, { data: message, event: 'chirp:error' }], name)
      t.ok(result.ended)
    }
    t.equal(app.eventStreams.errors, 5)
    t.equal(app.log.lines.filter(line => line.level === 50 && line.msg === 'the source of an event stream failed').length, 5)
    t.equal(app.log.lines.filter(line => line.reason === 'error').length, 5)
  })
}

t.test('whatever is thrown, also what is no Error', async t => {
  const app = await buildApp(t, { debug: true })
  const thrown = ['text', undefined, null, { a: 1 }]
  app.get('/:n', (request, reply) => reply.eventStream(async function * () { throw thrown[request.params.n] }))
  for (const n of thrown.keys()) {
    const { events } = await new TestClient(app).sse(`/${n}`)
    t.same(events, [{ data: String(thrown[n]), event: 'chirp:error' }])
  }
})

t.test('errors before the stream starts have a real status', async t => {
  const app = await buildApp(t)
  app.setErrorHandler((error, request, reply) => reply.code(error.statusCode ?? 500).send({ handled: error.message, code: error.code }))
  const teapot = () => Object.assign(new Error('teapot'), { statusCode: 418 })
  app.get('/throws', (request, reply) => reply.eventStream(() => { throw teapot() }))
  app.get('/rejects', (request, reply) => reply.eventStream(async () => { throw teapot() }))
  app.get('/rejects-async', async (request, reply) => reply.eventStream(async () => { throw teapot() }))
  app.get('/rejects-no-error', (request, reply) => reply.eventStream(() => Promise.reject('text'))) // eslint-disable-line prefer-promise-reject-errors
  app.get('/handler', async () => { throw teapot() })
  app.get('/no-source', (request, reply) => reply.eventStream(async () => 5))
  app.get('/options', (request, reply) => reply.eventStream([], { heartbeat: 5 }))
  for (const path of ['/throws', '/rejects', '/rejects-async', '/handler']) {
    const response = await app.inject(path)
    t.equal(response.statusCode, 418, path)
    t.same(response.json(), { handled: 'teapot' })
    t.match(response.headers['content-type'], /json/)
  }
  t.same((await app.inject('/rejects-no-error')).json(), { handled: 'text' })
  t.equal((await app.inject('/no-source')).json().code, 'FST_CHIRP_SOURCE')
  t.equal((await app.inject('/options')).json().code, 'FST_CHIRP_OPTION')
  await until(() => app.eventStreams.open === 0)
  t.match(app.eventStreams, { open: 0, total: 0 })
  t.same(app.log.lines.filter(line => line.msg === 'event stream closed'), [])
})

t.test('what is no source is refused with a sentence that lists what is', async t => {
  const app = await buildApp(t)
  const reader = new ReadableStream()
  reader.getReader()
  const sources = [undefined, null, 5, 'text', {}, Buffer.from('x'), Symbol('x'), () => 'text', () => undefined, reader]
  app.get('/:n', (request, reply) => reply.eventStream(sources[request.params.n]))
  for (const n of sources.keys()) {
    const response = await app.inject(`/${n}`)
    t.equal(response.statusCode, 500)
    t.equal(response.json().code, 'FST_CHIRP_SOURCE')
    t.match(response.json().message, /Cannot stream from .*Give reply.eventStream\(\) an async iterable/)
  }
})

t.test('a second stream on one reply is refused, and the first goes on', async t => {
  const app = await buildApp(t)
  const errors = []
  const source = async function * () { yield 'a'; await new Promise(resolve => setTimeout(resolve, 20)); yield 'b' }
  app.get('/caught', (request, reply) => {
    reply.eventStream(source)
    try {
      reply.eventStream(source)
    } catch (error) {
      errors.push(error.code)
    }
    return reply
  })
  app.get('/thrown', (request, reply) => {
    reply.eventStream(source)
    return reply.eventStream(source)
  })
  app.get('/thrown-async', async (request, reply) => {
    reply.eventStream(source)
    await null
    return reply.eventStream(source)
  })
  app.get('/sent', (request, reply) => {
    reply.send('text')
    reply.eventStream(source)
  })
  for (const path of ['/caught', '/thrown', '/thrown-async']) {
    t.same(data(await new TestClient(app, { listen: true }).sse(path)), ['a', 'b'], path)
  }
  t.same(errors, ['FST_CHIRP_ALREADY_SENT'])
  t.equal((await app.inject('/sent')).body, 'text')
  t.match(app.eventStreams, { open: 0, total: 3 })
})

t.test('a handler that fails while an onSend hook still waits answers with its error, and closes the source', async t => {
  const app = await buildApp(t)
  let closed = 0
  const source = { [Symbol.asyncIterator]: () => ({ next: () => never, return: async () => { closed++ } }) }
  const pause = () => new Promise(resolve => setTimeout(resolve, 20))
  app.addHook('onSend', async (request, reply, payload) => {
    if (typeof payload !== 'string') await pause()
  })
  app.get('/hook', (request, reply) => {
    reply.eventStream(source)
    throw new Error('after all')
  })
  app.get('/source', (request, reply) => {
    reply.eventStream(async () => {
      await pause()
      return source
    })
    throw new Error('after all')
  })
  for (const [n, path] of ['/hook', '/source'].entries()) {
    for (const overSocket of [false, true]) {
      const { status, body } = await new TestClient(app, { listen: overSocket }).sse(path)
      t.equal(status, 500)
      t.equal(JSON.parse(body).message, 'after all')
      await until(() => app.eventStreams.open === 0 && closed === 2 * n + 1 + overSocket)
    }
  }
  t.equal(app.eventStreams.total, 0)
})

t.test('an onSend hook that fails or replaces the payload closes the source', async t => {
  const app = await buildApp(t)
  let closed = 0
  const source = { [Symbol.asyncIterator]: () => ({ next: () => never, return: async () => { closed++ } }) }
  app.addHook('onSend', async (request) => {
    if (request.url === '/fails') throw new Error('hook')
    return 'replaced'
  })
  app.get('/fails', (request, reply) => reply.eventStream(source))
  app.get('/replaced', (request, reply) => reply.eventStream(source))
  app.get('/no-content', (request, reply) => reply.code(204).eventStream(source))
  t.equal((await app.inject('/fails')).json().message, 'hook')
  t.equal((await app.inject('/replaced')).body, 'replaced')
  t.equal((await app.inject('/no-content')).statusCode, 204)
  await until(() => app.eventStreams.open === 0)
  t.equal(closed, 3)
})

t.test('a status without a body gets none, and its source is closed', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.code(204).eventStream(async function * () { await never; yield 1 }))
  const response = await new TestClient(app, { listen: true }).sse('/')
  t.equal(response.status, 204)
  await until(() => app.eventStreams.open === 0)
})

t.test('HEAD answers the headers and never opens the source', async t => {
  const app = await buildApp(t)
  let opened = 0
  let closed = 0
  const source = { [Symbol.asyncIterator]: () => ({ next: () => { opened++; return never }, return: async () => { closed++ } }) }
  app.get('/', (request, reply) => reply.header('x-own', 'yes').eventStream(() => { opened++; return source }))
  app.get('/direct', (request, reply) => reply.eventStream(source))
  app.route({ method: 'HEAD', url: '/own', handler: (request, reply) => reply.eventStream(() => { opened++; return source }) })
  for (const path of ['/', '/direct', '/own']) {
    for (const overSocket of [false, true]) {
      const result = await new TestClient(app, { listen: overSocket }).sse(path, { method: 'HEAD' })
      t.equal(result.status, 200)
      t.equal(result.headers['content-type'], 'text/event-stream; charset=utf-8')
      t.ok(result.ended)
    }
  }
  t.equal(opened, 0)
  t.equal(closed, 2, 'what was handed over is let go')
  t.equal((await app.inject({ method: 'HEAD', url: '/' })).headers['x-own'], 'yes')
})

t.test('a client that refuses text/event-stream gets 406', async t => {
  const app = await buildApp(t)
  let opened = 0
  app.get('/', (request, reply) => reply.eventStream(() => { opened++; return ['a'] }))
  app.get('/no-source', (request, reply) => reply.eventStream(5))
  const status = async accept => (await app.inject({ url: '/', headers: accept === undefined ? {} : { accept } })).statusCode
  for (const accept of [undefined, '', '*/*', 'text/*', 'text/event-stream', 'TEXT/Event-Stream', 'text/html, text/event-stream',
    'text/html, */*;q=0.1', 'text/event-stream;q=0.5', 'text/event-stream, */*;q=0', 'application/json, text/plain, */*']) {
    t.equal(await status(accept), 200, accept)
  }
  const accepted = opened
  for (const accept of ['application/json', 'text/event-stream;q=0', 'text/event-stream; q=0.000, */*', 'text/html', '*/*;q=0']) {
    t.equal(await status(accept), 406, accept)
  }
  t.equal(opened, accepted)
  t.equal((await app.inject({ url: '/no-source', headers: { accept: 'text/html' } })).statusCode, 406, 'whatever the source is')
  const response = await app.inject({ url: '/', headers: { accept: 'text/html' } })
  t.equal(response.json().code, 'FST_CHIRP_NOT_ACCEPTABLE')
})

t.test('a source that was never pulled and fails to close is reported', async t => {
  const app = await buildApp(t)
  const source = { [Symbol.asyncIterator]: () => ({ next: () => never, return: async () => { throw new Error('cleanup') } }) }
  app.get('/', (request, reply) => reply.code(204).eventStream(source))
  await app.inject('/')
  await until(() => app.eventStreams.errors === 1)
  t.equal(app.log.lines.find(line => line.level === 50).err.message, 'cleanup')
})

t.test('a write() that fails on the last frame costs its own stream only', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => {
    reply.raw.write = () => { throw new Error('no') }
    return reply.eventStream([])
  })
  await t.rejects(new TestClient(app, { listen: true }).sse('/'))
  await until(() => app.eventStreams.open === 0)
})
