// Tests of bugs of channels; each fails without its fix.
import { once } from 'node:events'
import net from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { merge, SSEEvent } from 'fastify-chirp'
import { htmx2 } from '../../dist/dialects/htmx2.js'
import { Channel } from '../../dist/channel/channel.js'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { kAttach } from '../../dist/stream/feed.js'
import { buildApp, listen, quiet, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

t.test('a replay that is larger than maxBuffer reaches a client that reads', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a')
  app.get('/', (request, reply) => reply.eventStream(channel))
  const first = await channel.publish('first')
  for (let n = 0; n < 999; n++) channel.publish(`${n} ${'x'.repeat(3000)}`)
  for (const listen of [true, false]) {
    const { events } = await new TestClient(app, { listen }).sse('/', { lastEventId: first, maxEvents: 999 })
    t.same(events.map(({ data }) => parseInt(data)), Array.from({ length: 999 }, (_, n) => n))
  }
  t.equal(app.eventStreams.dropped, 0)
})

t.test('a snapshot that is larger than maxBuffer reaches a client that reads', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a', { latest: true })
  app.get('/', (request, reply) => reply.eventStream(channel))
  for (let n = 0; n < 100; n++) channel.publish(new SSEEvent({ event: `e${n}`, data: 'x'.repeat(20000) }))
  const { events } = await new TestClient(app, { listen: true }).sse('/', { maxEvents: 100 })
  t.equal(events.length, 100)
  t.equal(app.eventStreams.dropped, 0)
})

t.test('a filter that throws ends its own stream, and no other, nor the process', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a')
  app.get('/', (request, reply) => reply.eventStream(channel))
  app.get('/bad', (request, reply) => reply.eventStream(channel.subscribe({ filter: () => { throw new Error('filter') } })))
  const client = new TestClient(app)
  const [first, bad, last] = [await client.open('/'), await client.open('/bad'), await client.open('/')]
  channel.publish('hidden', { audience: 'ann' })
  await channel.publish('seen')
  for (const stream of [first, last]) t.match(await stream.next(), { data: 'seen' })
  t.match(await bad.next(), { event: 'chirp:error', data: 'Internal Server Error' })
  await until(() => channel.size === 2)
  t.equal(app.eventStreams.errors, 1)
  first.close()
  last.close()
})

t.test('a reader that leaves while others get an event does not double it for them', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a')
  const controller = new AbortController()
  app.get('/left', (request, reply) => reply.eventStream(channel.subscribe({ signal: controller.signal })))
  app.get('/', (request, reply) => reply.eventStream(channel))
  app.get('/aborts', (request, reply) => reply.eventStream(channel.subscribe({
    filter: () => {
      controller.abort()
      return true
    }
  })))
  const client = new TestClient(app)
  await client.open('/left')
  const aborts = await client.open('/aborts')
  const stream = await client.open('/')
  channel.publish('hidden', { audience: 'x' })
  channel.publish('one')
  await turn()
  await channel.publish('two')
  t.same([(await stream.next()).data, (await stream.next()).data], ['one', 'two'])
  t.same([(await aborts.next()).data, (await aborts.next()).data, (await aborts.next()).data], ['hidden', 'one', 'two'])
})

t.test('a reader that subscribes while others get an event does not change their order, and gets it once', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a')
  let inner
  const first = await channel.publish('first')
  const early = channel.subscribe({ lastEventId: first })[Symbol.asyncIterator]()
  const subscribes = channel.subscribe({
    filter: () => {
      if (inner === undefined) {
        channel.publish('inner')
        inner = channel.subscribe({ lastEventId: first })[Symbol.asyncIterator]()
      }
      return false
    }
  })[Symbol.asyncIterator]()
  channel.publish('hidden', { audience: 'x' })
  channel.publish('one')
  await turn()
  await channel.publish('two')
  for (const iterator of [early, subscribes, inner]) {
    const values = []
    for (let n = 0; n < 3; n++) values.push((await iterator.next()).value.record.data)
    t.same(values, ['one', 'inner', 'two'])
    await iterator.return()
  }
})

