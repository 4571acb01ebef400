// The contract of engines that know how old events may become.
import { deepEqual, equal, ok } from 'node:assert/strict'
import { dataOf, refused, wait, type Bench, type EngineTest, type Seen } from './bench.js'

// Short, and long enough for a call that comes right after.
const TTL = 1000

const LONG = 3600000

export function testAge (test: EngineTest): void {
  /** For engines whose events have a time. */
  const testTime = (title: string, run: (bench: Bench, start: string) => Promise<void>): void => test(title, async bench => {
    const { last } = await bench.engine.read('a', '', 0)
    if ((await bench.publish('probe', { topic: 'probe', ttl: LONG })).time !== undefined) await run(bench, last)
  })

  testTime('events of a topic with a time to live tell when they were published, also to those who listen and read', async ({ engine, publishAll }, start) => {
    const heard: Seen[] = []
    const before = Date.now()
    await engine.listen('a', event => heard.push(event))
    const events = await publishAll(['one', 'two', 'three'], { ttl: LONG })
    const times = events.map(({ time }) => time!)
    deepEqual(times, [...times].sort((a, b) => a - b), 'time goes on')
    // The clock may be of another machine.
    for (const time of times) ok(Math.abs(time - before) < 600000, `${time} is in milliseconds since 1970`)
    deepEqual((await engine.read('a', start, 10)).entries.map(({ time }) => time), times)
    await hears(heard, 3)
    deepEqual(heard.map(({ time }) => time), times)
  })

  testTime('events that are older than their time to live are not read any more', async ({ engine, publish, publishAll }, start) => {
    const [one, two] = await publishAll(['one', 'two'], { ttl: TTL })
    deepEqual(dataOf((await engine.read('a', start, 10)).entries), ['one', 'two'])
    await unknown(engine, start)
    await unknown(engine, one!.position)
    const { position: last } = two!
    deepEqual(await engine.read('a', last, 10), { from: last, entries: [], last }, 'who has missed nothing has no gap')
    const three = await publish('three', { ttl: TTL })
    const page = await engine.read('a', last, 10)
    deepEqual([page.from, dataOf(page.entries), page.last], [last, ['three'], three.position])
    equal((await engine.read('a', one!.position, 10)).from, undefined)
  })

  testTime('an id that an old event brought is known as long as its position', async ({ engine, publish }) => {
    const one = await publish('one', { id: 'mine', ttl: TTL })
    const two = await publish('two', { id: 'other', ttl: TTL })
    equal((await engine.read('a', 'mine', 10)).from, one.position)
    await refused(publish('again', { id: 'mine', ttl: TTL }))
    await unknown(engine, 'mine')
    equal((await engine.read('a', 'other', 10)).from, two.position)
    await refused(publish('again', { id: 'other', ttl: TTL }))
    equal((await publish('again', { id: 'mine', ttl: TTL })).id, 'mine')
  })

  testTime('a topic without a time to live keeps its events, whatever others have', async ({ engine, publish }, start) => {
    await publish('kept')
    const { last } = await engine.read('b', '', 0)
    await publish('old', { topic: 'b', ttl: 1 })
    await unknown(engine, last, 'b')
    deepEqual(dataOf((await engine.read('a', start, 10)).entries), ['kept'])
  })

  testTime('a long time to live and a short history: the history counts', async ({ engine, publishAll }, start) => {
    const events = await publishAll(['one', 'two', 'three'], { ttl: LONG, history: 2 })
    equal((await engine.read('a', start, 10)).from, undefined)
    deepEqual(dataOf((await engine.read('a', events[0]!.position, 10)).entries), ['two', 'three'])
  })

  testTime('values of a topic are not given when they are older than their time to live', async ({ engine, publish }) => {
    if (engine.latest === undefined) return
    const fields = { history: 0, latest: true, ttl: TTL }
    await publish('one', { ...fields, replaces: 'x' })
    await publish('two', { ...fields, replaces: 'y' })
    const values = await engine.latest('a')
    deepEqual(values.map(({ record: { data } }) => data), ['one', 'two'])
    for (const { time } of values) ok(time !== undefined)
    while ((await engine.latest('a')).length > 0) await wait(20)
    await publish('three', { ...fields, replaces: 'x' })
    deepEqual((await engine.latest('a')).map(({ record: { data } }) => data), ['three'])
  })
}

/** Waits until a cursor is unknown. */
async function unknown (engine: Bench['engine'], cursor: string, topic = 'a'): Promise<void> {
  for (;;) {
    const { from, entries } = await engine.read(topic, cursor, 10)
    if (from === undefined) return deepEqual(entries, [])
    await wait(20)
  }
}

async function hears (heard: readonly Seen[], count: number): Promise<void> {
  do await wait(5)
  while (heard.length < count)
}
