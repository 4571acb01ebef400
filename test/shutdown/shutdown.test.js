// app.close() with open streams.
import { once } from 'node:events'
import http2 from 'node:http2'
import net from 'node:net'
import t from 'tap'
import { buildApp, certificate, isClosing, listen, never, settled, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { isBefore } from '../helpers/fastify.js'

const source = seen => async function * ({ signal }) {
  signal.addEventListener('abort', () => seen.push(signal.reason.message))
  yield 'a'
  await never
}

for (const forceCloseConnections of [undefined, true, 'idle']) {
  t.test(`HTTP/1.1, forceCloseConnections: ${forceCloseConnections}`, async t => {
    const app = await buildApp(t, { closeEvent: 'bye', shutdownGrace: 30000 }, { forceCloseConnections })
    const seen = []
    app.get('/', (request, reply) => reply.eventStream(source(seen)))
    const client = new TestClient(app, { listen: true })
    const streams = await Promise.all([1, 2, 3].map(() => client.open('/')))
    for (const stream of streams) t.same(await stream.next(), { data: 'a' })
    const start = Date.now()
    await app.close()
    t.ok(Date.now() - start < 20000, 'without waiting for shutdownGrace')
    for (const stream of streams) {
      const last = await stream.next()
      t.match(last, { event: 'chirp:closing', data: '' })
      t.ok(last.retry >= 31000 && last.retry <= 62000, `retry: ${last.retry} is longer than the drain`)
      t.equal(await stream.next(), undefined)
      t.ok(stream.ended)
    }
    t.same(seen, Array(3).fill('The event stream was closed: shutdown'))
    t.same(app.log.lines.filter(line => line.msg === 'event stream closed').map(({ reason }) => reason), Array(3).fill('shutdown'))
    t.equal(app.eventStreams.open, 0)
  })
}

t.test('HTTP/1.1: what waits to be written leaves before the last frame', async t => {
  const app = await buildApp(t)
  let closing
  app.get('/', (request, reply) => reply.eventStream(async function * () {
    yield 'a'
    await new Promise(resolve => { closing = resolve })
    yield 'b'
    await never
  }))
  const stream = await new TestClient(app, { listen: true }).open('/')
  await stream.next()
  closing()
  await null
  await app.close()
  t.same((await stream.next()).data, 'b')
  t.match(await stream.next(), { event: 'chirp:closing' })
})

for (const grace of [300, 0]) {
  t.test(`HTTP/1.1: a client that does not read is cut after a shutdownGrace of ${grace}`, async t => {
    const app = await buildApp(t, { shutdownGrace: grace, writeTimeout: false, maxBuffer: 100e6 })
    app.get('/', (request, reply) => reply.eventStream(async function * () { yield 'x'.repeat(20e6); await never }))
    const port = await listen(app)
    const socket = net.connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.pause()
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await until(() => app.eventStreams.events === 1)
    await settled(() => app.eventStreams.bytes)
    const start = Date.now()
    await app.close()
    const took = Date.now() - start
    t.ok(took >= grace && took < grace + 20000, `${took} ms`)
    socket.destroy()
  })
}

for (const tls of [false, true]) {
  t.test(`HTTP/2${tls ? ' over TLS with allowHTTP1' : ''}`, async t => {
    const app = await buildApp(t, { shutdownGrace: 30000 }, { http2: true, ...(tls && { https: { allowHTTP1: true, ...certificate() } }) })
    const seen = []
    app.get('/', (request, reply) => reply.eventStream(source(seen)))
    const port = await listen(app)
    const session = http2.connect(`${tls ? 'https' : 'http'}://127.0.0.1:${port}`, { rejectUnauthorized: false })
    const stream = session.request({ ':path': '/' })
    let text = ''
    stream.on('data', chunk => { text += chunk })
    // Before 5.7 Fastify leaves that to the client.
    if (isBefore('5.7.0')) stream.on('close', () => session.close())
    await until(() => text.includes('data: a'))
    const start = Date.now()
    await app.close()
    t.ok(Date.now() - start < 20000, 'without waiting for shutdownGrace')
    if (!stream.closed) await once(stream, 'close')
    t.match(text, /^: open\ndata: a\n\nevent: chirp:closing\nretry: \d+\ndata: \n\n$/)
    t.equal(seen.length, 1)
  })

  t.test(`HTTP/2${tls ? ' over TLS with allowHTTP1' : ''}: a client that does not read is cut`, async t => {
    const app = await buildApp(t, { shutdownGrace: 300, writeTimeout: false }, { http2: true, ...(tls && { https: { allowHTTP1: true, ...certificate() } }) })
    app.get('/', (request, reply) => reply.eventStream(function * () { for (;;) yield 'x'.repeat(16000) }))
    const port = await listen(app)
    const session = http2.connect(`${tls ? 'https' : 'http'}://127.0.0.1:${port}`, { rejectUnauthorized: false })
    session.on('error', () => {})
    const stream = session.request({ ':path': '/' })
    stream.on('error', () => {})
    await once(stream, 'response')
    await settled(() => app.eventStreams.bytes)
    const start = Date.now()
    await app.close()
    const took = Date.now() - start
    t.ok(took >= 300 && took < 20000, `${took} ms`)
    session.destroy()
  })
}

t.test('a stream that starts while the app closes is ended at once', async t => {
  const app = await buildApp(t, { shutdownGrace: 1000 }, { forceCloseConnections: false })
  let go
  app.get('/', async (request, reply) => {
    await new Promise(resolve => { go = resolve })
    return reply.eventStream(async function * () { yield 'a'; await never })
  })
  const opening = new TestClient(app, { listen: true }).open('/')
  await until(() => go !== undefined)
  const closing = app.close()
  await until(() => isClosing(app))
  go()
  const stream = await opening
  t.match(await stream.next(), { event: 'chirp:closing' })
  t.equal(await stream.next(), undefined)
  await closing
  t.ok(stream.ended)
})

t.test('a source function that never answers does not keep the app from closing', async t => {
  const app = await buildApp(t, { shutdownGrace: 200 })
  app.get('/', (request, reply) => reply.eventStream(() => never))
  const port = await listen(app)
  const socket = net.connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  await until(() => app.eventStreams.open === 1)
  const start = Date.now()
  await app.close()
  t.ok(Date.now() - start < 20000)
  t.equal(app.eventStreams.open, 0)
})

t.test('an app without streams closes at once', async t => {
  const app = await buildApp(t)
  await listen(app)
  await app.close()
  t.pass('closed')
})

t.test('a stream whose onSend hook still waits when the app closes gets its last frame', async t => {
  const app = await buildApp(t, { shutdownGrace: 1000 }, { forceCloseConnections: false })
  let go
  let closed = 0
  app.addHook('onSend', () => new Promise(resolve => { go = resolve }))
  app.get('/', (request, reply) => reply.eventStream({ [Symbol.asyncIterator]: () => ({ next: () => never, return: async () => { closed++ } }) }))
  const opening = new TestClient(app, { listen: true }).sse('/')
  await until(() => go !== undefined)
  const closing = app.close()
  await until(() => isClosing(app))
  go()
  await closing
  t.match(await opening, { status: 200, events: [{ event: 'chirp:closing', data: '' }], ended: true })
  t.equal(closed, 1)
})

t.test('a client that has yet to take the end of its stream, and one behind it on the same socket, are cut in the end', async t => {
  const app = await buildApp(t, { shutdownGrace: 200, writeTimeout: false })
  app.get('/', (request, reply) => reply.eventStream(['x'.repeat(20e6)]))
  app.get('/next', (request, reply) => reply.eventStream(async function * () { await never; yield 1 }))
  const socket = net.connect(await listen(app), '127.0.0.1')
  socket.on('error', () => {})
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n')
  await until(() => app.eventStreams.open === 2 && app.eventStreams.events === 1)
  const start = Date.now()
  await app.close()
  t.ok(Date.now() - start < 20000)
  t.equal(app.eventStreams.open, 0)
  t.same(app.log.lines.filter(line => line.msg === 'event stream closed').map(({ reason }) => reason).sort(), ['end', 'shutdown'])
  socket.destroy()
})
