// The option `every`: at most one batch of values in a time.
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { buildApp } from '../helpers/app.js'
import { settle, stopClock } from '../helpers/clock.js'
import { buildChannel, Client } from '../helpers/engines.js'

const value = (event, data) => ({ event, data: String(data) })
const shown = ({ events }) => events.map(({ event, data }) => `${event} ${data}`)

async function build (t, options) {
  const clock = stopClock(t)
  const { channel } = buildChannel(new MemoryEngine(), { latest: true, every: 1000, ...options })
  const follow = async (source = channel) => {
    const client = new Client(source)
    client.connect()
    await settle()
    return client
  }
  return { ...clock, channel, follow }
}

t.test('wrong values are refused', async t => {
  const app = await buildApp(t)
  for (const every of [0, -1, 1.5, 2 ** 31, '5', false]) t.throws(() => app.channel('a', { latest: true, every }), { code: 'FST_CHIRP_OPTION', message: /"every" of app.channel\(\) must be a whole number from 1/ })
  t.throws(() => app.channel('a', { every: 5 }), { code: 'FST_CHIRP_OPTION', message: /Set "latest" too/ })
})

t.test('the first leaves at once, then one batch in each time with the newest values, and the last one arrives', async t => {
  const { channel, follow, pass, timers } = await build(t)
  const client = await follow()
  channel.publish(value('x', 0))
  channel.publish(value('x', 1))
  await settle()
  t.same(shown(client), ['x 1'], 'of one tick the newest')
  for (let n = 2; n < 10; n++) {
    channel.publish(value('x', n))
    channel.publish(value(`y${n % 2}`, n))
    await pass(100)
  }
  t.same(shown(client), ['x 1'])
  await pass(199)
  t.same(shown(client), ['x 1'])
  await pass(1)
  t.same(shown(client), ['x 1', 'y0 8', 'x 9', 'y1 9'])
  channel.publish(value('x', 10))
  await pass(999)
  t.equal(client.events.length, 4)
  await pass(1)
  t.equal(shown(client).at(-1), 'x 10')
  await pass(1000)
  t.equal(timers.size, 0, 'no timer when all is quiet')
  channel.publish(value('x', 11))
  await settle()
  t.equal(shown(client).at(-1), 'x 11', 'at once again')
})

t.test('a reader that leaves while a batch is passed on does not get it', async t => {
  const { channel, follow } = await build(t)
  const [first, second] = [await follow(), await follow()]
  const { push } = Array.prototype
  first.events.push = (...events) => {
    second.disconnect()
    return push.apply(first.events, events)
  }
  channel.publish(value('x', 1))
  await settle()
  t.same([first, second].map(shown), [['x 1'], []])
})

t.test('a reader that comes in between gets the values of now, and none of them once more', async t => {
  const { channel, follow, pass } = await build(t)
  const first = await follow()
  channel.publish(value('x', 1))
  await settle()
  channel.publish(value('x', 2))
  channel.publish(value('y', 2))
  const second = await follow()
  t.same(shown(second), ['x 2', 'y 2'])
  channel.publish(value('y', 3))
  const third = await follow()
  await pass(1000)
  t.same(shown(first), ['x 1', 'x 2', 'y 3'])
  t.same(shown(second), ['x 2', 'y 2', 'y 3'])
  t.same(shown(third), ['x 2', 'y 3'])
})

t.test('a value that waits and is removed, or too old, is not sent', async t => {
  const { channel, follow, pass } = await build(t, { ttl: 900 })
  const client = await follow()
  channel.publish(value('x', 1))
  await settle()
  channel.publish(value('old', 1))
  await pass(500)
  channel.publish(value('x', 2))
  channel.publish(value('y', 2))
  channel.remove('x')
  await pass(500)
  t.same(shown(client), ['x 1', 'y 2'])
  channel.publish(value('z', 1))
  channel.remove('z')
  await pass(1000)
  channel.publish(value('z', 2))
  await settle()
  t.same(shown(client), ['x 1', 'y 2', 'z 2'], 'nothing was sent, so the next one leaves at once')
})

t.test('nobody follows: nothing waits, and no timer runs', async t => {
  const { channel, follow, pass, timers } = await build(t)
  channel.publish(value('x', 1))
  channel.publish(value('x', 2))
  await settle()
  t.equal(timers.size, 0)
  for (let n = 0; n < 100; n++) {
    const client = await follow()
    channel.publish(value('x', n))
    await turn()
    channel.publish(value('x', n + 0.5))
    client.disconnect()
    t.equal(timers.size, 0)
  }
  const client = await follow()
  t.same(shown(client), ['x 99.5'])
  await pass(1000)
  t.equal(client.events.length, 1)
})

t.test('a slow client gets the newest once, when it can take it', async t => {
  const { channel, follow, pass } = await build(t)
  const client = await follow()
  client.stall()
  channel.publish(value('x', 1))
  await pass(1000)
  channel.publish(value('x', 2))
  channel.publish(value('y', 2))
  await pass(1000)
  channel.publish(value('x', 3))
  await settle()
  client.resume()
  await settle()
  t.same(shown(client), ['x 1', 'y 2'])
  await pass(1000)
  t.same(shown(client), ['x 1', 'y 2', 'x 3'])
})

t.test('what waits when the channel closes is sent first', async t => {
  const { channel, follow, timers } = await build(t)
  const client = await follow()
  channel.publish(value('x', 1))
  await settle()
  channel.publish(value('x', 2))
  channel.close()
  t.same(shown(client), ['x 1', 'x 2'])
  t.equal(timers.size, 0)
})

t.test('a filter that publishes while a batch goes out waits for the next one', async t => {
  const { channel, follow, pass } = await build(t)
  let again = true
  const client = await follow(channel.subscribe({
    filter () {
      if (again) channel.publish(value('y', 1))
      again = false
      return true
    }
  }))
  channel.publish(value('x', 1), { audience: 'all' })
  await settle()
  t.same(shown(client), ['x 1'])
  await pass(1000)
  t.same(shown(client), ['x 1', 'y 1'])
})