t.test('a channel that is closed while a client still reads its replay ends the stream after it', async t => {
  const app = await buildApp(t, { writeTimeout: false, maxBuffer: 100e6 })
  const channel = app.channel('a')
  // The generator blocks the connection, so that the replay has to wait.
  const { engine } = { engine: new MemoryEngine() }
  const own = new Channel('own', {}, { engine, maxBuffer: 1e6, toRecord: record => record, errorRecord: () => {}, report () {} })
  const first = await own.publish({ data: '0' })
  for (let n = 1; n <= 250; n++) own.publish({ data: String(n) })
  let drain
  const target = {
    dialect: htmx2,
    isBlocked: true,
    sent: 0,
    ends: 0,
    flush () {},
    share () {},
    send (text, events) { this.sent += events },
    whenDrained: () => new Promise(resolve => { drain = resolve }),
    ended () { this.ends++ },
    failed () {}
  }
  own[kAttach](target, first)
  await until(() => drain !== undefined)
  own.close()
  target.isBlocked = false
  drain()
  await until(() => target.ends === 1)
  t.equal(target.sent, 250)
  t.equal(own.size, 0)
  channel.close()
})

t.test('a part of a merged stream ends once', async t => {
  const app = await buildApp(t)
  const [a, b] = [app.channel('a'), app.channel('b')]
  const controller = new AbortController()
  app.get('/', (request, reply) => reply.eventStream(merge(a.subscribe({ signal: controller.signal }), b)))
  const stream = await new TestClient(app).open('/')
  a.close()
  controller.abort()
  await b.publish('still')
  t.match(await stream.next(), { data: 'still' })
  t.notOk(stream.ended)
  stream.close()
})

t.test('an event of a subscription that is merged as a generator does not bring its id', async t => {
  const app = await buildApp(t)
  const [a, b] = [app.channel('a'), app.channel('b')]
  app.get('/', (request, reply) => reply.eventStream(merge(a, (async function * () { yield * b.subscribe() })())))
  const stream = await new TestClient(app).open('/')
  await until(() => b.size === 1)
  await b.publish('foreign')
  await b.publish('foreign')
  t.same([await stream.next(), await stream.next()], [{ data: 'foreign' }, { data: 'foreign' }])
  const id = await a.publish('own')
  t.same(await stream.next(), { data: 'own', id })
  stream.close()
})

t.test('what comes while a gap is found out is not lost', async t => {
  const engine = new MemoryEngine()
  const { read } = engine
  engine.read = async (...values) => {
    const page = read.apply(engine, values)
    await turn()
    return page
  }
  const channel = new Channel('a', {}, { engine, maxBuffer: 1e6, toRecord: record => record, errorRecord: () => {}, report () {} })
  await channel.publish({ data: 'before' })
  let text = ''
  channel[kAttach]({ dialect: htmx2, isBlocked: false, flush () {}, send (frames) { text += frames }, share (frames) { text += frames.text }, async whenDrained () {}, ended () {}, failed () {} }, 'unknown')
  const id = await channel.publish({ data: 'between' })
  for (let n = 0; n < 5; n++) await turn()
  await channel.publish({ data: 'after' })
  await turn()
  t.same(text.match(/data: .*/g).slice(-1), ['data: after'])
  t.ok(text.includes(`"resumedFrom":"${id}"`) || text.includes('data: between'), text)
})

t.test('a replay goes live while publishers keep publishing, without a read for each event', async t => {
  const engine = new MemoryEngine()
  let reads = 0
  const { read } = engine
  engine.read = async (...values) => {
    reads++
    await turn()
    channel.publish({ data: 'more' })
    const page = read.apply(engine, values)
    await turn()
    return page
  }
  const channel = new Channel('a', {}, { engine, maxBuffer: 1e6, toRecord: record => record, errorRecord: () => {}, report () {} })
  const first = await channel.publish({ data: 'first' })
  const attachment = channel[kAttach]({ dialect: htmx2, isBlocked: false, flush () {}, send () {}, share () {}, async whenDrained () {}, ended () {}, failed () {} }, first)
  for (let n = 0; n < 100; n++) await turn()
  t.ok(reads <= 3, `${reads} reads`)
  attachment.detach()
})

