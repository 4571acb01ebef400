// Random viewers of any form, who come, leave and come back: nobody gets the HTML of another one.
import fc from 'fast-check'
import t from 'tap'
import { kAttach, merge } from 'fastify-chirp'
import { until } from '../helpers/app.js'
import { Client } from '../helpers/engines.js'
import { AsyncEngine } from '../helpers/engine.js'
import { block, buildViewers } from '../helpers/viewers.js'

t.setTimeout(100000)

// Names and values that have tripped up caches keyed by what is no key.
const name = fc.oneof(fc.constantFrom('__proto__', 'constructor', 'toString', 'role', 'viewer', 'hasOwnProperty', '\u2028', '</script>', '~', '\r'), fc.string({ maxLength: 3, unit: 'binary' }))
const leaf = fc.oneof(fc.constantFrom(0, -0, '0', null, 'null', true, 'true', '', '{}', 1e21, 'undefined', '\ud800'), fc.string({ maxLength: 4, unit: 'binary' }), fc.integer({ min: -2, max: 2 }))
const { value: viewer } = fc.letrec(tie => ({
  value: fc.oneof({ maxDepth: 3, withCrossShrink: true }, leaf, fc.array(tie('value'), { maxLength: 3 }), tie('object')),
  object: fc.array(fc.tuple(name, tie('value')), { maxLength: 3 }).map(fields => {
    const object = {}
    for (const [name, value] of fields) Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
    return object
  })
}))

/** The same with the names in the other order. */
function turned (value) {
  if (Array.isArray(value)) return value.map(turned)
  if (typeof value !== 'object' || value === null) return value
  const object = {}
  for (const [name, field] of Object.entries(value).reverse()) Object.defineProperty(object, name, { value: turned(field), enumerable: true })
  return object
}

const command = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('publish', 'publish', 'late', 'fails'), count: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom('toggle', 'toggle', 'stall', 'resume', 'heartbeat'), client: fc.nat(7) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('turn', 'release', 'release all') }) }
)

/** An order of the fields that does not depend on how they came: what `dump` shows a template, and what a client can check. */
const same = (one, other) => JSON.stringify(sorted(one)) === JSON.stringify(sorted(other))

function sorted (value) {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return { fields: Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1).map(([name, field]) => [name, sorted(field)]) }
}

async function run (t, viewers, commands, engine) {
  const { app, channel, waiting, release } = await buildViewers(t, { plugin: engine === undefined ? {} : { engine } })
  const other = app.channel('b', { viewer: true })
  const all = viewers.flatMap(viewer => [viewer, turned(viewer)])
  const clients = all.map((viewer, n) => {
    const own = channel.subscribe({ viewer })
    return { viewer, client: new Client(n % 3 === 2 ? merge(own, other.subscribe({ viewer: 'of b' })) : own) }
  })
  const published = []
  const pending = []
  const publish = (kind, count) => {
    for (let k = 0; k < count; k++) {
      const n = published.push(kind)
      pending.push(channel.publish(block(kind === 'publish' ? 'whole' : 'late', { n: kind === 'fails' ? `!${n}` : n, viewer: 'of the context' })))
      if (n % 4 === 0) pending.push(other.publish(block('whole', { n: 'b' })))
    }
  }
  for (const { client } of clients) client.connect()
  await until(() => clients.every(({ client }) => client.cursor !== ''))
  for (const { do: action, client: index, count } of commands) {
    const each = clients[index % clients.length]?.client
    if (['publish', 'late', 'fails'].includes(action)) publish(action, count)
    else if (action === 'turn') await new Promise(setImmediate)
    else if (action === 'release') release(2)
    else if (action === 'release all') release()
    else if (action === 'toggle') each.isConnected ? each.disconnect() : each.connect()
    else if (action !== 'heartbeat') each[action]()
    else if (each.isConnected) each.heartbeat()
  }
  const timer = setInterval(release, 1)
  try {
    await Promise.all(pending)
    for (const { client } of clients) {
      client.resume()
      if (!client.isConnected) client.connect()
    }
    publish('publish', 1)
    await pending.at(-1)
    const isDone = client => client.error !== undefined || client.events.some(({ data }) => data.endsWith(` ${published.length}`))
    await until(() => clients.every(({ client }) => isDone(client)), 'everyone has the last event')
  } finally {
    clearInterval(timer)
  }
  for (const { viewer, client } of clients) {
    if (client.error !== undefined) throw client.error
    client.disconnect()
    const wanted = published.flatMap((kind, n) => kind === 'fails' ? [] : [n + 1])
    const got = []
    for (const { data } of client.events) {
      const [, json, n] = data.match(/^(.*) (\w+)$/s)
      if (n === 'b' ? json !== '"of b"' : !same(JSON.parse(json), viewer)) throw new Error(`${JSON.stringify(viewer)} got ${data}`)
      if (n !== 'b') got.push(Number(n))
    }
    if (got.join() !== wanted.join()) throw new Error(`${got} instead of ${wanted}`)
  }
  if (channel.size + other.size + waiting.length !== 0) throw new Error('something is left')
  await app.close()
}

for (const [title, engine] of [['memory', () => undefined], ['an engine that takes its time', () => new AsyncEngine()]]) {
  t.test(`nobody gets the HTML of another viewer: ${title}`, async t => {
    await fc.assert(fc.asyncProperty(fc.uniqueArray(viewer, { minLength: 1, maxLength: 4, selector: value => JSON.stringify(sorted(value)) }),
      fc.array(command, { maxLength: 40 }), (viewers, commands) => run(t, viewers, commands, engine())), { numRuns: 60 })
  })
}

t.test('viewers are equal when their JSON is', async t => {
  const { channel, rendered } = await buildViewers(t)
  const target = { dialect: undefined, isBlocked: false, send () {}, share () {}, flush () {}, ended () {}, failed (error) { throw error } }
  await fc.assert(fc.asyncProperty(viewer, async viewer => {
    const texts = []
    const outlet = { ...target, dialect: { name: 'x', form: () => 'plain', encode: () => '' }, share: ({ text }) => { texts.push(text) } }
    const attached = [viewer, turned(viewer), JSON.parse(JSON.stringify(viewer))].map(viewer => channel.subscribe({ viewer })[kAttach](outlet, ''))
    const before = rendered.count
    await channel.publish(block('whole', { n: 1 }))
    await new Promise(setImmediate)
    for (const attachment of attached) attachment.detach()
    if (texts.length !== 3 || new Set(texts).size !== 1 || rendered.count !== before + 1) throw new Error(`${texts} by ${rendered.count - before} renders`)
  }))
})
