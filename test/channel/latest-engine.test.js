// Engines that keep the newest values: a process that starts later has them.
import t from 'tap'
import { TestClient } from 'fastify-chirp/testing'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { buildApp, until } from '../helpers/app.js'
import { settle, stopClock } from '../helpers/clock.js'
import { AsyncEngine, engineWith } from '../helpers/engine.js'
import { buildChannel, Client } from '../helpers/engines.js'

const shown = ({ events }) => events.map(({ event, data }) => `${event} ${data}`)

function connect (source) {
  const client = new Client(source)
  client.connect()
  return client
}

const stored = (n, event, data, fields) => ({ position: `e-${n}`, previous: `e-${n - 1}`, record: { version: 1, event, data }, ...fields })

/** A channel whose engine is played by the test. */
function played (t, options) {
  const clock = stopClock(t)
  const asked = []
  let tell
  const engine = engineWith({
    latest: () => new Promise((resolve, reject) => asked.push({ resolve, reject })),
    listen: (topic, listener) => { tell = listener; return () => {} }
  })
  return { ...clock, ...buildChannel(engine, { latest: true, ...options }), asked, tell: event => tell(event) }
}

for (const lag of [false, true]) {
  t.test(`a process that starts later has the values from before${lag ? ', also if listeners lag' : ''}`, async t => {
    const engine = new AsyncEngine({ lag })
    engine.open = undefined
    const apps = [await buildApp(t, { engine })]
    const here = apps[0].channel('a', { latest: true })
    await here.publish({ event: 'x', data: 'no event' })
    const { SSEEvent } = await import('fastify-chirp')
    await here.publish(new SSEEvent({ event: 'x', data: '1' }))
    await here.publish(new SSEEvent({ event: 'y', data: '1' }))
    await here.publish(new SSEEvent({ event: 'z', data: '1' }), { audience: 'ann' })
    await here.publish(new SSEEvent({ event: 'x', data: '2' }))
    await here.remove('y')
    apps.push(await buildApp(t, { engine }))
    const there = apps[1].channel('a', { latest: true })
    apps[1].get('/', (request, reply) => reply.eventStream(there))
    const stream = await new TestClient(apps[1]).open('/')
    const events = [await stream.next(), await stream.next()]
    t.same(events.map(({ event, data }) => [event, data]), [[undefined, '{"event":"x","data":"no event"}'], ['x', '2']])
    await here.publish(new SSEEvent({ event: 'y', data: '3' }))
    t.equal((await stream.next()).data, '3')
    stream.close()
  })
}

t.test('what was heard is newer than what the engine says, and the rest is added in the order of the events', async t => {
  const { channel, asked, tell } = played(t)
  const client = connect(channel)
  tell(stored(5, 'x', 'heard'))
  await settle()
  t.same(client.events, [], 'it waits')
  tell(stored(6, 'gone', 'heard'))
  tell(stored(7, undefined, undefined, { record: { version: 1, key: 'gone', removes: true } }))
  asked[0].resolve([stored(1, 'a', 'old'), stored(2, 'x', 'old'), stored(3, 'gone', 'old'), stored(4, 'b', 'old')])
  await settle()
  t.same(shown(client), ['a old', 'b old', 'x heard'])
  tell(stored(8, 'b', 'new'))
  await settle()
  t.equal(shown(client).at(-1), 'b new')
  t.same(shown(connect(channel)), ['a old', 'x heard', 'b new'])
  t.equal(asked.length, 1, 'it is asked once')
})

t.test('an engine that fails is told, the reader gets what is known here, and it is tried again', async t => {
  const { channel, asked, tell, pass, timers, errors } = played(t)
  const client = connect(channel)
  tell(stored(5, 'x', 'heard'))
  asked[0].reject(new Error('out of reach'))
  await settle()
  t.same(shown(client), ['x heard'])
  t.match(errors, [{ message: 'out of reach' }])
  t.equal(timers.size, 1)
  await pass(500)
  t.equal(asked.length, 2)
  asked[1].reject(new Error('out of reach'))
  await settle()
  await pass(999)
  t.equal(asked.length, 2)
  const second = connect(channel)
  t.equal(asked.length, 3, 'for a new reader at once')
  asked[2].resolve([stored(1, 'a', 'old'), stored(2, 'x', 'old')])
  await settle()
  t.same(shown(client), ['x heard', 'a old'], 'who is there gets what is news')
  t.same(shown(second), ['a old', 'x heard'])
  await pass(60000)
  t.equal(asked.length, 3)
  t.equal(timers.size, 0)
})

t.test('it is not tried for nobody, and a channel that closes tries no more', async t => {
  const { channel, asked, pass, timers } = played(t)
  const client = connect(channel)
  asked[0].reject(new Error('out of reach'))
  await settle()
  client.disconnect()
  await pass(500)
  t.equal(asked.length, 1)
  t.equal(timers.size, 0)
  const [gone, stays] = [connect(channel), connect(channel)]
  gone.disconnect()
  asked[1].reject(new Error('out of reach'))
  await settle()
  t.equal(channel.size, 1)
  channel.close()
  t.equal(timers.size, 0)
  stays.disconnect()
})