t.test('two calls of next() at once both get an event, in order', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a')
  const iterator = channel.subscribe()[Symbol.asyncIterator]()
  const values = []
  iterator.next().then(({ value }) => values.push(value.record.data))
  iterator.next().then(({ value }) => values.push(value.record.data))
  channel.publish('one')
  channel.publish('two')
  await until(() => values.length === 2)
  t.same(values, ['one', 'two'])
})

t.test('a client that has closed its side is not written to', async t => {
  const app = await buildApp(t, { maxBuffer: 1e9, writeTimeout: false })
  const errors = []
  app.server.prependListener('clientError', error => errors.push(error.code))
  const channel = app.channel('a')
  let server
  app.get('/', (request, reply) => {
    server = request.raw.socket
    return reply.eventStream(channel)
  })
  const socket = net.connect({ port: await listen(app), host: '127.0.0.1', allowHalfOpen: true })
  await once(socket, 'connect')
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await until(() => channel.size === 1)
  channel.publish('x'.repeat(10e6))
  await until(() => app.eventStreams.bytes > 10e6)
  socket.end()
  await until(() => server.readableEnded)
  channel.publish('after')
  await quiet(30)
  t.same(errors, [])
  socket.destroy()
  await until(() => app.eventStreams.open === 0)
})

t.test('a response that was queued behind another hears of its own drain', async t => {
  const app = await buildApp(t, { writeTimeout: 500, maxBuffer: 100e6 })
  const [one, two] = [app.channel('one'), app.channel('two')]
  app.get('/1', (request, reply) => {
    reply.raw.on('finish', () => {
      two.publish('y'.repeat(8e6))
      two.subscribe()[Symbol.asyncIterator]().return()
    })
    return reply.eventStream(one)
  })
  app.get('/2', (request, reply) => reply.eventStream(two))
  const socket = net.connect(await listen(app), '127.0.0.1')
  let bytes = 0
  socket.on('error', () => {}).on('data', data => { bytes += data.length })
  socket.write('GET /1 HTTP/1.1\r\nhost: x\r\n\r\nGET /2 HTTP/1.1\r\nhost: x\r\n\r\n')
  await until(() => one.size === 1 && two.size === 1)
  one.publish('z'.repeat(8e6))
  await until(() => bytes > 8e6)
  one.close()
  await until(() => bytes > 16e6)
  await quiet(1000)
  t.equal(app.eventStreams.dropped, 0)
  socket.destroy()
})

t.test('in debug, an engine that fails does not bring the process down', async t => {
  const { Fragment } = await import('fastify-chirp')
  const engine = { listen: () => () => {}, publish: async () => { throw new Error('down') }, read () {}, close () {} }
  const rejections = []
  const listener = reason => rejections.push(reason.message)
  process.on('unhandledRejection', listener)
  const channel = new Channel('a', {}, { engine, maxBuffer: 1e6, toRecord: () => ({ data: 'x' }), errorRecord: () => ({ data: 'box' }), report () {} })
  await t.rejects(channel.publish(new Fragment('x.html', 'x')), { message: 'down' })
  await turn()
  process.removeListener('unhandledRejection', listener)
  t.same(rejections, [])
})

