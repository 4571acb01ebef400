// Replays beside each other and beside everything else, and what waits in memory for those who read.
import { once } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { SSEEvent } from 'fastify-chirp'
import { htmx2 } from '../../dist/dialects/htmx2.js'
import { Channel } from '../../dist/channel/channel.js'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { kAttach } from '../../dist/stream/feed.js'
import { buildApp, heapUsed, listen, until } from '../helpers/app.js'
import { AsyncEngine } from '../helpers/engine.js'

t.setTimeout(60000)

// Each with a topic of its own, as an app makes them: else the next of a name would go on with what the one before left.
function buildChannel (engine, maxBuffer = 1e6) {
  return new Channel('a', { history: 20000 }, { engine, topic: engine.open?.('a'), maxBuffer, toRecord: record => record, errorRecord () {}, report () {} })
}

/** A reader that notes what it gets, and in how many pieces. */
function buildTarget () {
  const target = {
    dialect: htmx2,
    isBlocked: false,
    pieces: [],
    ends: 0,
    drain () {},
    flush () {},
    send (text, events) { target.pieces.push([text, events]) },
    share ({ text }, events) { target.pieces.push([text, events]) },
    whenDrained: () => new Promise(resolve => { target.drain = resolve }),
    ended () { target.ends++ },
    failed (error) { throw error }
  }
  return Object.defineProperty(target, 'data', { get: () => target.pieces.flatMap(([text]) => text.match(/data: .*/g) ?? []).map(line => line.slice(6)) })
}

const numbers = (from, to) => Array.from({ length: to - from }, (_, n) => `${from + n}`)

t.test('while 100 clients replay 10,000 events, the event loop goes on', async t => {
  const app = await buildApp(t, { maxBuffer: 1e9, writeTimeout: false })
  const channel = app.channel('a', { history: 20000 })
  const first = await channel.publish('first')
  for (let n = 0; n < 10000; n++) channel.publish(`${n}`)
  await turn()
  app.get('/', (request, reply) => reply.eventStream(channel))
  const port = await listen(app)
  const agent = new http.Agent({ keepAlive: false })
  t.teardown(() => agent.destroy())
  // The most that was sent in one turn of the loop.
  let most = 0
  let before = 0
  let isOver = false
  const watch = () => {
    const { events } = app.eventStreams
    most = Math.max(most, events - before)
    before = events
    if (!isOver) setImmediate(watch)
  }
  setImmediate(watch)
  const bodies = await Promise.all(Array.from({ length: 100 }, async (_, client) => {
    const request = http.get({ port, host: '127.0.0.1', path: '/', agent, headers: { 'last-event-id': first } })
    const [response] = await once(request, 'response')
    let last = ''
    let count = 0
    for await (const chunk of response) {
      const text = last + chunk
      count += text.split('\n\n').length - 1
      last = text.slice(text.lastIndexOf('\n\n') + 2)
      if (text.includes('data: 9999\n\n')) return count
    }
  }))
  isOver = true
  t.same([...new Set(bodies)], [10000], 'the first of them has the comment of the start in it')
  // Each client's first page at once, and the pages of a few more.
  t.ok(most <= 100 * 100 + 1000, `${most} events in one turn`)
})

t.test('a replay is sent page by page, and what is published meanwhile comes after it, in order', async t => {
  for (const engine of [new MemoryEngine(), new AsyncEngine()]) {
    const channel = buildChannel(engine)
    const first = await channel.publish({ data: 'first' })
    for (const data of numbers(0, 1050)) channel.publish({ data })
    await turn()
    const targets = Array.from({ length: 20 }, buildTarget)
    for (const target of targets) channel[kAttach](target, first)
    for (const data of numbers(1050, 1060)) {
      channel.publish({ data })
      await turn()
    }
    await until(() => channel.size === 20 && targets.every(({ data }) => data.at(-1) === '1059'))
    await channel.publish({ data: '1060' })
    await turn()
    for (const { data, pieces } of targets) {
      t.same(data, numbers(0, 1061))
      t.ok(pieces.every(([, events]) => events <= 100), 'in pieces')
    }
    channel.close()
  }
})

