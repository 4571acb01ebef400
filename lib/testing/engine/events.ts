// The contract of engines: publications, and their listeners.
import { deepEqual, equal, match, notEqual, ok } from 'node:assert/strict'
import { dataOf, epochOf, until, wait, type Seen, type SeenPage, type EngineTest } from './bench.js'

export function testEvents (test: EngineTest): void {
  test('an event that was published has a position, its content, and knows the one before', async ({ publish }) => {
    const [first, second] = [await publish('one', { event: 'e', retry: 5 }), await publish('two', { audience: { user: 'ann' } })]
    deepEqual(first.record, { data: 'one', event: 'e', retry: 5 })
    equal(first.audience, undefined)
    deepEqual(second.record, { data: 'two' })
    deepEqual(second.audience, { user: 'ann' })
    equal(first.id, first.position)
    equal(second.previous, first.position)
    notEqual(first.previous, first.position)
  })

  test('positions are unique, have an epoch and a sequence, and only characters that need no CORS preflight', async ({ publish, publishAll }) => {
    const entries = [...await publishAll(Array(60).fill('x')), ...await publishAll(Array(60).fill('x'), { history: 0 })]
    equal(new Set(entries.map(({ position }) => position)).size, 120)
    for (const { position } of entries) match(position, /^[\w.]{1,40}-[\w.]{1,40}$/)
    const epochs = new Set(entries.map(({ position }) => epochOf(position)))
    equal(epochs.size, 1, 'one epoch for all positions of a topic')
    const other = await publish('x', { topic: 'b' })
    ok(!epochs.has(epochOf(other.position)), 'and another one for another topic')
  })

  test('an event with an id of its own shows that id, and its position is another', async ({ publish }) => {
    const entry = await publish('one', { id: 'own' })
    equal(entry.id, 'own')
    notEqual(entry.position, 'own')
  })

  test('events that are published at once keep the order of the calls', async ({ engine, publish }) => {
    const heard: Seen[] = []
    await engine.listen('a', entry => heard.push(entry))
    const start = (await engine.read('a', '', 0)).last
    const values = Array.from({ length: 50 }, (_, n) => String(n))
    const entries = await Promise.all(values.map(value => publish(value)))
    deepEqual(dataOf(entries), values)
    await until(() => heard.length === 50)
    deepEqual(dataOf(heard), values)
    deepEqual(dataOf((await engine.read('a', start, 100)).entries), values)
  })

  test('each event follows on the one before, without a hole', async ({ engine, publishAll }) => {
    const { last: start } = await engine.read('a', '', 0)
    const entries = await publishAll(['one', 'two', 'three', 'four'])
    deepEqual(entries.map(({ previous }) => previous), [start, ...entries.slice(0, -1).map(({ position }) => position)])
    const { entries: read } = await engine.read('a', start, 10)
    deepEqual(read.map(({ position, previous, id }) => [position, previous, id]), entries.map(({ position, previous, id }) => [position, previous, id]))
  })

  test('a listener gets each event once and in order, until it is stopped', async ({ engine, publish, publishAll }) => {
    await publish('before')
    const heard: Seen[] = []
    const others: Seen[] = []
    const stop = await engine.listen('a', entry => heard.push(entry))
    const stopOther = await engine.listen('a', entry => others.push(entry))
    const entries = await publishAll(['one', 'two', 'three'], { audience: 'ann' })
    await until(() => heard.length === 3 && others.length === 3)
    deepEqual(heard.map(({ position, previous, id, audience, record }) => ({ position, previous, id, audience, record })),
      entries.map(({ position, previous, id, audience, record }) => ({ position, previous, id, audience, record })))
    stop()
    stop()
    await publish('four')
    await until(() => others.length === 4)
    stopOther()
    await publish('five')
    await wait(20)
    deepEqual([dataOf(heard), dataOf(others)], [['one', 'two', 'three'], ['one', 'two', 'three', 'four']])
  })

  test('a listener also gets what is not kept', async ({ engine, publishAll }) => {
    const heard: Seen[] = []
    await engine.listen('a', entry => heard.push(entry))
    await publishAll(['one', 'two'], { history: 0 })
    await until(() => heard.length === 2)
    deepEqual(dataOf(heard), ['one', 'two'])
  })

  test('topics do not know of each other', async ({ engine, publish }) => {
    const heard: Seen[] = []
    await engine.listen('a', entry => heard.push(entry))
    await engine.listen('__proto__', entry => heard.push(entry))
    const { last: start } = await engine.read('a', '', 0)
    await publish('foreign', { topic: 'b' })
    await publish('own')
    await publish('strange', { topic: '__proto__' })
    await until(() => heard.length === 2)
    deepEqual(dataOf(heard), ['own', 'strange'])
    deepEqual(dataOf((await engine.read('a', start, 10)).entries), ['own'])
  })

  test('what is read after an event was heard, or published, has that event', async ({ engine, publish }) => {
    const { last: start } = await engine.read('a', '', 0)
    const reads: Array<Promise<SeenPage>> = []
    await engine.listen('a', () => reads.push(engine.read('a', start, 1000)))
    for (let n = 1; n <= 20; n++) {
      const { position } = await publish(String(n))
      equal((await engine.read('a', position, 1)).from, position)
    }
    await until(() => reads.length === 20)
    for (const [n, page] of (await Promise.all(reads)).entries()) ok(page.entries.length > n)
  })

  test('nothing is heard after it was closed', async ({ engine, publish }) => {
    const heard: Seen[] = []
    await engine.listen('a', entry => heard.push(entry))
    await publish('one')
    await until(() => heard.length === 1)
    await engine.close()
    await wait(10)
    deepEqual(dataOf(heard), ['one'])
  })
}
