// A topic that is followed here: what is heard, read or lost, whatever answers first.
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { Follower } from '../../dist/redis/follower.js'
import { Tails } from '../../dist/redis/tail.js'
import { until } from '../helpers/app.js'

const event = (n, previous = n - 1) => ({ position: `e-${n}.0`, previous: `e-${previous}.0`, record: { data: String(n) } })

/** A follower whose reads the test answers, and what it has told. */
function build ({ history = 10, ttl = 0, pause = async () => true } = {}) {
  const reads = []
  const told = []
  const follower = new Follower({
    tails: new Tails(1e6),
    pause,
    read: (after, limit) => new Promise((resolve, reject) => {
      reads.push({
        after,
        reject,
        answer: page => resolve({ from: after === '' ? undefined : after, entries: [], history, ttl, sizes: page.entries?.map(() => 1) ?? [], ...page })
      })
    })
  })
  follower.listeners.add({ hear: ({ position }) => told.push(position), lost: (from, to) => told.push(`${from}>${to}`) })
  const next = async () => {
    await until(() => reads.length > 0)
    return reads.shift()
  }
  return {
    follower,
    reads,
    told,
    next,
    take: (n, previous, others) => follower.take({ event: event(n, previous), history, ttl, size: 1, ...others }),
    async begin (last = 'e-0.0') {
      const resumed = follower.resume()
      ;(await next()).answer({ last })
      await resumed
    }
  }
}

t.test('what comes while it reads once more is heard once, and in order', async t => {
  const { follower, told, next, take, begin } = build()
  await begin()
  const resumed = follower.resume()
  // The connection is a new one already.
  follower.resume()
  ;(await next()).answer({ last: 'e-0.0' })
  const second = await next()
  take(1)
  take(2)
  second.answer({ entries: [event(1)], last: 'e-1.0' })
  await resumed
  t.same(told, ['e-1.0', 'e-2.0'])
  take(3)
  t.same(told, ['e-1.0', 'e-2.0', 'e-3.0'])
  follower.drop()
})

t.test('a log that is trimmed while it is read is a gap to what waits, not back to what was heard', async t => {
  const { follower, told, next, take, begin } = build()
  await begin()
  const resumed = follower.resume()
  const first = await next()
  take(1)
  first.answer({ entries: Array.from({ length: 100 }, (_, n) => event(n + 1)), last: 'e-150.0' })
  const second = await next()
  take(160, 155)
  second.answer({ from: undefined, last: 'e-150.0' })
  await resumed
  t.equal(told.length, 102)
  t.same(told.slice(-2), ['e-100.0>e-155.0', 'e-160.0'])
  follower.drop()
})

t.test('without a log what waits may go on where it was', async t => {
  const { follower, told, next, take, begin } = build({ history: 0 })
  await begin()
  const resumed = follower.resume()
  const read = await next()
  take(1)
  read.answer({ from: undefined, last: 'e-1.0' })
  await resumed
  t.same(told, ['e-1.0'])
  follower.drop()
})

t.test('the newest event of a log that was lost is where it goes on', async t => {
  const { follower, told, next, begin } = build()
  await begin()
  const resumed = follower.resume()
  ;(await next()).answer({ from: undefined, last: 'f-0.0' })
  await resumed
  t.same(told, ['e-0.0>f-0.0'])
  follower.drop()
})

t.test('until it is known where it begins, Redis is asked', async t => {
  const { follower, next } = build()
  const page = follower.read('e-5.0', 10)
  ;(await next()).answer({ last: 'e-7.0' })
  t.equal((await page).last, 'e-7.0')
})

t.test('a reader that waits for an event that is not told has it read, or is dropped', async t => {
  const { follower, told, next, begin } = build()
  await begin()
  const reached = follower.reached('e-1.0')
  ;(await next()).answer({ entries: [event(1)], last: 'e-1.0' })
  await reached
  t.same(told, ['e-1.0'])
  const dropped = follower.reached('e-2.0')
  follower.drop()
  await dropped
})

t.test('one that is dropped does not go on reading', async t => {
  let isOver = false
  const { follower, reads, told, next, begin } = build({ pause: async () => !isOver })
  await begin()
  const failing = follower.resume()
  ;(await next()).reject(new Error('away'))
  const again = await next()
  isOver = true
  again.reject(new Error('away'))
  await failing
  t.equal(reads.length, 0)
  const other = build()
  await other.begin()
  const resumed = other.follower.resume()
  const read = await other.next()
  other.follower.drop()
  read.answer({ entries: [event(1)], last: 'e-1.0' })
  await resumed
  t.same([other.told, told], [[], []])
  follower.drop()
})

t.test('a topic whose events get a time to live is read from Redis from then on', async t => {
  const { follower, next, take, begin } = build()
  await begin()
  take(1)
  t.equal((await follower.read('e-0.0', 10)).entries.length, 1)
  take(2, 1, { ttl: 1000 })
  const page = follower.read('e-0.0', 10)
  ;(await next()).answer({ entries: [event(2)], last: 'e-2.0', ttl: 1000 })
  t.same((await page).entries.map(({ position }) => position), ['e-2.0'])
  follower.drop()
})

t.test('a hole that the log does not explain is one', async t => {
  const page = { from: undefined, entries: [], last: 'e-1.0', history: 10, ttl: 0, sizes: [] }
  const follower = new Follower({ tails: new Tails(100), pause: async () => true, read: async after => after === '' ? page : { ...page, from: after } })
  const heard = []
  const losses = []
  follower.listeners.add({ hear: ({ position }) => heard.push(position), lost: (from, to) => losses.push([from, to]) })
  await follower.resume()
  await follower.begun
  follower.take({ event: event(5), history: 10, ttl: 0, size: 1 })
  await until(() => heard.length === 1)
  t.same([losses, heard], [[['e-1.0', 'e-4.0']], ['e-5.0']])
  follower.drop()
})

t.test('a follower whose log cannot be read tries again, and what is too much to hold is read', async t => {
  let fails = true
  const page = { from: undefined, entries: [], last: 'e-0.0', history: 5000, ttl: 0, sizes: [] }
  const all = Array.from({ length: 1500 }, (_, n) => event(n + 1))
  const follower = new Follower({
    tails: new Tails(1e6),
    pause: async () => { await wait(1); return true },
    async read (after, limit) {
      if (after === '') return page
      if (fails) throw new Error('away')
      const start = Number(/\d+/.exec(after)[0])
      const entries = all.slice(start, start + limit)
      return { ...page, from: after, entries, last: 'e-1500.0', sizes: entries.map(() => 1) }
    }
  })
  const heard = []
  follower.listeners.add({ hear: ({ position }) => heard.push(position), lost: undefined })
  await follower.resume()
  for (const each of all.slice(1)) follower.take({ event: each, history: 5000, ttl: 0, size: 1 })
  fails = false
  await until(() => heard.length === 1500)
  t.same(heard, all.map(({ position }) => position))
  follower.drop()
})