t.test('a piece of a replay holds few large events', async t => {
  const channel = buildChannel(new MemoryEngine())
  const first = await channel.publish({ data: 'first' })
  for (let n = 0; n < 20; n++) channel.publish({ data: `${n} ${'x'.repeat(7000)}` })
  for (let n = 20; n < 23; n++) channel.publish({ data: `${n} ${'x'.repeat(70000)}` })
  await turn()
  const target = buildTarget()
  channel[kAttach](target, first)
  t.equal(target.pieces.length, 1, 'the first at once')
  await until(() => target.data.length === 23)
  t.same(target.pieces.map(([, events]) => events), [9, 9, 2, 1, 1, 1])
  t.same(target.data.map(text => parseInt(text)), numbers(0, 23).map(Number))
  channel.close()
})

t.test('a replay comes to its end while somebody publishes as fast as it reads', async t => {
  const channel = buildChannel(new MemoryEngine())
  const first = await channel.publish({ data: 'first' })
  for (const data of numbers(0, 1000)) channel.publish({ data })
  let next = 1000
  let isOver = false
  const publish = () => {
    for (let n = 0; n < 150; n++) channel.publish({ data: `${next++}` })
    if (!isOver) setImmediate(publish)
  }
  publish()
  const target = buildTarget()
  channel[kAttach](target, first)
  for (let n = 0; n < 30 && channel.size === 0; n++) await turn()
  t.equal(channel.size, 1, 'it is live')
  isOver = true
  await turn()
  await turn()
  t.same(target.data, numbers(0, next))
  channel.close()
})

t.test('a client that does not read while it replays keeps nothing of what comes', async t => {
  const channel = buildChannel(new MemoryEngine())
  const first = await channel.publish({ data: 'first' })
  for (const data of numbers(0, 99)) channel.publish({ data })
  await turn()
  const target = buildTarget()
  target.isBlocked = true
  channel[kAttach](target, first)
  for (const data of numbers(99, 150)) channel.publish({ data })
  await until(() => target.data.length >= 99)
  await turn()
  for (const data of numbers(150, 300)) channel.publish({ data })
  await turn()
  target.isBlocked = false
  target.drain()
  await until(() => target.data.length === 300)
  t.same(target.data, numbers(0, 300))
  t.equal(channel.size, 1)
  channel.close()
  await turn()
  t.equal(target.ends, 1)
})

t.test('a client that stalls after it has joined leaves, and reads from the log later', async t => {
  const engine = new MemoryEngine()
  const channel = buildChannel(engine)
  const target = buildTarget()
  const first = await channel.publish({ data: 'first' })
  for (const data of numbers(0, 50)) channel.publish({ data })
  const { read } = engine
  let reads = 0
  engine.read = async (...values) => {
    if (++reads === 2) {
      t.equal(channel.size, 1, 'it has joined')
      for (const data of numbers(50, 70)) channel.publish({ data })
      target.isBlocked = true
    }
    return read.apply(engine, values)
  }
  channel[kAttach](target, first)
  await until(() => target.data.length === 70)
  t.equal(channel.size, 0)
  for (const data of numbers(70, 300)) channel.publish({ data })
  await turn()
  target.isBlocked = false
  target.drain()
  await until(() => target.data.length === 300)
  t.same(target.data, numbers(0, 300))
  t.equal(channel.size, 1)
  channel.close()
})

t.test('a reader that iterates and never reads is behind after a while, also on events without data', async t => {
  for (const make of [() => new SSEEvent({ event: 'tick' }), n => new SSEEvent({ id: n }), n => new SSEEvent({ data: '', id: `i${n}` }), () => 'ü'.repeat(100)]) {
    const channel = (await buildApp(t, { maxBuffer: 100000 })).channel('a', { history: 0 })
    const iterator = channel.subscribe()[Symbol.asyncIterator]()
    let count = 0
    while (channel.size === 1 && count < 2000) {
      channel.publish(make(count++))
      await turn()
    }
    t.ok(count < 500, `${count} events`)
    for (let n = 0; n < count; n++) await iterator.next()
    await t.rejects(iterator.next(), { code: 'FST_CHIRP_BEHIND' })
  }
})

