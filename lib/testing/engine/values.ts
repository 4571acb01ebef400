// The contract of engines that keep the newest values of topics, for a process that starts later.
import { deepEqual, equal, ok } from 'node:assert/strict'
import type { StoredEvent } from '../../channel/engine.js'
import { dataOf, until, type Bench, type EngineTest, type Seen } from './bench.js'

const VALUE = { history: 0, latest: true }

const textsOf = (values: readonly StoredEvent[]): unknown[] => values.map(({ record: { data } }) => data)

export function testValues (test: EngineTest): void {
  /** For engines that have latest(). */
  const testLatest = (title: string, run: (bench: Bench, latest: (topic?: string) => Promise<StoredEvent[]>) => Promise<void>): void => test(title, async bench => {
    const { engine } = bench
    if (engine.latest !== undefined) await run(bench, async (topic = 'a') => engine.latest!(topic))
  })

  test('an event that removes a value is told to listeners as it was published', async ({ engine, publish }) => {
    const heard: Seen[] = []
    await engine.listen('a', event => heard.push(event))
    await publish('one', { ...VALUE, replaces: 'x' })
    const removed = await publish('', { ...VALUE, replaces: 'x', removes: true, key: 'x', mark: true })
    await until(() => heard.length === 2)
    deepEqual(heard[1]!.record, { data: '', key: 'x', mark: true })
    equal(heard[1]!.previous, heard[0]!.position)
    equal((await engine.read('a', '', 0)).last, removed.position)
  })

  testLatest('latest() gives the newest value of each key, oldest first, as it was published', async ({ publish }, latest) => {
    deepEqual(await latest(), [])
    await publish('old', { ...VALUE, replaces: 'x' })
    const y = await publish('y', { ...VALUE, replaces: 'y', event: 'e', audience: { user: 'ann' } })
    await publish('proto', { ...VALUE, replaces: '__proto__' })
    await publish('empty', { ...VALUE, replaces: '' })
    const x = await publish('x', { ...VALUE, replaces: 'x', id: 'own' })
    await publish('foreign', { ...VALUE, topic: 'b', replaces: 'x' })
    const values = await latest()
    deepEqual(textsOf(values), ['y', 'proto', 'empty', 'x'])
    deepEqual([values[0]!.position, values[0]!.record, values[0]!.audience], [y.position, { data: 'y', event: 'e' }, { user: 'ann' }])
    deepEqual([values[3]!.position, values[3]!.previous, values[3]!.record], [x.position, x.previous, { data: 'x', id: 'own' }])
    deepEqual(textsOf(await latest('b')), ['foreign'])
  })

  testLatest('a value that was removed is not given, until there is a new one', async ({ publish }, latest) => {
    const remove = { ...VALUE, replaces: 'x', removes: true } as const
    await publish('x', { ...VALUE, replaces: 'x' })
    await publish('y', { ...VALUE, replaces: 'y' })
    await publish('', remove)
    deepEqual(textsOf(await latest()), ['y'])
    await publish('', remove)
    await publish('', { ...remove, replaces: 'never there' })
    deepEqual(textsOf(await latest()), ['y'])
    await publish('x again', { ...VALUE, replaces: 'x' })
    deepEqual(textsOf(await latest()), ['y', 'x again'])
  })

  testLatest('topics that keep a history have no values', async ({ publish }, latest) => {
    await publish('one')
    deepEqual(await latest(), [])
  })

  testLatest('listeners have heard what latest() gives', async ({ engine, publish }, latest) => {
    const heard = new Set<string>()
    await engine.listen('a', ({ position }) => heard.add(position))
    const published = Array.from({ length: 40 }, (_, n) => publish(String(n), { ...VALUE, replaces: String(n % 7) }))
    const looks = published.map(async event => {
      await event
      for (const { position } of await latest()) ok(heard.has(position), `${position} was given, and not heard`)
    })
    await Promise.all(looks)
    deepEqual(textsOf(await latest()), ['33', '34', '35', '36', '37', '38', '39'])
  })

  testLatest('values of a topic that is forgotten are not those of one that is opened then', async ({ engine, publish }, latest) => {
    if (engine.open === undefined) return
    const before = engine.open('a')
    await publish('old', { ...VALUE, topic: before, replaces: 'x' })
    await engine.forget!(before)
    const after = engine.open('a')
    deepEqual(await latest(after), [])
    const event = await publish('new', { ...VALUE, topic: after, replaces: 'x' })
    deepEqual(dataOf([event]), textsOf(await latest(after)))
  })
}
