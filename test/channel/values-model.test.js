// Random publications, removals and clients of channels with `ttl`, `latest` and `every`: what clients get is what a model says.
import fc from 'fast-check'
import t from 'tap'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { settle, stopClock } from '../helpers/clock.js'
import { AsyncEngine } from '../helpers/engine.js'
import { buildChannel, Client } from '../helpers/engines.js'

// An engine that waits for turns of the loop, and not for time, which stands still.
const random = fraction => () => { fraction = (fraction * 7.3 + 0.1) % 0.8; return fraction }
const ENGINES = { memory: () => new MemoryEngine(), async: () => new AsyncEngine({ random: random(0.3) }), 'async that lags': () => new AsyncEngine({ random: random(0.5), lag: true }) }

const key = fc.constantFrom('x', 'y', 'z')
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('publish'), key, count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('remove'), key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('toggle', 'toggle', 'stall', 'resume'), client: fc.nat(2) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass'), time: fc.integer({ min: 1, max: 400 }) }) }
)
const commands = fc.array(command, { minLength: 3, maxLength: 50 })

const seed = process.env.FC_SEED === undefined ? 1 : Number(process.env.FC_SEED)

/** What a channel keeps, as simple as it can be told. */
class Model {
  #values = new Map()
  constructor (ttl) { this.ttl = ttl }
  publish (key, number) {
    this.#values.delete(key)
    this.#values.set(key, { number, time: Date.now() })
  }

  remove (key) {
    this.#values.delete(key)
  }

  now () {
    return [...this.#values].filter(([, { time }]) => Date.now() - time < this.ttl).map(([key, { number }]) => `${key} ${number}`)
  }
}

const shown = events => events.map(({ event, data }) => `${event} ${data}`)

async function runValues (commands, create, options, { pass, timers }) {
  const engine = create()
  const { channel, errors } = buildChannel(engine, { latest: true, ...options })
  try {
    await follow(commands, channel, options, pass)
  } finally {
    channel.close()
    await settle()
    engine.close()
    await settle()
  }
  if (errors.length > 0) throw errors[0]
  if (timers.size > 0) throw new Error('a timer was left behind')
}

async function follow (commands, channel, { ttl, every }, pass) {
  const model = new Model(ttl ?? Infinity)
  const clients = [0, 1, 2].map(() => ({ client: new Client(channel), seen: 0, wasStalled: false }))
  for (const { client } of clients) client.connect()
  await settle()
  let number = 0
  const complain = (problem, { events }) => { throw new Error(`${problem}: ${shown(events).join(', ')}`) }
  for (const { do: action, key, count, client: index, time } of commands) {
    const each = clients[index]
    const before = model.now()
    const first = number + 1
    const pending = []
    if (action === 'publish') {
      for (let n = 0; n < count; n++) {
        pending.push(channel.publish({ event: key, data: String(++number) }))
        model.publish(key, number)
      }
    } else if (action === 'remove') {
      pending.push(channel.remove(key))
      model.remove(key)
    } else if (action === 'pass') {
      await pass(time)
    } else if (action === 'toggle') {
      if (each.client.isConnected) {
        each.client.disconnect()
      } else {
        each.client.isStalled = each.wasStalled = false
        each.client.events = []
        each.seen = 0
        each.client.connect()
        await settle()
        const snapshot = model.now()
        if (JSON.stringify(shown(each.client.events)) !== JSON.stringify(snapshot)) complain(`a snapshot is not ${snapshot.join(', ')}`, each.client)
      }
    } else {
      each.client[action]()
      each.wasStalled = true
    }
    // A publication is heard before the next thing happens, which the model does not describe.
    await Promise.all(pending)
    await settle()
    for (const each of clients) {
      const { client, seen, wasStalled } = each
      each.seen = client.events.length
      for (const { event, data } of wasStalled ? [] : client.events.slice(seen)) {
        if (Number(data) < first && !before.includes(`${event} ${data}`)) complain(`${event} ${data} is not the value any more`, client)
      }
    }
  }
  for (const { client } of clients) {
    client.resume()
    if (!client.isConnected) {
      client.events = []
      client.connect()
    }
  }
  await settle()
  await pass(every ?? 0)
  const end = model.now()
  for (const { client } of clients) {
    // Numbers grow: nothing is sent twice, and nothing that is older than what was sent of its name.
    const last = new Map()
    for (const { event, data } of client.events) {
      if (Number(data) <= (last.get(event) ?? 0)) complain(`${event} ${data} is late or doubled`, client)
      last.set(event, Number(data))
    }
    for (const text of end) {
      const [name, number] = text.split(' ')
      if (last.get(name) !== Number(number)) complain(`the end is not ${text}`, client)
    }
    client.disconnect()
  }
}

for (const [name, create] of Object.entries(ENGINES)) {
  for (const options of [{}, { ttl: 500 }, { every: 300 }, { ttl: 500, every: 300 }]) {
    t.test(`values that are published, removed, grow old: ${name}, ${JSON.stringify(options)}`, async t => {
      const clock = stopClock(t)
      await fc.assert(fc.asyncProperty(commands, commands => runValues(commands, create, options, clock)), { seed, includeErrorInReport: true, numRuns: name === 'memory' ? 60 : 20 })
      t.pass('all was as the model says')
    })
  }

  t.test(`history that grows old: ${name}`, async t => {
    const { pass, timers } = stopClock(t)
    const step = fc.oneof(fc.record({ do: fc.constant('publish'), own: fc.boolean() }), fc.record({ do: fc.constant('pass'), time: fc.integer({ min: 1, max: 300 }) }))
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 8 }), async (steps, history) => {
      const engine = create()
      const { channel } = buildChannel(engine, { ttl: 500, history })
      const published = []
      for (const { do: action, own, time } of steps) {
        if (action === 'pass') {
          await pass(time)
        } else {
          const number = published.length
          const id = channel.publish({ data: String(number), ...(own && { id: `own${number}` }) })
          await settle()
          published.push({ id: await id, time: Date.now() })
        }
      }
      for (const [n, { id }] of published.entries()) {
        const missed = published.slice(n + 1)
        const isKnown = missed.length <= history && missed.every(({ time }) => Date.now() - time < 500)
        const client = new Client(channel)
        client.cursor = id
        client.connect()
        await settle()
        const got = client.events.map(({ event, data }) => event ?? data)
        const wanted = isKnown ? missed.map((_, m) => String(n + 1 + m)) : ['chirp:gap']
        if (JSON.stringify(got) !== JSON.stringify(wanted)) throw new Error(`${id} got ${got}, and not ${wanted}`)
        client.disconnect()
      }
      channel.close()
      await settle()
      engine.close()
      await settle()
      if (timers.size > 0) throw new Error('a timer was left behind')
    }), { seed, includeErrorInReport: true, numRuns: name === 'memory' ? 60 : 20 })
    t.pass('all was as the model says')
  })
}