t.test('a replay larger than maxBuffer reaches who iterates, with a small maxBuffer too', async t => {
  const channel = (await buildApp(t, { maxBuffer: 2000 })).channel('a')
  const first = await channel.publish('first')
  for (const n of numbers(0, 250)) channel.publish(n)
  const seen = []
  for await (const { record } of channel.subscribe({ lastEventId: first })) if (seen.push(record.data) === 250) break
  t.same(seen, numbers(0, 250))
})

t.test('an unread iterator that replays does not keep the history of a closed channel', async t => {
  const app = await buildApp(t)
  const make = async () => {
    const channel = app.channel('a', { history: 20000 })
    const first = await channel.publish('first')
    for (let n = 0; n < 200; n++) channel.publish(`${n} ${'x'.repeat(50000)}`)
    const iterator = channel.subscribe({ lastEventId: first })[Symbol.asyncIterator]()
    t.match((await iterator.next()).value.record.data, /^0 /)
    channel.close()
  }
  const before = heapUsed()
  await make()
  await until(() => {
    const kept = heapUsed() - before
    return kept < 3e6
  }, 'the history is gone')
})

/** Reads what is left of a topic only when it is told to, so that more is there by then. */
class LateEngine extends AsyncEngine {
  #isTold = new Promise(resolve => { this.goOn = resolve })

  async read (topic, after, limit) {
    if (limit > 100) await this.#isTold
    return super.read(topic, after, limit)
  }
}

t.test('a reader that still reads a channel that was closed gets all of it, and nothing of the next one of its name', async t => {
  for (const engine of [new MemoryEngine(), new AsyncEngine(), new LateEngine()]) {
    const old = buildChannel(engine)
    const first = await old.publish({ data: 'first' })
    await Promise.all(numbers(0, 350).map(data => old.publish({ data })))
    const [stalled, quick, gone] = [buildTarget(), buildTarget(), buildTarget()]
    stalled.isBlocked = true
    old[kAttach](stalled, first)
    old[kAttach](quick, first)
    const attachment = old[kAttach](gone, first)
    await until(() => stalled.data.length > 0)
    old.close()
    attachment.detach()
    await turn()
    const next = buildChannel(engine)
    await next.publish({ data: 'of the next' })
    engine.goOn?.()
    await until(() => quick.ends === 1)
    stalled.isBlocked = false
    stalled.drain()
    await until(() => stalled.ends === 1)
    for (const { data, ends } of [stalled, quick]) {
      t.same(data, numbers(0, 350))
      t.equal(ends, 1)
    }
    next.close()
  }
})

t.test('clients whose filters let the same events through get the same bytes', async t => {
  const app = await buildApp(t, { maxBuffer: 1e9, writeTimeout: false })
  const channel = app.channel('a', { history: 0 })
  app.get('/:group', ({ params: { group } }, reply) => reply.eventStream(channel.subscribe({ filter: audience => audience === group || audience === 'both' })))
  const writes = []
  app.server.on('connection', socket => {
    const { write } = socket
    socket.write = function (chunk, ...rest) {
      if (String(chunk).includes('data: ')) writes.push(chunk)
      return write.call(this, chunk, ...rest)
    }
  })
  const port = await listen(app)
  const texts = ['a', 'a', 'a', 'b', 'b', 'c'].map(group => {
    const raw = { text: '' }
    const socket = net.connect(port, '127.0.0.1').setEncoding('utf8').on('data', data => { raw.text += data })
    t.teardown(() => socket.destroy())
    socket.write(`GET /${group} HTTP/1.1\r\nHost: x\r\n\r\n`)
    return raw
  })
  await until(() => channel.size === 6)
  await turn()
  channel.publish('1', { audience: 'a' })
  channel.publish('2', { audience: 'b' })
  channel.publish('3', { audience: 'both' })
  channel.publish('4', { audience: 'nobody' })
  await channel.publish('5')
  await until(() => texts.every(({ text }) => text.includes('data: 5\n\n')))
  t.same(texts.map(({ text }) => text.match(/data: .*/g).map(line => line.slice(6)).join('')), ['135', '135', '135', '235', '235', '35'])
  t.equal(writes.length, 6)
  t.equal(new Set(writes).size, 3, 'one for each set of events')
  channel.publish('6', { audience: 'both' })
  await until(() => texts.every(({ text }) => text.includes('data: 6\n\n')))
  t.equal(new Set(writes.slice(6)).size, 1)
  t.equal(writes.length, 12)
})