t.test('an engine that loses events says so to whoever has not read them', async t => {
  const engine = new MemoryEngine()
  let tell
  const lossy = {
    publish: (...values) => engine.publish(...values),
    read: (...values) => engine.read(...values),
    listen (topic, listener) {
      tell = listener
      return () => {}
    },
    close () {}
  }
  const channel = new Channel('a', {}, { engine: lossy, maxBuffer: 1e6, toRecord: record => record, errorRecord () {}, report () {} })
  const publish = data => engine.publish('a', { record: { data }, audience: undefined, history: 10 })
  const taken = []
  const read = async subscription => { for await (const { record, id } of subscription) taken.push([record.event, record.data, id]) }
  const reading = read(channel.subscribe())
  const entries = ['1', '2', '3', '4'].map(publish)
  // Who subscribes now starts after all four, and has lost none.
  const late = channel.subscribe()[Symbol.asyncIterator]()
  tell(entries[0])
  await turn()
  tell(entries[3])
  await turn()
  channel.close()
  await reading
  t.same(taken, [
    [undefined, '1', entries[0].position],
    ['chirp:gap', JSON.stringify({ requested: entries[0].position, resumedFrom: entries[2].position }), entries[2].position],
    [undefined, '4', entries[3].position]
  ])
  t.same(await late.next(), { done: true, value: undefined })
})

t.test('a channel that is closed frees its name and its history, and its cursors are not taken for new ones', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.eventStream(app.channel('job')))
  const old = app.channel('job', { history: 5 })
  const id = await old.publish('old')
  old.close()
  old.close()
  await t.rejects(old.publish('late'), { code: 'FST_CHIRP_CHANNEL_CLOSED' })
  t.same(await new TestClient(app).first(0, '/'), [], 'a new one knows nothing of it')
  t.not(app.channel('job'), old)
  await app.channel('job').publish('new')
  for (const lastEventId of [id, id.replace(/\d+$/, '0')]) {
    const { events } = await new TestClient(app).sse('/', { lastEventId, maxEvents: 1 })
    t.match(events, [{ event: 'chirp:gap' }])
  }
})

t.test('a value that is rendered only after the close is refused', async t => {
  let answer
  const engine = new MemoryEngine()
  const toRecord = () => new Promise(resolve => { answer = () => resolve({ data: 'x' }) })
  const channel = new Channel('a', {}, { engine, maxBuffer: 1e6, toRecord, errorRecord () {}, report () {} })
  const published = channel.publish('x')
  channel.close()
  answer()
  await t.rejects(published, { code: 'FST_CHIRP_CHANNEL_CLOSED' })
})

t.test('options of publish are checked: a misspelt audience must not send to everyone', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a')
  await t.rejects(channel.publish('x', { audiance: 'ann' }), { code: 'FST_CHIRP_OPTION', message: /no option "audiance" of publish\(\)/ })
  await t.rejects(channel.publish('x', null), { code: 'FST_CHIRP_OPTION', message: /must be an object, not null/ })
  await t.rejects(channel.publish('x', 'ann'), { code: 'FST_CHIRP_OPTION' })
})

t.test('options that say what a channel is anyway are no conflict', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a')
  t.equal(app.channel('a', { history: 1000, latest: false }), channel)
  t.equal(app.channel('a', { history: undefined }), channel)
  t.throws(() => app.channel('a', { history: 5 }), { code: 'FST_CHIRP_OPTION' })
})

t.test('an event of one channel can be published in another', async t => {
  const app = await buildApp(t)
  const [a, b] = [app.channel('a'), app.channel('b')]
  const fromA = a.subscribe()[Symbol.asyncIterator]()
  const fromB = b.subscribe()[Symbol.asyncIterator]()
  a.publish(new SSEEvent({ event: 'e', data: 'x', id: 'own' }))
  const { value } = await fromA.next()
  const id = await b.publish(value)
  t.match((await fromB.next()).value, { id, record: { event: 'e', data: 'x' } })
  t.not(id, 'own')
  await Promise.all([fromA.return(), fromB.return()])
})

t.test('a reader that iterates a long replay slowly gets all of it, a part at a time', async t => {
  const app = await buildApp(t, { maxBuffer: 100000 })
  const channel = app.channel('a')
  const first = await channel.publish('first')
  for (let n = 0; n < 999; n++) channel.publish(`${n} ${'x'.repeat(300)}`)
  let count = 0
  for await (const { record } of channel.subscribe({ lastEventId: first })) {
    t.equal(parseInt(record.data), count)
    if (++count === 999) break
    if (count % 100 === 0) await turn()
  }
  t.equal(channel.size, 0)
})

