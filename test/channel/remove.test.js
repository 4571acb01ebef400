// channel.remove() takes a value out of a channel with `latest`.
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Fragment } from 'fastify-chirp'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { buildApp, until } from '../helpers/app.js'
import { environment, late } from '../helpers/channel.js'
import { settle } from '../helpers/clock.js'
import { engineWith } from '../helpers/engine.js'
import { buildChannel, Client, ENGINES } from '../helpers/engines.js'

const value = (event, data) => ({ event, data })
const shown = ({ events }) => events.map(({ event, data }) => `${event} ${data}`)

async function follow (source) {
  const client = new Client(source)
  client.connect()
  await settle()
  return client
}

t.test('a channel with a history refuses it, and says what to do', async t => {
  const app = await buildApp(t)
  await t.rejects(app.channel('a').remove('x'), { code: 'FST_CHIRP_OPTION', message: /Make it with \{ latest: true \}, or publish an event/ })
  const values = app.channel('b', { latest: true })
  for (const name of [undefined, null, 5, {}]) await t.rejects(values.remove(name), { code: 'FST_CHIRP_OPTION', message: /remove\(\) needs the name of a value/ })
  await t.rejects(values.remove('x', { audiance: 1 }), { code: 'FST_CHIRP_OPTION', message: /Did you mean "audience"/ })
  await t.rejects(values.remove('x', { audience: 1n }), { code: 'FST_CHIRP_OPTION' })
  values.remove(5)
  await until(() => app.eventStreams.errors === 8)
  values.close()
  await t.rejects(values.remove('x'), { code: 'FST_CHIRP_CHANNEL_CLOSED' })
})

for (const [name, create] of Object.entries(ENGINES)) {
  t.test(`${name}: who follows hears nothing of it, and who comes does not get the value`, async t => {
    const engine = create()
    const { channel, errors } = buildChannel(engine, { latest: true })
    const ann = { filter: audience => audience === 'ann' }
    const here = await follow(channel)
    await channel.publish(value('x', '1'))
    // It is live: an engine may take its time to say what was there before.
    await until(() => here.events.length === 1)
    await channel.publish(value('y', '1'))
    await channel.publish(value('x', 'ann'), { audience: 'ann' })
    t.equal(await channel.remove('x'), undefined)
    t.equal(await channel.remove('never there'), undefined)
    await channel.publish(value('z', '1'))
    await until(() => here.events.length === 3)
    t.same(shown(here), ['x 1', 'y 1', 'z 1'])
    const came = await follow(channel)
    const annCame = await follow(channel.subscribe(ann))
    await until(() => came.events.length >= 2 && annCame.events.length >= 3)
    t.same(shown(came), ['y 1', 'z 1'])
    t.same(shown(annCame), ['y 1', 'x ann', 'z 1'])
    await channel.remove('x', { audience: 'ann' })
    await channel.publish(value('x', '2'))
    await until(() => annCame.events.length >= 4)
    const after = await follow(channel.subscribe(ann))
    await until(() => after.events.length >= 3)
    t.same(shown(after), ['y 1', 'z 1', 'x 2'])
    t.same(errors, [])
    channel.close()
    await engine.close()
  })
}

t.test('nothing at all of it is sent', async t => {
  const { channel } = buildChannel(new MemoryEngine(), { latest: true })
  const entries = channel.subscribe()[Symbol.asyncIterator]()
  await channel.publish(value('x', '1'))
  await channel.remove('x')
  await channel.publish(value('y', '1'))
  for (const event of ['x', 'y']) t.equal((await entries.next()).value.record.event, event)
  const came = channel.subscribe()[Symbol.asyncIterator]()
  t.equal((await came.next()).value.record.event, 'y')
})

t.test('it comes after what was published before, also when that still renders', async t => {
  const { env } = environment()
  const app = await buildApp(t, { templates: env })
  const channel = app.channel('a', { latest: true })
  const heard = []
  const entries = channel.subscribe()[Symbol.asyncIterator]()
  const published = channel.publish(new Fragment('item.html', 'late', { name: '5' }, { target: 'x' }))
  const removed = channel.remove('x')
  removed.then(() => heard.push('removed'))
  published.then(() => heard.push('published'))
  await removed
  t.same(heard, ['published', 'removed'])
  t.equal((await entries.next()).value.record.target, 'x')
  await entries.return()
  await channel.publish(late('1'))
  const came = channel.subscribe()[Symbol.asyncIterator]()
  t.equal((await came.next()).value.record.target, undefined, 'the value is gone')
  await came.return()
})

t.test('a value that waits for a slow client is not sent', async t => {
  const { channel } = buildChannel(new MemoryEngine(), { latest: true })
  const client = await follow(channel)
  client.stall()
  for (const data of ['1', '2']) {
    await channel.publish(value('x', data))
    await channel.publish(value('y', data))
    await turn()
  }
  await channel.remove('x')
  client.resume()
  await settle()
  t.same(shown(client), ['x 1', 'y 1', 'y 2'])
})

t.test('an engine that fails is told', async t => {
  const app = await buildApp(t, { engine: engineWith({ publish () { throw new Error('full') } }) })
  const channel = app.channel('a', { latest: true })
  await t.rejects(channel.remove('x'), { code: 'FST_CHIRP_ENGINE' })
  t.match(app.log.lines.filter(({ level }) => level === 50).map(({ msg }) => msg), ['a value of channel "a" was not removed'])
})

t.test('a record whose removal is no removal is a gap', async t => {
  let tell
  const app = await buildApp(t, { engine: engineWith({ listen: (topic, listener) => { tell = listener; return () => {} } }) })
  const channel = app.channel('a', { latest: true })
  await until(() => tell !== undefined)
  const entries = channel.subscribe()[Symbol.asyncIterator]()
  await settle()
  tell({ position: 'e-1', previous: 'e-0', record: { version: 1, key: 'x', removes: 'yes' } })
  t.equal((await entries.next()).value.record.event, 'chirp:gap')
})
