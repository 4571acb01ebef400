// Channels when clients are slow, leave and come back, and when there are many of them.
import { execSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { createInterface } from 'node:readline'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { merge, SSEEvent } from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'
import { Channel } from '../dist/channel/channel.js'
import { MemoryEngine } from '../dist/channel/memory.js'
import { kAttach } from '../dist/stream/feed.js'
import { EventStreamParser } from '../dist/testing/parser.js'
import { htmx2 } from '../dist/dialects/htmx2.js'
import { buildApp, heapUsed, listen, until } from './helpers/app.js'
import { AsyncEngine } from './helpers/engine.js'

// Slow machines take their time for thousands of connections.
t.setTimeout(100000)

const ENGINES = { memory: () => new MemoryEngine(), async: () => new AsyncEngine(), 'async that lags': () => new AsyncEngine({ lag: true }) }

/** A channel that is not in an app; what is published is a record. */
function buildChannel (engine, options = {}, name = 'a') {
  const errors = []
  const report = error => { errors.push(error) }
  const channel = new Channel(name, options, { engine, maxBuffer: 1e6, toRecord: record => record, errorRecord: () => {}, report })
  return { channel, errors }
}

/** A browser over a real socket, which comes back after a while when it is cut. */
class Browser {
  events = []
  connections = 0
  speed = Infinity
  #parser
  #response
  #port
  #isClosed = false

  constructor (port) {
    this.#port = port
    this.#connect()
  }

  /** Stops reading, until a speed is set. */
  stop () {
    this.speed = 0
    this.#response?.pause()
  }

  /** Reads so many chunks in a millisecond. */
  read (speed) {
    this.speed = speed
    this.#response?.resume()
  }

  close () {
    this.#isClosed = true
    this.#response.destroy()
  }

  async #connect () {
    const lastEventId = this.#parser?.lastEventId ?? ''
    const request = http.get({ port: this.#port, agent: false, headers: { 'last-event-id': lastEventId } })
    request.on('error', () => {})
    const response = await once(request, 'response').then(([response]) => response, () => undefined)
    if (response === undefined) return this.#again()
    this.#parser = new EventStreamParser({ onEvent: event => this.events.push(event), onComment () {} })
    this.#parser.lastEventId = lastEventId
    this.#response = response
    this.connections++
    response.on('error', () => {}).on('data', chunk => this.#take(chunk)).on('close', () => this.#again())
    if (this.speed === 0) response.pause()
  }

  #take (chunk) {
    this.#parser.feed(chunk)
    if (this.speed === 0) return this.#response.pause()
    if (this.speed === Infinity) return
    this.#response.pause()
    setTimeout(() => { if (this.speed !== 0) this.#response.resume() }, 1 / this.speed)
  }

  #again () {
    if (!this.#isClosed) setTimeout(() => this.#connect(), 20)
  }
}

/** A client that reads slowly, stops, is dropped and comes back. */
async function slowClient (t, limits, reason) {
  const app = await buildApp(t, limits)
  const channel = app.channel('a', { history: 5000 })
  app.get('/', (request, reply) => reply.eventStream(channel))
  const browser = new Browser(await listen(app))
  const fast = new Browser(await listen(app))
  await until(() => channel.size === 2)
  let count = 0
  const publish = async (events, size) => {
    for (let n = 0; n < events; n++) {
      await channel.publish(new SSEEvent({ data: `${++count} ${'x'.repeat(size)}`, ...(count % 5 === 0 && { id: `own ${count}` }) }))
      if (n % 4 === 0) await turn()
    }
  }
  browser.read(1)
  await publish(100, 500)
  await until(() => browser.events.length === 100)
  browser.stop()
  while (app.eventStreams.dropped === 0) {
    await publish(20, 20000)
    await until(() => fast.events.length === count)
  }
  t.equal(app.eventStreams.dropped, 1)
  await publish(20, 1000)
  browser.read(2)
  await until(() => browser.connections === 2, 'it comes back', 10000)
  await publish(20, 1000)
  await until(() => browser.events.length >= count, `all ${count} arrive`, 15000)
  await publish(1, 10)
  await until(() => browser.events.length > count - 1)
  for (const { events } of [browser, fast]) {
    t.same(events.map(({ data }) => Number(data.split(' ')[0])), Array.from({ length: count }, (_, n) => n + 1), 'every event exactly once')
  }
  t.equal(fast.connections, 1)
  const line = app.log.lines.find(line => line.msg === 'event stream closed')
  t.equal(line.reason, reason)
  t.equal(app.eventStreams.errors, 0)
  browser.close()
  fast.close()
}

t.test('a slow client is dropped at writeTimeout, comes back, and has every event exactly once', t =>
  slowClient(t, { writeTimeout: 300, maxBuffer: 200e6 }, 'writeTimeout'))

t.test('a slow client is dropped at maxBuffer, comes back, and has every event exactly once', t =>
  slowClient(t, { maxBuffer: 1e6, writeTimeout: false }, 'maxBuffer'))

/** A reader in memory whose client may stall: what was sent to it meanwhile is lost when it leaves. */
class Client {
  dialect = htmx2
  events = []
  cursor = ''
  isStalled = false
  error
  #source
  #waiting = []
  #attachment
  #wakes = []
  // Tells the connections of one client apart.
  #target

  constructor (source) {
    this.#source = source
  }

  get isConnected () {
    return this.#attachment !== undefined
  }

  connect () {
    const client = this
    const target = this.#target = {
      dialect: htmx2,
      get isBlocked () { return client.isStalled && client.#waiting.length > 0 },
      send (text) { client.#take(target, text) },
      share ({ text }) { client.#take(target, text) },
      flush () {},
      whenDrained: () => this.isStalled && this.#waiting.length > 0 ? new Promise(resolve => { this.#wakes.push(resolve) }) : Promise.resolve(),
      ended () {},
      failed (error) { client.error = error }
    }
    this.#attachment = this.#source[kAttach](target, this.cursor)
  }

  disconnect () {
    this.#attachment.detach()
    this.#attachment = this.#target = undefined
    this.#waiting = []
    this.#wake()
  }

  heartbeat () {
    const cursor = this.#attachment.cursor()
    if (cursor !== undefined) this.#take(this.#target, `id: ${cursor}\n\n`)
  }

  stall () {
    this.isStalled = true
  }

  resume () {
    this.isStalled = false
    for (const text of this.#waiting.splice(0)) this.#read(text)
    this.#wake()
  }

  #wake () {
    for (const wake of this.#wakes.splice(0)) wake()
  }

  #take (target, text) {
    if (target !== this.#target) return
    if (this.isStalled) this.#waiting.push(text)
    else this.#read(text)
  }

  #read (text) {
    for (const frame of text.split('\n\n').slice(0, -1)) {
      const fields = Object.fromEntries(frame.split('\n').map(line => line.split(/: (.*)/)))
      if (fields.id !== undefined) this.cursor = fields.id
      if (fields.data !== undefined) this.events.push(fields)
    }
  }
}

const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('publish'), on: fc.constantFrom('a', 'a', 'b'), count: fc.integer({ min: 1, max: 8 }), audience: fc.constantFrom(undefined, undefined, 'ann', 'bob'), ownId: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('publish'), on: fc.constant('a'), count: fc.integer({ min: 90, max: 230 }), audience: fc.constantFrom(undefined, 'ann'), ownId: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('toggle', 'toggle', 'stall', 'resume', 'heartbeat'), client: fc.nat(4) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('turn', 'wait') }) }
)

const isVisible = (kind, audience) => audience === undefined || (kind === 'ann' && audience === 'ann')

const sequenceOf = cursor => Number(cursor?.split('-').at(-1))

/** Runs commands, and compares what clients got with what was published. */
async function runModel (commands, engine, history) {
  const channels = { a: buildChannel(engine, { history }, 'a').channel, b: buildChannel(engine, { history }, 'b').channel }
  const published = { a: [], b: [] }
  const kept = { a: 0, b: 0 }
  for (const name of ['a', 'b']) engine.listen(name, () => { kept[name]++ })
  const { a, b } = channels
  const ann = { filter: audience => audience === 'ann' }
  const clients = [
    { kind: 'all', on: ['a'], client: new Client(a) },
    { kind: 'all', on: ['a'], client: new Client(a) },
    { kind: 'ann', on: ['a'], client: new Client(a.subscribe(ann)) },
    { kind: 'all', on: ['a', 'b'], client: new Client(merge(a, b)) },
    { kind: 'ann', on: ['b', 'a'], client: new Client(merge(b.subscribe(ann), a.subscribe(ann))) }
  ]
  const pending = []
  const connect = each => {
    // Until it is told where it starts, it may start anywhere from here on.
    if (each.client.cursor === '') each.from = { ...kept }
    each.client.connect()
  }
  const look = () => {
    for (const each of clients) {
      const isTold = each.on.length === 1 ? each.client.cursor !== '' : /^.+~.+$/.test(each.client.cursor)
      if (isTold) each.to ??= { a: published.a.length, b: published.b.length }
    }
  }
  for (const { do: action, client: index, on, count, audience, ownId } of commands) {
    const each = clients[index]
    if (action === 'publish') {
      for (let n = 0; n < count; n++) {
        const number = published[on].push(audience)
        const id = ownId ? `own${on}${number}` : undefined
        pending.push(channels[on].publish({ data: `${on}${number}`, id }, { audience }))
      }
    } else if (action === 'toggle') {
      if (each.client.isConnected) each.client.disconnect()
      else connect(each)
    } else if (action === 'turn') {
      await turn()
    } else if (action === 'wait') {
      await wait(2)
    } else if (action !== 'heartbeat') {
      each.client[action]()
    } else if (each.client.isConnected) {
      each.client.heartbeat()
    }
    look()
  }
  await Promise.all(pending)
  for (const each of clients) {
    each.client.resume()
    if (!each.client.isConnected) connect(each)
    look()
  }
  await until(() => clients.every(each => {
    look()
    return each.to !== undefined
  }))
  const ends = {}
  for (const name of ['a', 'b']) {
    published[name].push(undefined)
    ends[name] = sequenceOf(await channels[name].publish({ data: `${name}${published[name].length}` }))
  }
  // The cursor tells, because the last event may fall into the gap of one who has just come back.
  await until(() => clients.every(({ client, on }) => client.error !== undefined ||
    on.every((name, n) => sequenceOf(client.cursor.split('~')[n]) === ends[name])), 'everyone has come to the end of each channel')
  await wait(3)
  for (const { kind, on, client, from, to } of clients) {
    if (client.error !== undefined) throw client.error
    client.disconnect()
    for (const name of on) check(client.events, { name, kind, published: published[name], from: from[name], to: to[name], canGap: history < 1000 })
  }
  if (a.size + b.size !== 0) throw new Error('a reader was left behind')
  await engine.close()
}

/** Holes may only be where the client was told of a gap. */
function check (events, { name, kind, published, from, to, canGap }) {
  const complain = problem => { throw new Error(`${problem} on ${name} (${kind}, ${from} to ${to}): ${events.map(({ event, data }) => event ?? data).join(' ')}`) }
  let last
  let isGap = false
  for (const { event, data } of events) {
    if (event === 'chirp:gap') {
      if (!canGap) complain('a gap')
      isGap = true
      continue
    }
    if (!data.startsWith(name)) continue
    const number = Number(data.slice(1))
    if (!isVisible(kind, published[number - 1])) complain(`${data} is foreign`)
    if (last !== undefined && number <= last) complain(`${data} is late or doubled`)
    if (last === undefined && number <= from) complain(`${data} is from before`)
    for (let n = (last ?? to) + 1; n < number; n++) if (!isGap && isVisible(kind, published[n - 1])) complain(`${name}${n} is missing`)
    last = number
    isGap = false
  }
  if (last !== published.length && !isGap) complain('the end is missing')
}

// fast-check prints the seed and the smallest case that fails; FC_SEED tries another.
const seed = process.env.FC_SEED === undefined ? 1 : Number(process.env.FC_SEED)

for (const [name, history, numRuns] of [
  ['memory', 5000, 150], ['memory', 4, 150], ['async', 5000, 40], ['async', 4, 40], ['async that lags', 5000, 40], ['async that lags', 4, 40]
]) {
  t.test(`clients that come, stall, leave and come back: ${name}, history of ${history}`, async t => {
    await fc.assert(fc.asyncProperty(fc.array(command, { minLength: 5, maxLength: 60 }), commands => runModel(commands, ENGINES[name](), history)),
      { seed, numRuns, interruptAfterTimeLimit: 8000, endOnFailure: false })
    t.pass('nothing was lost, doubled or out of order')
  })
}

for (const name of ['memory', 'async', 'async that lags']) {
  t.test(`replay while publishers keep publishing: ${name}`, async t => {
    const { channel, errors } = buildChannel(ENGINES[name](), { history: 100000 })
    const first = await channel.publish({ data: '0' })
    let count = 0
    const publishers = [1, 2, 3].map(async () => {
      while (count < 2500) {
        for (let n = 0; n < 5; n++) channel.publish({ data: String(++count) })
        await wait(1)
      }
    })
    await until(() => count > 500)
    const clients = []
    for (let n = 0; n < 40; n++) {
      const client = new Client(channel)
      client.cursor = first
      client.connect()
      clients.push(client)
      await turn()
      // Some are cut in the middle of their replay.
      if (n % 3 === 0) {
        client.disconnect()
        client.connect()
      }
    }
    t.ok(count < 2500, 'events are still coming')
    await Promise.all(publishers)
    await until(() => clients.every(({ events }) => events.at(-1)?.data === String(count)))
    const wanted = Array.from({ length: count }, (_, n) => String(n + 1))
    for (const { events } of clients) t.same(events.map(({ data }) => data), wanted)
    t.equal(channel.size, 40)
    t.same(errors, [])
  })
}

t.test('an engine that does not answer', async t => {
  class Target {
    errors = []
    dialect = htmx2
    isBlocked = false
    ends = 0
    sent = ''
    send (text) { this.sent += text }
    share ({ text }) { this.sent += text }
    flush () {}
    async whenDrained () {}
    ended () { this.ends++ }
    failed (error) { this.errors.push(error.message) }
  }

  t.test('fails the streams that wait for it, unless they have left', async t => {
    const engine = new MemoryEngine()
    const { channel } = buildChannel(engine)
    const reads = []
    engine.read = () => new Promise((resolve, reject) => { reads.push({ resolve, reject }) })
    const [fresh, back, gone, goneToo] = [new Target(), new Target(), new Target(), new Target()]
    const attachments = [channel[kAttach](fresh, ''), channel[kAttach](back, 'x'), channel[kAttach](gone, 'x'), channel[kAttach](goneToo, '')]
    attachments[2].detach()
    attachments[3].detach()
    for (const { reject } of reads) reject(new Error('down'))
    await turn()
    t.same([fresh, back, gone, goneToo].map(({ errors }) => errors), [['down'], ['down'], [], []])
    for (const attachment of attachments) attachment.detach()
    t.equal(channel.size, 0)
  })

  t.test('is not asked for more by those who have left', async t => {
    const engine = new MemoryEngine()
    const { channel } = buildChannel(engine)
    const { read } = engine
    let answer
    let asked = 0
    engine.read = async (...values) => {
      asked++
      await new Promise(resolve => { answer = resolve })
      return read.apply(engine, values)
    }
    const first = await channel.publish({ data: 'one' })
    await channel.publish({ data: 'two' })
    for (const cursor of ['', first]) {
      const target = new Target()
      const attachment = channel[kAttach](target, cursor)
      attachment.detach()
      answer()
      await turn()
      t.notMatch(target.sent, /data/)
    }
    t.equal(asked, 2)
    t.equal(channel.size, 0)
  })

  t.test('a client that leaves while its replay waits for it to read', async t => {
    const { channel } = buildChannel(new MemoryEngine())
    const first = await channel.publish({ data: '0' })
    for (let n = 1; n <= 250; n++) channel.publish({ data: String(n) })
    const client = new Client(channel)
    client.cursor = first
    client.stall()
    client.connect()
    await turn()
    t.equal(channel.size, 0, 'it is not live yet')
    client.disconnect()
    await turn()
    t.equal(channel.size, 0)
    client.resume()
    client.connect()
    await until(() => client.events.length === 250)
    t.same(client.events.map(({ data }) => Number(data)), Array.from({ length: 250 }, (_, n) => n + 1))
    client.disconnect()
  })
})

t.test('values for a slow client', async t => {
  const status = data => ({ event: 'status', data: String(data) })

  t.test('are skipped up to the newest in a merged stream too, and other events are not', async t => {
    const engine = new MemoryEngine()
    const [values, events] = [buildChannel(engine, { latest: true }, 'values').channel, buildChannel(engine, {}, 'events').channel]
    const client = new Client(merge(values, events))
    client.connect()
    client.stall()
    for (let n = 1; n <= 20; n++) {
      values.publish(status(n))
      events.publish({ data: `event ${n}` })
      await turn()
    }
    client.resume()
    await turn()
    t.same(client.events.filter(({ event }) => event === 'status').map(({ data }) => data), ['1', '20'])
    t.same(client.events.filter(({ event }) => event === undefined).map(({ data }) => data), Array.from({ length: 20 }, (_, n) => `event ${n + 1}`))
    await values.publish(status('live'))
    await turn()
    t.equal(client.events.at(-1).data, 'live')
    client.disconnect()
  })

  t.test('a filter that throws when it has caught up ends its stream', async t => {
    const { channel } = buildChannel(new MemoryEngine(), { latest: true })
    const client = new Client(channel.subscribe({ filter: () => { throw new Error('filter') } }))
    client.connect()
    client.stall()
    channel.publish(status(1))
    await turn()
    channel.publish(status(2), { audience: 'ann' })
    await turn()
    t.equal(client.error, undefined)
    client.resume()
    await turn()
    t.match(client.error, { message: 'filter' })
    client.disconnect()
    t.equal(channel.size, 0)
  })
})

const COUNTING_CLIENTS = `
import net from 'node:net'
const [port, count] = process.argv.slice(1).map(Number)
const counts = new Array(count).fill(0)
let open = 0, done = 0, closing = 0, closed = 0, connecting = 0
const say = message => process.stdout.write(JSON.stringify(message) + '\\n')
function connect (n) {
  let rest = ''
  let isOpen = false
  const socket = net.connect(port, '127.0.0.1')
  socket.setEncoding('latin1')
  socket.write('GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n')
  socket.on('data', text => {
    text = rest + text
    const end = text.lastIndexOf('\\n\\n') + 2
    rest = text.slice(end)
    text = text.slice(0, end)
    if (!isOpen && text.includes(': open')) {
      isOpen = true
      if (++open === count) say({ open })
      if (connecting < count) connect(connecting++)
    }
    counts[n] += text.split('data: event').length - 1
    if (text.includes('data: end')) if (++done === count) report()
    if (text.includes('event: chirp:closing')) closing++
  })
  socket.on('error', () => {})
  socket.on('close', () => { if (++closed === count) say({ closing, counts: tally() }) })
}
const tally = () => { const tally = {}; for (const n of counts) tally[n] = (tally[n] ?? 0) + 1; return tally }
function report () { done = 0; say({ counts: tally() }); counts.fill(0) }
while (connecting < Math.min(count, 100)) connect(connecting++)
`

t.test('five thousand connections on one process', async t => {
  const files = execSync('ulimit -n', { shell: '/bin/sh' }).toString().trim()
  const connections = files === 'unlimited' ? 5000 : Math.min(5000, Number(files) - 200)
  const app = await buildApp(t, { writeTimeout: 30000, shutdownGrace: 5000 }, { logger: false })
  const channel = app.channel('a', { history: 100 })
  app.get('/', { referenced: true }, (request, reply) => reply.eventStream(channel))
  const port = await listen(app)
  const before = heapUsed()
  const child = spawn(process.execPath, ['--input-type=module', '-e', COUNTING_CLIENTS, String(port), String(connections)],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { PATH: process.env.PATH } })
  t.teardown(() => child.kill())
  const messages = []
  createInterface(child.stdout).on('line', line => messages.push(JSON.parse(line)))
  const hear = async timeout => {
    await until(() => messages.length > 0, 'the clients have what they wait for', timeout)
    return messages.shift()
  }
  t.same(await hear(30000), { open: connections })
  t.equal(channel.size, connections)
  const idle = (heapUsed() - before) / connections
  t.ok(idle < 25000, `${Math.round(idle)} bytes of heap for each connection`)

  await channel.publish('event one')
  await turn()
  await channel.publish('end')
  t.same(await hear(20000), { counts: { 1: connections } }, 'one publish reaches all exactly once')

  for (let n = 0; n < 20; n++) {
    channel.publish(`event ${'x'.repeat(2000)}`)
    await channel.publish(`event ${'y'.repeat(2000)}`)
    await turn()
  }
  await channel.publish('end')
  t.same(await hear(30000), { counts: { 40: connections } })
  const busy = (heapUsed() - before) / connections
  t.ok(busy < 30000, `${Math.round(busy)} bytes of heap for each connection afterwards`)
  t.equal(app.eventStreams.dropped, 0)

  // The app closes while events are on their way.
  channel.publish('event last')
  await turn()
  channel.publish('event last')
  const closed = app.close()
  const start = Date.now()
  t.same(await hear(20000), { closing: connections, counts: { 2: connections } })
  await closed
  t.ok(Date.now() - start < 10000)
  t.equal(channel.size, 0)
  t.equal(app.eventStreams.open, 0)
  await t.rejects(channel.publish('x'), { code: 'FST_CHIRP_CHANNEL_CLOSED' })
})

t.test('who leaves in the middle of a broadcast takes nobody along', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a')
  app.get('/', (request, reply) => reply.eventStream(channel))
  const client = new TestClient(app, { listen: true })
  await listen(app)
  const streams = await Promise.all(Array.from({ length: 30 }, () => client.open('/')))
  for (let n = 0; n < 60; n++) {
    channel.publish(n)
    if (n % 3 === 0) streams[n / 3].close()
    await turn()
  }
  await until(() => channel.size === 10)
  for (const stream of streams.slice(20)) {
    const events = []
    while (events.length < 60) events.push(Number((await stream.next()).data))
    t.same(events, Array.from({ length: 60 }, (_, n) => n))
    stream.close()
  }
  t.equal(app.eventStreams.errors, 0)
})
