// The option `ttl`: what is older is forgotten.
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { buildApp } from '../helpers/app.js'
import { settle, stopClock } from '../helpers/clock.js'
import { engineWith } from '../helpers/engine.js'
import { buildChannel, Client } from '../helpers/engines.js'

const shown = ({ events }) => events.map(({ event, data }) => event === 'chirp:gap' ? 'gap' : data)

async function follow (channel, cursor = '') {
  const client = new Client(channel)
  client.cursor = cursor
  client.connect()
  await settle()
  return client
}

const value = (event, data) => ({ event, data })

t.test('wrong values are refused', async t => {
  const app = await buildApp(t)
  for (const ttl of [0, -1, 1.5, NaN, 2 ** 31, '5', null, false, true]) {
    t.throws(() => app.channel('a', { ttl }), { code: 'FST_CHIRP_OPTION', message: /"ttl" of app.channel\(\) must be a whole number from 1 to 2147483647/ })
  }
  t.throws(() => app.channel('a', { tttl: 5 }), { code: 'FST_CHIRP_OPTION', message: /Did you mean "ttl"/ })
  const channel = app.channel('a', { ttl: 2 ** 31 - 1, history: 10 })
  t.equal(app.channel('a', { ttl: 2 ** 31 - 1 }), channel)
  t.throws(() => app.channel('a', { ttl: 5 }), { code: 'FST_CHIRP_OPTION', message: /another "ttl"/ })
})

t.test('history that is older is a gap, and nothing missed is none', async t => {
  const { pass } = stopClock(t)
  const { channel } = buildChannel(new MemoryEngine(), { ttl: 1000 })
  const one = await channel.publish({ data: 'one' })
  await pass(600)
  const two = await channel.publish({ data: 'two', id: 'own' })
  t.same(shown(await follow(channel, one)), ['two'])
  await pass(399)
  t.same(shown(await follow(channel, one)), ['two'])
  t.same(shown(await follow(channel, `${one.split('-')[0]}-0`)), ['one', 'two'])
  await pass(1)
  t.same(shown(await follow(channel, `${one.split('-')[0]}-0`)), ['gap'])
  t.same(shown(await follow(channel, one)), ['two'], 'the old event itself is a cursor, as nothing after it is old')
  await pass(600)
  t.same(shown(await follow(channel, one)), ['gap'])
  const last = await follow(channel, two)
  t.same(shown(last), [])
  await channel.publish({ data: 'three' })
  await turn()
  t.same(shown(last), ['three'])
})

t.test('memory is freed when nothing is published any more, with one timer that is there only meanwhile', async t => {
  const { pass, timers } = stopClock(t)
  const engine = new MemoryEngine()
  const { channel } = buildChannel(engine, { ttl: 800 })
  t.equal(timers.size, 0)
  for (let n = 0; n < 50; n++) {
    await channel.publish({ data: String(n), id: `id${n}` })
    await pass(10)
    t.equal(timers.size, 1)
  }
  await pass(310)
  t.equal(engine.read('a', 'id0', 100).from, undefined)
  t.equal(engine.read('a', 'id40', 100).entries.length, 9)
  t.equal(timers.size, 1)
  for (let n = 0; n < 8; n++) await pass(100)
  t.equal(timers.size, 0, 'all is forgotten')
  t.equal(engine.read('a', 'id48', 1).from, undefined)
  t.not(engine.read('a', 'id49', 1).from, undefined)
  await channel.publish({ data: 'more' })
  t.equal(timers.size, 1)
  channel.close()
  t.equal(timers.size, 0)
})

t.test('an engine that closes has no timers left', async t => {
  const { timers } = stopClock(t)
  const engine = new MemoryEngine()
  for (const name of ['a', 'b']) engine.publish(name, { record: { data: 'x' }, history: 5, ttl: 100 })
  t.equal(timers.size, 2)
  engine.close()
  t.equal(timers.size, 0)
})

