// What every engine of channels must do, and an engine that takes its time.
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { htmx2 } from '../../dist/dialects/htmx2.js'
import { htmx4 } from '../../dist/dialects/htmx4.js'
import { until } from './app.js'

const record = data => ({ data })
const epochOf = position => position.slice(0, position.lastIndexOf('-'))
const dataOf = entries => entries.map(({ record: { data } }) => data)

/**
 * The engine of one process with the delays of one over a network: every verb
 * waits for a while, and order is kept. A listener hears of an event before its
 * publisher does, but `lag` lets it hear later than a reader can read it.
 */
export class AsyncEngine {
  #engine = new MemoryEngine()
  #random
  #lag
  #published = Promise.resolve()
  #told = Promise.resolve()

  constructor ({ random = Math.random, lag = false } = {}) {
    this.#random = random
    this.#lag = lag
  }

  open (channel) {
    return this.#engine.open(channel)
  }

  forget (topic) {
    this.#engine.forget(topic)
  }

  publish (topic, publication) {
    const published = this.#published.then(async () => {
      await this.#delay()
      return this.#engine.publish(topic, publication)
    })
    this.#published = published.catch(() => {})
    return published.then(async entry => {
      await this.#delay()
      return entry
    })
  }

  async read (topic, after, limit) {
    await this.#delay()
    const page = this.#engine.read(topic, after, limit)
    await this.#delay()
    return page
  }

  listen (topic, listener) {
    if (!this.#lag) return this.#engine.listen(topic, listener)
    let isStopped = false
    const stop = this.#engine.listen(topic, entry => {
      this.#told = this.#told.then(async () => {
        await this.#delay()
        if (!isStopped) listener(entry)
      })
    })
    return () => {
      isStopped = true
      stop()
    }
  }

  async close () {
    await this.#delay()
    this.#engine.close()
  }

  async #delay () {
    const chance = this.#random()
    if (chance < 0.4) return
    if (chance < 0.8) await turn()
    else await wait(Math.floor(chance * 20) - 15)
  }
}

/**
 * Proves that an engine does what channels need. `createEngine` gives a new
 * engine, empty, or a promise of it.
 */
