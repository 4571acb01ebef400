// An engine that has lost events: every reader hears of it, wherever it is, and goes on.
import t from 'tap'
import { buildApp, until } from '../helpers/app.js'
import { Client } from '../helpers/engines.js'

/** An engine in the hands of the test: what it has, what it tells, and when its reads answer. */
function handEngine () {
  const hand = { log: [], oldest: 0, pending: [], listens: 0 }
  const position = n => `e-${n}`
  hand.add = n => { hand.log.push({ position: position(n), previous: position(n - 1), record: { version: 1, data: String(n) } }) }
  hand.tell = n => hand.hear(hand.log.find(event => event.position === position(n)))
  hand.page = (after, limit) => {
    const last = hand.log.at(-1)?.position ?? position(0)
    const n = Number(after.slice(2))
    const isKnown = after.startsWith('e-') && n >= hand.oldest && n <= Number(last.slice(2))
    if (!isKnown) return { from: undefined, entries: [], last }
    return { from: after, entries: hand.log.filter(event => Number(event.position.slice(2)) > n).slice(0, limit), last }
  }
  hand.engine = {
    publish () { throw new Error('not here') },
    // The plugin has a topic of its own.
    read: (topic, after, limit) => topic !== 'a'
      ? { from: undefined, entries: [], last: 'c-0' }
      : hand.isHeld
        ? new Promise(resolve => { hand.pending.push({ after, answer: page => resolve(page ?? hand.page(after, limit)) }) })
        : Promise.resolve(hand.page(after, limit)),
    listen (topic, hear, lost) {
      if (topic !== 'a') return () => {}
      hand.listens++
      Object.assign(hand, { hear, lost })
      return () => { hand.listens-- }
    },
    latest: () => [],
    close () {}
  }
  return hand
}

async function build (t) {
  const hand = handEngine()
  const app = await buildApp(t, { engine: hand.engine, shutdownGrace: 0 })
  return { hand, app, client: new Client(app.channel('a')) }
}

const shown = ({ events }) => events.map(({ event, data }) => event === undefined ? data : Object.values(JSON.parse(data)).join('>'))

t.test('a channel is listened to while somebody follows', async t => {
  const { hand, client } = await build(t)
  t.equal(hand.listens, 0)
  client.connect()
  await until(() => client.cursor !== '')
  t.equal(hand.listens, 1)
  client.disconnect()
  t.equal(hand.listens, 0)
})

t.test('a reader that is at the start of the hole has a gap, also where no event tells it', async t => {
  const { hand, client } = await build(t)
  client.connect()
  await until(() => client.cursor !== '')
  hand.lost('e-0', 'e-3')
  for (const n of [4, 5]) {
    hand.add(n)
    hand.tell(n)
  }
  await until(() => client.events.length === 3)
  t.same(shown(client), ['e-0>e-3', '4', '5'])
})

t.test('a reader that has read ahead, to the middle of the hole, reads on, or has a gap', async t => {
  for (const [oldest, wanted] of [[0, ['1', '2', '3', '4']], [3, ['1', '2', 'e-2>e-4']]]) {
    const { hand, client } = await build(t)
    hand.add(1)
    hand.add(2)
    client.cursor = 'e-0'
    client.connect()
    await until(() => client.events.length === 2)
    await until(() => hand.listens === 1)
    hand.add(3)
    hand.add(4)
    hand.oldest = oldest
    // This process has heard nothing yet, and then what comes after the hole.
    await new Promise(setImmediate)
    hand.lost('e-0', 'e-3')
    hand.tell(4)
    await until(() => client.events.length === wanted.length)
    hand.add(5)
    hand.tell(5)
    await until(() => client.events.length > wanted.length)
    t.same(shown(client), [...wanted, '5'])
  }
})

t.test('a reader that is where the hole ends has missed nothing', async t => {
  const { hand, client } = await build(t)
  hand.add(1)
  client.connect()
  await until(() => client.cursor === 'e-1')
  hand.lost('e-0', 'e-1')
  hand.add(2)
  hand.tell(2)
  await until(() => client.events.length === 1)
  t.same(shown(client), ['2'])
})

for (const cursor of ['', 'e-0', 'gone']) {
  t.test(`a reader that still reads when events are lost reads once more: ${JSON.stringify(cursor)}`, async t => {
    const { hand, client } = await build(t)
    hand.isHeld = true
    client.cursor = cursor
    client.connect()
    await until(() => hand.pending.length === 1)
    if (cursor !== '') {
      // Only then what comes is queued.
      hand.pending.shift().answer()
      await until(() => hand.pending.length === 1)
    }
    const stale = hand.page(hand.pending[0].after, 100)
    hand.add(1)
    hand.add(2)
    hand.lost('e-0', 'e-1')
    hand.tell(2)
    hand.pending.shift().answer(stale)
    await until(() => hand.pending.length === 1)
    hand.isHeld = false
    hand.pending.shift().answer()
    await until(() => client.cursor === 'e-2')
    hand.add(3)
    hand.tell(3)
    await until(() => client.events.at(-1)?.data === '3')
    t.same(shown(client), cursor === '' ? ['3'] : cursor === 'gone' ? ['gone>e-2', '3'] : ['1', '2', '3'])
  })
}

t.test('a reader that still reads when events are lost, and the history goes too, has one gap up to the newest', async t => {
  const { hand, client } = await build(t)
  hand.isHeld = true
  client.cursor = 'e-0'
  client.connect()
  await until(() => hand.pending.length === 1)
  hand.pending.shift().answer()
  await until(() => hand.pending.length === 1)
  hand.add(1)
  hand.add(2)
  hand.oldest = 2
  hand.lost('e-0', 'e-1')
  hand.tell(2)
  hand.pending.shift().answer()
  await until(() => hand.pending.length === 1)
  hand.isHeld = false
  hand.pending.shift().answer()
  await until(() => client.events.length === 1)
  hand.add(3)
  hand.tell(3)
  await until(() => client.events.length > 1)
  t.same(shown(client), ['e-0>e-2', '3'])
})

t.test('a loss between what are no positions is logged', async t => {
  const { hand, app, client } = await build(t)
  client.connect()
  await until(() => client.cursor !== '')
  hand.lost('e-0', 7)
  t.equal(app.log.lines.at(-1).err.code, 'FST_CHIRP_ENGINE')
  t.same(client.events, [])
})
