// The contract of engines: what can be read, and what cannot.
import { deepEqual, equal, match, notEqual } from 'node:assert/strict'
import { dataOf, epochOf, refused, type EngineTest } from './bench.js'

export function testReplay (test: EngineTest): void {
  test('a topic without events has a start, from which all that comes can be read', async ({ engine, publish }) => {
    const { from, entries, last } = await engine.read('a', '', 10)
    equal(from, undefined)
    deepEqual(entries, [])
    match(last, /^[\w.-]+-[\w.]+$/)
    deepEqual(await engine.read('a', last, 10), { from: last, entries: [], last }, 'an empty history with a known cursor has nothing')
    const one = await publish('one')
    const page = await engine.read('a', last, 10)
    equal(page.from, last)
    deepEqual(dataOf(page.entries), ['one'])
    equal(page.last, one.position)
    equal(one.previous, last)
  })

  test('a page holds at most as many as asked for, and the next one goes on where it ended', async ({ engine, publishAll }) => {
    const { last: start } = await engine.read('a', '', 0)
    const published = await publishAll(['one', 'two', 'three', 'four', 'five'])
    const last = published[4]!.position
    const pages: unknown[] = []
    for (let after = start; ;) {
      const page = await engine.read('a', after, 2)
      equal(page.from, after)
      equal(page.last, last)
      pages.push(dataOf(page.entries))
      if (page.entries.length === 0) break
      after = page.entries.at(-1)!.position
    }
    deepEqual(pages, [['one', 'two'], ['three', 'four'], ['five'], []])
    deepEqual(await engine.read('a', start, 0), { from: start, entries: [], last }, 'none when none are asked for')
  })

  test('a cursor may be the id that an event brought', async ({ engine, publish }) => {
    await publish('one')
    const two = await publish('two', { id: 'my id' })
    await publish('three')
    const page = await engine.read('a', 'my id', 10)
    equal(page.from, two.position)
    deepEqual(dataOf(page.entries), ['three'])
    deepEqual(dataOf((await engine.read('a', two.position, 10)).entries), ['three'])
    equal((await engine.read('b', 'my id', 10)).from, undefined, 'ids are of one topic')
  })

  test('an id that an event of the history has is refused, and nothing is added', async ({ engine, publish }) => {
    const first = await publish('one', { id: 'same' })
    await publish('two', { id: 'other' })
    for (const audience of [undefined, 'ann']) await refused(publish('three', { id: 'same', audience }))
    const next = await publish('four')
    deepEqual(dataOf((await engine.read('a', 'same', 10)).entries), ['two', 'four'])
    deepEqual((await engine.read('a', first.position, 10)).entries.map(({ previous }) => previous).slice(1), [(await engine.read('a', 'other', 1)).from])
    equal((await engine.read('a', '', 0)).last, next.position)
    equal((await publish('b', { topic: 'b', id: 'same' })).id, 'same', 'ids are of one topic')
  })

  test('an id that reads like a position of the topic is refused, and no other', async ({ engine, publish }) => {
    const { position } = await publish('one')
    const foreign = await publish('foreign', { topic: 'b' })
    for (const id of [position, `${epochOf(position)}-999`, `${epochOf(position)}-x`]) await refused(publish('two', { id }))
    for (const id of [foreign.position, 'order-4711']) {
      equal((await publish('three', { id })).id, id)
      notEqual((await engine.read('a', id, 1)).from, undefined)
    }
  })

  test('a topic whose values replace each other takes an id as often as it comes, and knows none', async ({ engine, publish }) => {
    for (let n = 0; n < 3; n++) equal((await publish('value', { id: 'same', history: 0, latest: true })).id, 'same')
    equal((await engine.read('a', 'same', 10)).from, undefined)
  })

  test('of an id that an event brought it tells whom that event is for', async ({ engine, publish }) => {
    const hidden = await publish('one', { id: 'order-1', audience: { user: 'ann' } })
    await publish('two', { id: 'order-2' })
    deepEqual((await engine.read('a', 'order-1', 0)).audience, { user: 'ann' })
    equal((await engine.read('a', 'order-2', 0)).audience, undefined)
    equal((await engine.read('a', hidden.position, 0)).audience, undefined, 'a position tells nothing of its event')
  })

  test('a topic that is opened again has nothing of the one before', async ({ engine, publish }) => {
    if (engine.open === undefined) return
    const [before, after] = [engine.open('a'), engine.open('a')] as const
    const old = await publish('one', { topic: before })
    await publish('two', { topic: before })
    await publish('new', { topic: after })
    equal((await engine.read(after, old.position, 10)).from, undefined)
    deepEqual(dataOf((await engine.read(before, old.position, 10)).entries), ['two'])
    await engine.forget!(before)
    equal((await engine.read(before, old.position, 10)).from, undefined)
    notEqual(epochOf((await engine.read(after, '', 0)).last), epochOf(old.position))
  })

  test('a cursor that is unknown is told apart from one that has nothing after it', async ({ engine, publishAll }) => {
    const entries = await publishAll(['one', 'two'])
    const last = entries[1]!.position
    const unknown = { from: undefined, entries: [], last }
    const prefix = last.slice(0, last.lastIndexOf('-') + 1)
    const cursors = [
      '', 'x', '-', '0', '1', '~', 'a b', 'é', 'x'.repeat(5000), '__proto__', 'constructor', prefix, `${prefix}-1`, `${prefix}01`, `${prefix}1e0`,
      `${prefix}1.5`, `${prefix}+1`, `${prefix} 1`, `${prefix}x`, `${prefix}99999999999999999999`, `other-${last.slice(prefix.length)}`, ` ${last}`, `${last} `
    ]
    for (const cursor of cursors) deepEqual(await engine.read('a', cursor, 10), unknown, `cursor ${JSON.stringify(cursor.slice(0, 40))}`)
    deepEqual(await engine.read('a', last, 10), { from: last, entries: [], last })
  })

  test('a position that has not been given yet is unknown', async ({ engine, publishAll }) => {
    const later = (await publishAll(['one', 'two', 'three'], { topic: 'b' })).at(-1)
    await publishAll(['one'])
    equal((await engine.read('a', later!.position, 10)).from, undefined)
  })

  for (const history of [1, 3, 10]) {
    test(`a history of ${history} can be replayed, and no more`, async ({ engine, publishAll }) => {
      const values = Array.from({ length: 100 }, (_, n) => `v${n}`)
      const entries = await publishAll(values, { history })
      const reads = await Promise.all(entries.map(({ position }) => engine.read('a', position, 1000)))
      const last = entries.at(-1)!.position
      for (const [n, read] of reads.entries()) {
        const missed = values.length - 1 - n
        deepEqual([read.from, dataOf(read.entries), read.last], missed <= history
          ? [entries[n]!.position, values.slice(n + 1), last]
          : [undefined, [], last], `${missed} events were missed`)
      }
    })
  }

  for (const history of [0, 1, 3]) {
    test(`with a history of ${history}, an id that an event brought is known as long as its position`, async ({ engine, publish }) => {
      const { position } = await publish('own', { id: 'mine', history })
      for (let n = 0; n <= history; n++) {
        const page = await engine.read('a', 'mine', 10)
        equal(page.from, position)
        equal(page.entries.length, n)
        await refused(publish('again', { id: 'mine', history }))
        await publish('more', { history })
      }
      equal((await engine.read('a', 'mine', 10)).from, undefined)
      equal((await publish('again', { id: 'mine', history })).id, 'mine')
    })
  }

  test('ids that events brought go with their events', async ({ engine, publish }) => {
    await publish('zero', { id: 'again', history: 2 })
    for (let n = 0; n < 60; n++) await publish(`v${n}`, { id: `id${n}`, history: 2 })
    await publish('v60', { id: 'again', history: 2 })
    await publish('v61', { history: 2 })
    equal((await engine.read('a', 'id5', 10)).from, undefined)
    equal((await engine.read('a', 'id58', 10)).from, undefined)
    deepEqual(dataOf((await engine.read('a', 'id59', 10)).entries), ['v60', 'v61'])
    equal((await publish('v62', { id: 'id5', history: 2 })).id, 'id5')
    deepEqual(dataOf((await engine.read('a', 'again', 10)).entries), ['v61', 'v62'])
    for (let n = 0; n < 40; n++) await publish('more', { history: 2 })
    for (const id of ['again', 'id5']) equal((await engine.read('a', id, 10)).from, undefined)
  })

  test('without history only the newest position is known', async ({ engine, publish }) => {
    const one = await publish('one', { history: 0 })
    const two = await publish('two', { history: 0 })
    const last = two.position
    deepEqual(await engine.read('a', one.position, 10), { from: undefined, entries: [], last })
    deepEqual(await engine.read('a', last, 10), { from: last, entries: [], last })
  })
}