export function testEngine (t, name, createEngine) {
  const test = (title, run) => t.test(`${name}: ${title}`, async t => {
    const engine = await createEngine()
    const publish = async (data, { topic = 'a', history = 100, audience, latest, ...fields } = {}) =>
      engine.publish(topic, { record: { data, ...fields }, audience, history, latest })
    const publishAll = async (values, options) => {
      const entries = []
      for (const value of values) entries.push(await publish(value, options))
      return entries
    }
    await run(t, { engine, publish, publishAll })
    await engine.close()
  })

  test('an event that was published has a position, its content, and knows the one before', async (t, { publish }) => {
    const [first, second] = [await publish('one', { event: 'e', retry: 5 }), await publish('two', { audience: { user: 'ann' } })]
    t.same(first.record, { data: 'one', event: 'e', retry: 5 })
    t.equal(first.audience, undefined)
    t.same(second.record, record('two'))
    t.same(second.audience, { user: 'ann' })
    t.equal(first.id, first.position)
    t.equal(second.previous, first.position)
    t.not(first.previous, first.position)
    t.equal(first.frame(htmx2), `event: e\nid: ${first.position}\nretry: 5\ndata: one\n\n`)
  })

  test('positions are unique, have an epoch and a sequence, and only characters that need no CORS preflight', async (t, { publishAll }) => {
    const entries = [...await publishAll(Array(60).fill('x')), ...await publishAll(Array(60).fill('x'), { history: 0 })]
    t.equal(new Set(entries.map(({ position }) => position)).size, 120)
    for (const { position } of entries) t.match(position, /^[\w.]{1,40}-[\w.]{1,40}$/)
    const epochs = new Set(entries.map(({ position }) => epochOf(position)))
    t.equal(epochs.size, 1, 'one epoch for all positions of a topic')
    const [other] = await publishAll(['x'], { topic: 'b' })
    t.notOk(epochs.has(epochOf(other.position)), 'and another one for another topic')
  })

  test('an event with an id of its own shows that id, and its position is another', async (t, { publish }) => {
    const entry = await publish('one', { id: 'own' })
    t.equal(entry.id, 'own')
    t.not(entry.position, 'own')
    t.equal(entry.frame(htmx4), 'id: own\ndata: one\n\n')
  })

  test('events that are published at once keep the order of the calls', async (t, { engine, publish }) => {
    const heard = []
    engine.listen('a', entry => heard.push(entry))
    const start = (await engine.read('a', '', 0)).last
    const values = Array.from({ length: 50 }, (_, n) => n)
    const entries = await Promise.all(values.map(value => publish(value)))
    t.same(dataOf(entries), values)
    await until(() => heard.length === 50)
    t.same(dataOf(heard), values)
    t.same(dataOf((await engine.read('a', start, 100)).entries), values)
  })

  test('each event follows on the one before, without a hole', async (t, { engine, publishAll }) => {
    const { last: start } = await engine.read('a', '', 0)
    const entries = await publishAll(['one', 'two', 'three', 'four'])
    t.same(entries.map(({ previous }) => previous), [start, ...entries.slice(0, -1).map(({ position }) => position)])
    const { entries: read } = await engine.read('a', start, 10)
    t.same(read.map(({ position, previous, id }) => [position, previous, id]), entries.map(({ position, previous, id }) => [position, previous, id]))
  })

  test('a topic without events has a start, from which all that comes can be read', async (t, { engine, publish }) => {
    const { from, entries, last } = await engine.read('a', '', 10)
    t.equal(from, undefined)
    t.same(entries, [])
    t.match(last, /^[\w.-]+-[\w.]+$/)
    t.same(await engine.read('a', last, 10), { from: last, entries: [], last }, 'an empty history with a known cursor has nothing')
    const one = await publish('one')
    const page = await engine.read('a', last, 10)
    t.equal(page.from, last)
    t.same(dataOf(page.entries), ['one'])
    t.equal(page.last, one.position)
    t.equal(one.previous, last)
  })

  test('a page holds at most as many as asked for, and the next one goes on where it ended', async (t, { engine, publishAll }) => {
    const { last: start } = await engine.read('a', '', 0)
    const published = await publishAll(['one', 'two', 'three', 'four', 'five'])
    const last = published[4].position
    const pages = []
    for (let after = start; ;) {
      const page = await engine.read('a', after, 2)
      t.equal(page.from, after)
      t.equal(page.last, last)
      pages.push(dataOf(page.entries))
      if (page.entries.length === 0) break
      after = page.entries.at(-1).position
    }
    t.same(pages, [['one', 'two'], ['three', 'four'], ['five'], []])
    t.same(await engine.read('a', start, 0), { from: start, entries: [], last }, 'none when none are asked for')
  })

  test('a cursor may be the id that an event brought', async (t, { engine, publish }) => {
    await publish('one')
    const two = await publish('two', { id: 'my id' })
    await publish('three')
    const page = await engine.read('a', 'my id', 10)
    t.equal(page.from, two.position)
    t.same(dataOf(page.entries), ['three'])
    t.same(dataOf((await engine.read('a', two.position, 10)).entries), ['three'])
    t.equal((await engine.read('b', 'my id', 10)).from, undefined, 'ids are of one topic')
  })

  test('an id that an event of the history has is refused, and nothing is added', async (t, { engine, publish }) => {
    const first = await publish('one', { id: 'same' })
    await publish('two', { id: 'other' })
    for (const audience of [undefined, 'ann']) await t.rejects(publish('three', { id: 'same', audience }), { code: 'FST_CHIRP_ID' })
    const next = await publish('four')
    t.same(dataOf((await engine.read('a', 'same', 10)).entries), ['two', 'four'])
    t.same((await engine.read('a', first.position, 10)).entries.map(({ previous }) => previous).slice(1), [(await engine.read('a', 'other', 1)).from])
    t.equal((await engine.read('a', '', 0)).last, next.position)
    t.equal((await publish('b', { topic: 'b', id: 'same' })).id, 'same', 'ids are of one topic')
  })

  test('an id that reads like a position of the topic is refused, and no other', async (t, { engine, publish }) => {
    const { position } = await publish('one')
    const foreign = await publish('foreign', { topic: 'b' })
    for (const id of [position, `${epochOf(position)}-999`, `${epochOf(position)}-x`]) await t.rejects(publish('two', { id }), { code: 'FST_CHIRP_ID' })
    for (const id of [foreign.position, 'order-4711']) {
      t.equal((await publish('three', { id })).id, id)
      t.notOk((await engine.read('a', id, 1)).from === undefined)
    }
  })

  test('a topic whose values replace each other takes an id as often as it comes, and knows none', async (t, { engine, publish }) => {
    for (let n = 0; n < 3; n++) t.equal((await publish('value', { id: 'same', history: 0, latest: true })).id, 'same')
    t.equal((await engine.read('a', 'same', 10)).from, undefined)
  })

  test('of an id that an event brought it tells whom that event is for', async (t, { engine, publish }) => {
    const hidden = await publish('one', { id: 'order-1', audience: { user: 'ann' } })
    await publish('two', { id: 'order-2' })
    t.same((await engine.read('a', 'order-1', 0)).audience, { user: 'ann' })
    t.equal((await engine.read('a', 'order-2', 0)).audience, undefined)
    t.equal((await engine.read('a', hidden.position, 0)).audience, undefined, 'a position tells nothing of its event')
  })

  test('a topic that is opened again has nothing of the one before', async (t, { engine, publish, publishAll }) => {
    if (engine.open === undefined) return
    const [before, after] = [engine.open('a'), engine.open('a')]
    const [old] = await publishAll(['one', 'two'], { topic: before })
    await publish('new', { topic: after })
    t.equal((await engine.read(after, old.position, 10)).from, undefined)
    t.same(dataOf((await engine.read(before, old.position, 10)).entries), ['two'])
    engine.forget(before)
    t.equal((await engine.read(before, old.position, 10)).from, undefined)
    t.notOk(epochOf((await engine.read(after, '', 0)).last) === epochOf(old.position))
  })

  test('a cursor that is unknown is told apart from one that has nothing after it', async (t, { engine, publishAll }) => {
    const entries = await publishAll(['one', 'two'])
    const last = entries[1].position
    const unknown = { from: undefined, entries: [], last }
    const prefix = last.slice(0, last.lastIndexOf('-') + 1)
    const cursors = [
      '', 'x', '-', '0', '1', '~', 'a b', 'é', 'x'.repeat(5000), '__proto__', 'constructor', prefix, `${prefix}-1`, `${prefix}01`, `${prefix}1e0`,
      `${prefix}1.5`, `${prefix}+1`, `${prefix} 1`, `${prefix}x`, `${prefix}99999999999999999999`, `other-${last.slice(prefix.length)}`, ` ${last}`, `${last} `
    ]
    for (const cursor of cursors) t.same(await engine.read('a', cursor, 10), unknown, `cursor ${JSON.stringify(cursor.slice(0, 40))}`)
    t.same(await engine.read('a', last, 10), { from: last, entries: [], last })
  })

  test('a position that has not been given yet is unknown', async (t, { engine, publishAll }) => {
    const later = (await publishAll(['one', 'two', 'three'], { topic: 'b' })).at(-1)
    await publishAll(['one'])
    t.equal((await engine.read('a', later.position, 10)).from, undefined)
  })

  for (const history of [1, 3, 10]) {
    test(`a history of ${history} can be replayed, and no more`, async (t, { engine, publishAll }) => {
      const values = Array.from({ length: 100 }, (_, n) => `v${n}`)
      const entries = await publishAll(values, { history })
      const reads = await Promise.all(entries.map(({ position }) => engine.read('a', position, 1000)))
      const last = entries.at(-1).position
      for (const [n, read] of reads.entries()) {
        const missed = values.length - 1 - n
        t.same([read.from, dataOf(read.entries), read.last], missed <= history
          ? [entries[n].position, values.slice(n + 1), last]
          : [undefined, [], last], `${missed} events were missed`)
      }
    })
  }

  for (const history of [0, 1, 3]) {
    test(`with a history of ${history}, an id that an event brought is known as long as its position`, async (t, { engine, publish }) => {
      const { position } = await publish('own', { id: 'mine', history })
      for (let n = 0; n <= history; n++) {
        const page = await engine.read('a', 'mine', 10)
        t.equal(page.from, position)
        t.equal(page.entries.length, n)
        await t.rejects(publish('again', { id: 'mine', history }), { code: 'FST_CHIRP_ID' })
        await publish('more', { history })
      }
      t.equal((await engine.read('a', 'mine', 10)).from, undefined)
      t.equal((await publish('again', { id: 'mine', history })).id, 'mine')
    })
  }

  test('ids that events brought go with their events', async (t, { engine, publish }) => {
    await publish('zero', { id: 'again', history: 2 })
    for (let n = 0; n < 60; n++) await publish(`v${n}`, { id: `id${n}`, history: 2 })
    await publish('v60', { id: 'again', history: 2 })
    await publish('v61', { history: 2 })
    t.equal((await engine.read('a', 'id5', 10)).from, undefined)
    t.equal((await engine.read('a', 'id58', 10)).from, undefined)
    t.same(dataOf((await engine.read('a', 'id59', 10)).entries), ['v60', 'v61'])
    t.equal((await publish('v62', { id: 'id5', history: 2 })).id, 'id5')
    t.same(dataOf((await engine.read('a', 'again', 10)).entries), ['v61', 'v62'])
    for (let n = 0; n < 40; n++) await publish('more', { history: 2 })
    for (const id of ['again', 'id5']) t.equal((await engine.read('a', id, 10)).from, undefined)
  })

  test('without history only the newest position is known', async (t, { engine, publishAll }) => {
    const [one, two] = await publishAll(['one', 'two'], { history: 0 })
    const last = two.position
    t.same(await engine.read('a', one.position, 10), { from: undefined, entries: [], last })
    t.same(await engine.read('a', last, 10), { from: last, entries: [], last })
  })

  test('a listener gets each event once and in order, until it is stopped', async (t, { engine, publish, publishAll }) => {
    await publish('before')
    const heard = []
    const others = []
    const stop = engine.listen('a', entry => heard.push(entry))
    const stopOther = engine.listen('a', entry => others.push(entry))
    const entries = await publishAll(['one', 'two', 'three'], { audience: 'ann' })
    await until(() => heard.length === 3 && others.length === 3)
    t.same(heard.map(({ position, previous, id, audience, record }) => ({ position, previous, id, audience, record })),
      entries.map(({ position, previous, id, audience, record }) => ({ position, previous, id, audience, record })))
    stop()
    stop()
    await publish('four')
    await until(() => others.length === 4)
    stopOther()
    await publish('five')
    await wait(20)
    t.same([dataOf(heard), dataOf(others)], [['one', 'two', 'three'], ['one', 'two', 'three', 'four']])
  })

  test('a listener also gets what is not kept', async (t, { engine, publishAll }) => {
    const heard = []
    engine.listen('a', entry => heard.push(entry))
    await publishAll(['one', 'two'], { history: 0 })
    await until(() => heard.length === 2)
    t.same(dataOf(heard), ['one', 'two'])
  })

  test('topics do not know of each other', async (t, { engine, publish }) => {
    const heard = []
    engine.listen('a', entry => heard.push(entry))
    engine.listen('__proto__', entry => heard.push(entry))
    const { last: start } = await engine.read('a', '', 0)
    await publish('foreign', { topic: 'b' })
    await publish('own')
    await publish('strange', { topic: '__proto__' })
    await until(() => heard.length === 2)
    t.same(dataOf(heard), ['own', 'strange'])
    t.same(dataOf((await engine.read('a', start, 10)).entries), ['own'])
  })

  test('what is read after an event was heard, or published, has that event', async (t, { engine, publish }) => {
    const { last: start } = await engine.read('a', '', 0)
    const reads = []
    engine.listen('a', () => reads.push(engine.read('a', start, 1000)))
    for (let n = 1; n <= 20; n++) {
      const { position } = await publish(n)
      t.equal((await engine.read('a', position, 1)).from, position)
    }
    await until(() => reads.length === 20)
    for (const [n, page] of (await Promise.all(reads)).entries()) t.ok(page.entries.length > n)
  })

  test('nothing is heard after it was closed', async (t, { engine, publish }) => {
    const heard = []
    engine.listen('a', entry => heard.push(entry))
    await publish('one')
    await until(() => heard.length === 1)
    await engine.close()
    await wait(10)
    t.same(dataOf(heard), ['one'])
  })
}