t.test('a clock that is set back keeps events in their order, and forgets them in the end', async t => {
  const { pass, timers } = stopClock(t)
  const engine = new MemoryEngine()
  const publish = data => engine.publish('a', { record: { data }, history: 5, ttl: 1000 })
  const real = Date.now
  t.teardown(() => { Date.now = real })
  const { previous } = publish('one')
  Date.now = () => real() - 1e7
  const times = [publish('two').time, publish('three').time]
  t.same(times, [1e12, 1e12])
  await pass(1000)
  t.equal(engine.read('a', previous, 10).entries.length, 3, 'kept for longer')
  Date.now = real
  await pass(1000)
  t.equal(engine.read('a', previous, 10).from, undefined)
  t.equal(timers.size, 0)
})

t.test('the ttl of the newest publication holds for the topic', async t => {
  const { pass, timers } = stopClock(t)
  const engine = new MemoryEngine()
  const publish = (data, ttl) => engine.publish('a', { record: { data }, history: 5, ttl })
  const { previous } = publish('one', 100)
  publish('two')
  t.equal(timers.size, 0)
  await pass(5000)
  t.equal(engine.read('a', previous, 10).entries.length, 2)
  const { position } = publish('three', 100)
  t.equal(engine.read('a', previous, 10).from, undefined, 'what has no time is from before')
  t.equal(engine.read('a', position, 10).from, position)
})

t.test('values of a latest channel that are older are not given, and freed', async t => {
  const { pass, timers } = stopClock(t)
  const { channel } = buildChannel(new MemoryEngine(), { latest: true, ttl: 1000 })
  t.equal(timers.size, 0)
  await channel.publish(value('x', '1'))
  await pass(500)
  await channel.publish(value('y', '1'))
  t.same(shown(await follow(channel)), ['1', '1'])
  await pass(400)
  await channel.publish(value('x', '2'))
  await pass(599)
  t.same(shown(await follow(channel)), ['1', '2'])
  await pass(1)
  t.same(shown(await follow(channel)), ['2'])
  t.equal(timers.size, 1)
  await pass(900)
  t.same(shown(await follow(channel)), [])
  t.equal(timers.size, 0)
  await channel.publish(value('x', '3'))
  channel.close()
  t.equal(timers.size, 0)
})

t.test('an old value that a slow client has left out is not sent any more', async t => {
  const { pass } = stopClock(t)
  const { channel } = buildChannel(new MemoryEngine(), { latest: true, ttl: 1000 })
  const client = await follow(channel)
  client.stall()
  for (const data of ['1', '2']) {
    await channel.publish(value('x', data))
    await turn()
  }
  await pass(900)
  await channel.publish(value('y', '3'))
  await pass(100)
  client.resume()
  await settle()
  t.same(shown(client), ['1', '3'])
})

t.test('an engine that gives no times is told of once, and keeps events by their number', async t => {
  const app = await buildApp(t, { engine: engineWith({ publish: (topic, { ttl, ...publication }) => memory.publish(topic, publication), read: (...given) => memory.read(...given), listen: (...given) => memory.listen(...given) }) })
  const channel = app.channel('a', { ttl: 5 })
  for (let n = 0; n < 3; n++) await channel.publish('x')
  const lines = app.log.lines.filter(({ level }) => level === 50)
  t.equal(lines.length, 1)
  t.match(lines[0].err, { code: 'FST_CHIRP_ENGINE', message: /an event with a "time" where "ttl" was given/ })
  t.equal(app.eventStreams.errors, 1)
})

const memory = new MemoryEngine()

t.test('a time that is no number is an error of the engine', async t => {
  const app = await buildApp(t, { engine: engineWith({ publish: (...given) => ({ ...memory.publish(...given), time: 'now' }) }) })
  await t.rejects(app.channel('a', { ttl: 5 }).publish('x'), { code: 'FST_CHIRP_ENGINE', message: /whose "time" is a number/ })
})
