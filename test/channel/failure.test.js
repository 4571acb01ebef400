// Channels when clients are slow, leave and come back, or an engine does not answer.
import { once } from 'node:events'
import http from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { merge, SSEEvent } from 'fastify-chirp'
import { htmx2 } from '../../dist/dialects/htmx2.js'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { kAttach } from '../../dist/stream/feed.js'
import { EventStreamParser } from '../../dist/testing/parser.js'
import { buildApp, listen, until } from '../helpers/app.js'
import { buildChannel, Client } from '../helpers/engines.js'

// Slow machines take their time for thousands of connections.
t.setTimeout(100000)

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
  await until(() => browser.connections === 2, 'it comes back')
  await publish(20, 1000)
  await until(() => browser.events.length >= count, `all ${count} arrive`)
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
