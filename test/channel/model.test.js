// Random clients of channels that come, stall, leave and come back, on each engine: what they get is what a model says.
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { merge } from 'fastify-chirp'
import { quiet, until } from '../helpers/app.js'
import { buildChannel, Client, ENGINES } from '../helpers/engines.js'

// Slow machines take their time for thousands of connections.
t.setTimeout(100000)

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
      await pause(2)
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
  await quiet(3)
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
        await pause(1)
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