for (const outcome of ['resolve', 'reject']) {
  t.test(`a channel that closes while it asks ends its readers: ${outcome}`, async t => {
    const { channel, asked, errors } = played(t)
    const entries = channel.subscribe()[Symbol.asyncIterator]()
    channel.close()
    asked[0][outcome]([])
    t.same(await entries.next(), { done: true, value: undefined })
    t.same(errors, [])
  })
}

t.test('events that were lost: the engine is asked again, and only what has changed is sent', async t => {
  const { channel, asked, tell } = played(t)
  const client = connect(channel)
  asked[0].resolve([stored(1, 'a', '1'), stored(2, 'b', '1'), stored(3, 'c', '1')])
  await settle()
  tell(stored(4, 'd', '1'))
  tell(stored(8, 'd', '2'))
  t.equal(asked.length, 2)
  tell(stored(12, 'e', '1'))
  t.equal(asked.length, 3, 'more was lost')
  asked[1].resolve([stored(1, 'a', '1')])
  await settle()
  tell(stored(13, 'a', '2'))
  asked[2].resolve([stored(1, 'a', '1'), stored(6, 'b', '2'), stored(8, 'd', '2')])
  await settle()
  t.same(shown(client), ['a 1', 'b 1', 'c 1', 'd 1', 'd 2', 'e 1', 'a 2', 'b 2'])
  t.same(shown(connect(channel)), ['b 2', 'd 2', 'e 1', 'a 2'])
})

t.test('an engine without it: who follows a channel of values is told of what was lost, also before the first event', async t => {
  let tell
  const { channel } = buildChannel(engineWith({ listen: (topic, listener) => { tell = listener; return () => {} } }), { latest: true })
  tell(stored(1, 'a', '1'))
  const client = connect(channel)
  await settle()
  tell(stored(4, 'a', '2'))
  await settle()
  t.same(client.events.map(({ event }) => event), ['a', 'chirp:gap', 'a'])
})

t.test('values that are loaded grow old by their own time', async t => {
  const { channel, asked, pass, timers } = played(t, { ttl: 1000 })
  const client = connect(channel)
  asked[0].resolve([stored(1, 'a', '1', { time: Date.now() - 600 }), stored(2, 'b', '1', { time: Date.now() - 300 }), stored(3, 'c', '1')])
  await settle()
  t.same(shown(client), ['a 1', 'b 1', 'c 1'])
  await pass(400)
  t.same(shown(connect(channel)), ['b 1', 'c 1'])
  await pass(600)
  t.same(shown(connect(channel)), [])
  await pass(1000)
  t.equal(timers.size, 0)
})

t.test('what latest() gives is checked', async t => {
  const memory = new MemoryEngine()
  for (const [given, message] of [['x', /a list of events, not the string/], [[5], /an event, not 5/], [[{}], /"position"/], [new Error('away'), /away/]]) {
    const app = await buildApp(t, { engine: engineWith({ async latest () { if (given instanceof Error) throw given; else return given } }) })
    app.get('/', (request, reply) => reply.eventStream(app.channel('a', { latest: true })))
    const stream = await new TestClient(app).open('/')
    await until(() => app.eventStreams.errors === 1)
    const [line] = app.log.lines.filter(({ level }) => level === 50)
    t.match(line, { err: { code: 'FST_CHIRP_ENGINE', message }, msg: 'the values of channel "a" from before are not known' })
    stream.close()
  }
  const app = await buildApp(t, { engine: engineWith({ latest: () => [stored(1, 'a', '1'), { ...stored(2, 'b', '1'), record: { version: 2 } }] }) })
  app.get('/', (request, reply) => reply.eventStream(app.channel('a', { latest: true })))
  const stream = await new TestClient(app).open('/')
  t.equal((await stream.next()).data, '1')
  stream.close()
  const { default: Fastify } = await import('fastify')
  const { default: chirp } = await import('fastify-chirp')
  await t.rejects(async () => { await Fastify().register(chirp, { engine: engineWith({ latest: 5, read: memory.read }) }) }, { code: 'FST_CHIRP_OPTION', message: /latest\(\) of it is not a method/ })
})

t.test('an engine gets what it needs to keep values', async t => {
  const memory = new MemoryEngine()
  const publications = []
  const app = await buildApp(t, { engine: engineWith({ publish (topic, publication) { publications.push(publication); return { ...memory.publish(topic, publication), time: 5 } } }) })
  const channel = app.channel('a', { latest: true, ttl: 7 })
  await channel.publish({ n: 1 }, { audience: { user: 'ann' } })
  await channel.remove('x')
  t.match(publications, [{ history: 0, latest: true, ttl: 7, key: '\r{"user":"ann"}', removes: undefined }, { key: 'x', removes: true, record: { version: 1, key: 'x', removes: true } }])
  await app.channel('b').publish(1)
  t.match(publications[2], { history: 1000, latest: false, ttl: undefined, key: undefined })
})
