// app.eventStreams.drain() and ready.
import net from 'node:net'
import t from 'tap'
import { TestClient } from 'fastify-chirp/testing'
import { buildApp, listen, never, until } from '../helpers/app.js'
import { engineWith } from '../helpers/engine.js'

async function build (t, count, options) {
  const app = await buildApp(t, options)
  app.get('/', (request, reply) => reply.eventStream(async function * () {
    yield 'here'
    await never
  }))
  const client = new TestClient(app, { listen: true })
  const streams = await Promise.all(Array.from({ length: count }, () => client.open('/')))
  for (const stream of streams) await stream.next()
  return { app, client, streams }
}

const isClosing = async (t, stream) => {
  t.match(await stream.next(), { event: 'chirp:closing' })
  t.equal(await stream.next(), undefined)
}

t.test('ends the streams one after the other, and takes no new ones', async t => {
  const { app, client, streams } = await build(t, 4)
  t.equal(app.eventStreams.ready, true)
  const drained = app.eventStreams.drain(1000)
  t.equal(app.eventStreams.ready, false)
  const refused = await client.sse('/')
  t.match([refused.status, refused.events, refused.ended], [200, [{ event: 'chirp:closing', data: '' }], true])
  await isClosing(t, streams[0])
  t.ok(app.eventStreams.open >= 1, 'the others have some time left')
  const seen = new Set([app.eventStreams.open])
  const watch = setInterval(() => seen.add(app.eventStreams.open), 5)
  await drained
  clearInterval(watch)
  t.ok(seen.size > 2, `${[...seen]}: not all at once`)
  t.equal(app.eventStreams.open, 0)
  for (const stream of streams.slice(1)) await isClosing(t, stream)
  t.same(app.log.lines.filter(({ reason }) => reason === 'shutdown').length, 4)
  t.equal((await app.inject('/')).statusCode, 200, 'the app goes on')
  await app.eventStreams.drain(60_000)
})

t.test('of nothing, and of all at once', async t => {
  const { app } = await build(t, 0)
  await app.eventStreams.drain(60_000)
  const { app: other, streams } = await build(t, 5)
  await other.eventStreams.drain(0)
  for (const stream of streams) await isClosing(t, stream)
})

t.test('a second drain that is shorter hurries the first, a longer one waits for it', async t => {
  const { app, streams } = await build(t, 3)
  const first = app.eventStreams.drain(600_000)
  const longer = app.eventStreams.drain(1_000_000)
  await isClosing(t, streams[0])
  t.ok(app.eventStreams.open >= 2)
  await Promise.all([first, longer, app.eventStreams.drain(0)])
  for (const stream of streams.slice(1)) await isClosing(t, stream)
})

t.test('app.close() during a drain ends what is left, and a drain after it has nothing to do', async t => {
  const { app, streams } = await build(t, 3)
  const drained = app.eventStreams.drain(600_000)
  const closed = app.close()
  const late = app.eventStreams.drain(600_000)
  await Promise.all([drained, closed, late])
  t.equal(app.eventStreams.ready, false)
  for (const stream of streams) await isClosing(t, stream)
})

t.test('clients that leave meanwhile end it sooner', async t => {
  const { app, streams } = await build(t, 3)
  const drained = app.eventStreams.drain(600_000)
  for (const stream of streams) stream.close()
  await drained
  t.equal(app.eventStreams.open, 0)
})

t.test('a source that begins a drain when it is ended does no harm', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.eventStream(async function * ({ signal }) {
    signal.addEventListener('abort', () => { app.eventStreams.drain(0) })
    yield 'here'
    await never
  }))
  const client = new TestClient(app)
  const streams = await Promise.all([client.open('/'), client.open('/'), client.open('/')])
  for (const stream of streams) await stream.next()
  await app.eventStreams.drain(600_000)
  t.equal(app.eventStreams.open, 0)
})

t.test('a client that does not read is cut after shutdownGrace', async t => {
  const app = await buildApp(t, { shutdownGrace: 100, writeTimeout: false, maxBuffer: 1e9 })
  app.get('/', (request, reply) => reply.eventStream(async function * () {
    for (;;) yield 'x'.repeat(1e6)
  }))
  const socket = net.connect(await listen(app), '127.0.0.1')
  socket.on('error', () => {})
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  let bytes = -1
  await until(() => {
    const isStill = app.eventStreams.bytes > 0 && app.eventStreams.bytes === bytes
    bytes = app.eventStreams.bytes
    return isStill
  })
  await app.eventStreams.drain(10)
  t.equal(app.eventStreams.open, 0)
  socket.destroy()
})

t.test('bad times are refused', async t => {
  const { app } = await build(t, 0)
  for (const wrong of [undefined, -1, 1.5, '1000', false, Infinity]) await t.rejects(app.eventStreams.drain(wrong), { code: 'FST_CHIRP_OPTION' })
  t.equal(app.eventStreams.ready, true)
})

t.test('ready is false while the engine is out of reach', async t => {
  for (const [ready, expected] of [[undefined, true], [true, true], [false, false], ['yes', false]]) {
    t.equal((await buildApp(t, { engine: engineWith({ ready }) })).eventStreams.ready, expected)
  }
  const engine = Object.defineProperty(engineWith({}), 'ready', { get () { throw new Error('no') } })
  t.equal((await buildApp(t, { engine })).eventStreams.ready, false)
})