t.test('a subscription of its own cursor in a merge names that cursor in a gap', async t => {
  const app = await buildApp(t)
  const [a, b] = [app.channel('a'), app.channel('b')]
  app.get('/', (request, reply) => reply.eventStream(merge(a.subscribe({ lastEventId: 'mine' }), b)))
  const [gap] = (await new TestClient(app).sse('/', { maxEvents: 1 })).events
  t.equal(JSON.parse(gap.data).requested, 'mine')
})

t.test('a reader that leaves while an engine looks for the end of a gap is left alone', async t => {
  const engine = new MemoryEngine()
  const answers = []
  const slow = {
    publish: (...values) => engine.publish(...values),
    read: (...values) => new Promise(resolve => { answers.push(() => resolve(engine.read(...values))) }),
    listen: (...values) => engine.listen(...values),
    close () {}
  }
  const channel = new Channel('a', {}, { engine: slow, maxBuffer: 1e6, toRecord: record => record, errorRecord () {}, report () {} })
  const told = []
  const reader = channel.attach({ isBlocked: false, pass () {}, tell () {}, flush () {}, gap: () => { told.push('gap') }, ended () {}, failed () {} }, 'unknown')
  answers[0]()
  await until(() => answers.length === 2)
  reader.detach()
  answers[1]()
  await turn()
  t.same(told, [])
})

t.test('an injected client that does not read a channel is dropped', async t => {
  const app = await buildApp(t, { maxBuffer: 50000, writeTimeout: false })
  const channel = app.channel('a')
  app.get('/', (request, reply) => reply.eventStream(channel))
  await app.inject({ url: '/', payloadAsStream: true })
  for (let n = 0; n < 20; n++) {
    channel.publish('x'.repeat(9000))
    await turn()
  }
  await until(() => app.eventStreams.open === 0)
  t.equal(app.eventStreams.dropped, 1)
})

t.test('a merge that was never streamed lets go of its sources', async t => {
  const app = await buildApp(t)
  let closed = 0
  const source = { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}), return: async () => { closed++ } }) }
  app.get('/', (request, reply) => reply.code(204).eventStream(merge(app.channel('a'), source)))
  app.get('/channel', (request, reply) => reply.code(204).eventStream(app.channel('a')))
  for (const path of ['/', '/channel']) t.equal((await app.inject(path)).statusCode, 204)
  await until(() => app.eventStreams.open === 0)
  t.equal(closed, 1)
})

t.test('a replay that outlives its channel does not take a new channel of that name with it', async t => {
  const app = await buildApp(t, { writeTimeout: false, maxBuffer: 100e6 })
  const old = app.channel('job')
  let drain
  const stalled = {
    isBlocked: true, whenDrained: () => new Promise(resolve => { drain = resolve }), flush () {}, pass () {}, tell () {}, resume () {}, gap () {}, ended () {}, failed () {}
  }
  const first = await old.publish('first')
  await old.publish('second')
  old.attach(stalled, first)
  old.close()
  const iterator = app.channel('job').subscribe()[Symbol.asyncIterator]()
  drain()
  await turn()
  stalled.isBlocked = false
  drain()
  await turn()
  await app.channel('job').publish('new')
  t.equal((await iterator.next()).value.record.data, 'new')
  await iterator.return()
})

t.test('a connection that cannot be written to ends its own stream, and does not make its channel deaf', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a')
  app.get('/', (request, reply) => reply.eventStream(channel))
  const port = await listen(app)
  let broken
  app.server.once('connection', socket => { broken = socket })
  net.connect(port, '127.0.0.1').on('error', () => {}).write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
  await until(() => channel.size === 1)
  const good = await new TestClient(app, { listen: true }).open('/')
  await until(() => channel.size === 2)
  broken.write = () => { throw new Error('this socket is patched') }
  await channel.publish('one')
  await until(() => channel.size === 1)
  await channel.publish('two')
  t.same([(await good.next()).data, (await good.next()).data], ['one', 'two'])
  t.equal(app.eventStreams.errors, 1)
  broken.destroy()
  await good.close()
})
