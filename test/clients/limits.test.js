// Backpressure, slow clients, heartbeats, age, and how many streams there may be.
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { Clock, TICK } from '../../dist/transport/clock.js'
import { buildApp, listen, never, quiet, settled, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

/** A client that asks and does not read. */
async function stalledClient (port, path = '/') {
  const socket = net.connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.pause()
  socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
  return socket
}

t.test('a source is not read ahead of a client that does not read', async t => {
  const app = await buildApp(t, { writeTimeout: false })
  let pulled = 0
  let readable
  app.get('/', (request, reply) => reply.eventStream(function * () {
    for (;;) {
      pulled++
      yield 'x'.repeat(65536)
    }
  }))
  app.get('/web', (request, reply) => reply.eventStream(readable = new ReadableStream({
    pull (controller) {
      pulled++
      controller.enqueue('x'.repeat(65536))
    }
  })))
  const port = await listen(app)
  for (const path of ['/', '/web']) {
    pulled = 0
    const socket = await stalledClient(port, path)
    const last = await settled(() => pulled)
    // The kernel takes some megabytes before backpressure shows.
    t.ok(pulled < 250, `${pulled} values of 64 kB pulled from ${path}`)
    socket.resume()
    await until(() => pulled > last + 200, 'it goes on when the client reads')
    socket.destroy()
    await until(() => app.eventStreams.open === 0)
  }
  t.ok(readable.locked)
})

t.test('a client that stays blocked for writeTimeout is dropped, and nobody else', async t => {
  const app = await buildApp(t, { writeTimeout: 300 })
  let signal
  app.get('/', (request, reply) => reply.eventStream(async function * (context) {
    signal = context.signal
    for (;;) yield 'x'.repeat(65536)
  }))
  app.get('/quiet', (request, reply) => reply.eventStream(async function * () { yield 'a'; await never }))
  const port = await listen(app)
  const quiet = await new TestClient(app, { listen: true }).open('/quiet')
  await quiet.next()
  const socket = await stalledClient(port)
  await until(() => app.eventStreams.dropped === 1)
  t.ok(signal.aborted)
  await until(() => app.eventStreams.open === 1)
  const line = app.log.lines.find(line => line.reason === 'writeTimeout')
  t.ok(line.duration >= 300 && line.bytes > 0 && line.events > 0, JSON.stringify(line))
  t.notOk(quiet.ended)
  quiet.close()
  socket.destroy()
})

t.test('a client that takes more than writeTimeout for everything, but reads, is kept', async t => {
  const app = await buildApp(t, { writeTimeout: 200 })
  app.get('/', (request, reply) => reply.eventStream(async function * () {
    for (let i = 0; i < 8; i++) {
      yield 'x'.repeat(40000)
      await wait(60)
    }
  }))
  const { events, ended } = await new TestClient(app, { listen: true }).sse('/')
  t.equal(events.length, 8)
  t.ok(ended)
  t.equal(app.eventStreams.dropped, 0)
})

t.test('a client that does not take the end is cut after writeTimeout', async t => {
  const app = await buildApp(t, { writeTimeout: 300 })
  app.get('/', (request, reply) => reply.eventStream(['x'.repeat(20e6)]))
  const port = await listen(app)
  const socket = await stalledClient(port)
  await until(() => app.eventStreams.open === 1)
  await until(() => app.eventStreams.open === 0)
  t.equal(app.log.lines.find(line => line.msg === 'event stream closed').reason, 'end')
  socket.destroy()
})

t.test('a connection with more than maxBuffer waiting is dropped when a heartbeat is due', async t => {
  const app = await buildApp(t, { writeTimeout: false, maxBuffer: 1000000, heartbeat: 1000 })
  app.get('/big', (request, reply) => reply.eventStream(async function * () { yield 'x'.repeat(20e6); await never }))
  const port = await listen(app)
  const socket = await stalledClient(port, '/big')
  await until(() => app.eventStreams.dropped === 1)
  await until(() => app.eventStreams.open === 0)
  t.equal(app.log.lines.find(line => line.msg === 'event stream closed').reason, 'maxBuffer')
  socket.destroy()
})

t.test('heartbeats do not pile up behind a client that does not read', async t => {
  const app = await buildApp(t, { writeTimeout: false, maxBuffer: 100e6, heartbeat: 1000 })
  app.get('/', (request, reply) => reply.eventStream(async function * () { yield 'x'.repeat(20e6); await never }))
  const port = await listen(app)
  const socket = await stalledClient(port)
  await until(() => app.eventStreams.events === 1)
  const { bytes } = app.eventStreams
  await quiet(2300)
  t.equal(app.eventStreams.bytes, bytes)
  t.equal(app.eventStreams.open, 1)
  socket.destroy()
})

t.test('a frame that is larger than maxBuffer reaches a client that reads', async t => {
  const app = await buildApp(t, { maxBuffer: 1000 })
  app.get('/', (request, reply) => reply.eventStream(['x'.repeat(3e6), 'y'.repeat(3e6)]))
  const { events } = await new TestClient(app, { listen: true }).sse('/')
  t.same(events.map(({ data }) => data.length), [3e6, 3e6])
})

t.test('an injected client that does not read is dropped too', async t => {
  const app = await buildApp(t, { writeTimeout: 200, maxBuffer: 50000 })
  app.get('/', (request, reply) => reply.eventStream(function * () { for (;;) yield 'x'.repeat(9000) }))
  await app.inject({ url: '/', payloadAsStream: true })
  await until(() => app.eventStreams.open === 0)
  t.equal(app.eventStreams.dropped, 1)
})

t.test('HTTP/2: a stalled stream is dropped, and its session lives on', async t => {
  const app = await buildApp(t, { writeTimeout: 300 }, { http2: true })
  app.get('/', (request, reply) => reply.eventStream(function * () { for (;;) yield 'x'.repeat(9000) }))
  app.get('/fine', (request, reply) => reply.eventStream(['a']))
  const port = await listen(app)
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const stream = session.request({ ':path': '/' })
  stream.on('error', () => {})
  await once(stream, 'response')
  await until(() => app.eventStreams.dropped === 1)
  await until(() => app.eventStreams.open === 0)
  const fine = session.request({ ':path': '/fine' })
  fine.resume()
  await once(fine, 'end')
  t.notOk(session.destroyed)
  session.destroy()
})

t.test('silence is broken by a heartbeat, and only silence', async t => {
  const app = await buildApp(t, { heartbeat: 1000 })
  app.get('/quiet', (request, reply) => reply.eventStream(async function * () { await never; yield 1 }))
  app.get('/off', (request, reply) => reply.eventStream(async function * () { await never; yield 1 }, { heartbeat: false }))
  let longest = 0
  app.get('/busy', (request, reply) => reply.eventStream(async function * () {
    for (let last = Date.now(); ; last = Date.now()) {
      yield 'a'
      await wait(100)
      longest = Math.max(longest, Date.now() - last)
    }
  }))
  const client = new TestClient(app, { listen: true })
  const [off, busy, silent] = [await client.open('/off'), await client.open('/busy'), await client.open('/quiet')]
  await until(() => silent.heartbeats === 2)
  t.equal(off.heartbeats, 0)
  // A machine that stops for so long makes silence of its own.
  if (longest < 900) t.equal(busy.heartbeats, 0)
  for (const stream of [off, busy, silent]) stream.close()
})

t.test('TCP keep-alive is on, so that a peer that vanished is noticed', async t => {
  const app = await buildApp(t)
  const calls = []
  app.addHook('onRequest', async request => {
    const { socket } = request.raw
    socket.setKeepAlive = (...values) => calls.push(values)
  })
  app.get('/', (request, reply) => reply.eventStream(async function * () { await never }))
  const stream = await new TestClient(app, { listen: true }).open('/')
  await until(() => calls.length > 0)
  stream.close()
  t.same(calls, [[true, 5000]])
})

t.test('HTTP/2: TCP keep-alive is on for every connection', async t => {
  const app = await buildApp(t, {}, { http2: true })
  const calls = []
  app.server.prependListener('connection', socket => { socket.setKeepAlive = (...values) => calls.push(values) })
  const port = await listen(app)
  const session = http2.connect(`http://127.0.0.1:${port}`)
  await once(session, 'connect')
  await until(() => calls.length === 1)
  t.same(calls, [[true, 5000]])
  session.close()
})

t.test('a stream that reaches maxAge is ended with what it had to say, without its close event', async t => {
  const app = await buildApp(t, { maxAge: 3000, closeEvent: 'bye' })
  const { random } = Math
  t.teardown(() => { Math.random = random })
  const signals = []
  app.get('/', (request, reply) => reply.eventStream(async function * ({ signal }) {
    signals.push(signal)
    yield 'a'
    await never
  }))
  // 80 to 100 % of it, so that clients do not all come back at once.
  Math.random = () => 0
  const early = new TestClient(app).sse('/')
  await until(() => signals.length === 1)
  Math.random = () => 1
  const late = new TestClient(app).sse('/')
  for (const result of [await early, await late]) {
    t.same(result.events, [{ data: 'a' }])
    t.ok(result.ended)
  }
  t.ok(signals.every(signal => signal.aborted))
  const [first, second] = app.log.lines.filter(line => line.reason === 'maxAge').map(({ duration }) => duration)
  t.ok(first >= 2400, `${first} ms`)
  t.ok(second >= 3000 && second > first, `${second} ms`)
  t.equal(app.eventStreams.dropped, 0)
})

const assertBusy = (t, { status, headers, events, ended }) => {
  t.equal(status, 200)
  t.equal(headers['content-type'], 'text/event-stream; charset=utf-8')
  t.match(events, [{ event: 'chirp:busy', data: '' }])
  t.equal(events.length, 1)
  t.ok(events[0].retry >= 5000 && events[0].retry <= 15000, `retry: ${events[0].retry}`)
  t.ok(ended)
}

t.test('over maxStreams a client is told to come back later, and the source is not opened', async t => {
  const app = await buildApp(t, { maxStreams: 2 })
  let opened = 0
  let closed = 0
  app.get('/', (request, reply) => reply.eventStream(async function * () { opened++; yield 'a'; await never }))
  app.get('/given', (request, reply) => reply.eventStream({
    [Symbol.asyncIterator]: () => ({ next: () => { opened++; return never }, return: async () => { closed++ } })
  }))
  const client = new TestClient(app, { listen: true })
  const first = await client.open('/')
  await first.next()
  const second = await client.open('/')
  await second.next()
  assertBusy(t, await client.sse('/'))
  assertBusy(t, await client.sse('/given'))
  t.equal(opened, 2)
  t.equal(closed, 1)
  t.match(app.eventStreams, { open: 2, total: 2 })
  t.equal(app.log.lines.filter(line => /refused/.test(line.msg)).length, 2)
  first.close()
  await until(() => app.eventStreams.open === 1)
  const third = await client.open('/')
  t.same(await third.next(), { data: 'a' }, 'a place that was left can be taken')
  second.close()
  third.close()
})

t.test('over maxStreamsPerClient one client is refused and others are not', async t => {
  const app = await buildApp(t, { maxStreamsPerClient: 1, clientKey: request => request.headers['x-user'] })
  app.get('/', (request, reply) => reply.eventStream(async function * () { yield 'a'; await never }))
  app.get('/fails', (request, reply) => reply.eventStream(() => { throw new Error('no') }))
  const client = new TestClient(app, { listen: true })
  const open = user => client.open('/', { headers: { 'x-user': user } })
  const ann = await open('ann')
  t.same(await ann.next(), { data: 'a' })
  assertBusy(t, await client.sse('/', { headers: { 'x-user': 'ann' } }))
  const bob = await open('bob')
  t.same(await bob.next(), { data: 'a' })
  ann.close()
  await until(() => app.eventStreams.open === 1)
  t.equal((await client.sse('/fails', { headers: { 'x-user': 'ann' } })).status, 500)
  const again = await open('ann')
  t.same(await again.next(), { data: 'a' })
  again.close()
  bob.close()
})

t.test('without clientKey clients are told apart by address, and counted up and down', async t => {
  const app = await buildApp(t, { maxStreamsPerClient: 2 })
  app.get('/', (request, reply) => reply.eventStream(async function * () { yield 'a'; await never }))
  const client = new TestClient(app)
  const streams = [await client.open('/'), await client.open('/')]
  await Promise.all(streams.map(stream => stream.next()))
  assertBusy(t, await client.sse('/'))
  streams[0].close()
  await until(() => app.eventStreams.open === 1)
  const third = await client.open('/')
  t.same(await third.next(), { data: 'a' })
  assertBusy(t, await client.sse('/'))
  streams[1].close()
  third.close()
})

t.test('clock: sleepers are woken at their tick, can move and be cancelled, and the timer stops when nobody is left', async t => {
  const clock = new Clock()
  const woken = []
  const sleeper = name => ({ due: -1, before: undefined, after: undefined, wake () { woken.push(name) } })
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(sleeper)
  const start = clock.refresh()
  clock.schedule(a, start + 1)
  clock.schedule(b, start + 50)
  clock.schedule(b, start + 2)
  clock.schedule(c, start + 2)
  clock.schedule(d, start + 2)
  clock.schedule(d, start + 2)
  clock.cancel(c)
  clock.cancel(c)
  await until(() => woken.length === 3)
  await quiet(2 * TICK)
  t.same(woken, ['a', 'b', 'd'])
  t.ok([a, b, c, d].every(({ before, after }) => before === undefined && after === undefined))
  await until(() => !process.getActiveResourcesInfo().includes('Timeout'), 'no timer is left')
  clock.schedule(a, 0)
  t.ok(a.due > clock.now, 'never in the past')
  clock.cancel(a)
})

t.test('clock: a crowd is woken in parts', async t => {
  const clock = new Clock()
  let woken = 0
  const perTurn = new Map()
  const due = clock.refresh() + 1
  for (let i = 0; i < 2500; i++) {
    clock.schedule({
      due: -1,
      before: undefined,
      after: undefined,
      wake () {
        woken++
        perTurn.set(clock.now, (perTurn.get(clock.now) ?? 0) + 1)
      }
    }, due)
  }
  await until(() => woken === 2500)
  t.ok(Math.max(...perTurn.values()) <= 1000)
})

t.test('the close of a response is the only thing that gives a place back', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.eventStream(['x'.repeat(20e6)]))
  const port = await listen(app)
  const request = http.get({ port, path: '/' })
  const [response] = await once(request, 'response')
  await until(() => app.eventStreams.events === 1)
  await quiet(50)
  t.equal(app.eventStreams.open, 1, 'the source has ended, but the client is still reading')
  response.resume()
  await until(() => app.eventStreams.open === 0)
  t.pass('and then it is gone')
})
