// The option `source`: it runs while somebody follows.
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { merge } from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { buildApp, never, until } from '../helpers/app.js'
import { settle, stopClock } from '../helpers/clock.js'
import { AsyncEngine } from '../helpers/engine.js'
import { buildChannel, Client } from '../helpers/engines.js'

const datum = data => ({ data: String(data) })
const shown = ({ events }) => events.map(({ data }) => data)

function connect (source) {
  const client = new Client(source)
  client.connect()
  return client
}

/** A source that is told what to yield, and notes what became of its runs. */
function controlled () {
  const runs = []
  async function * source ({ signal, log }) {
    const run = { signal, log, isOver: false, push: undefined }
    runs.push(run)
    try {
      for (;;) {
        const step = await new Promise(resolve => {
          run.push = value => resolve({ value })
          run.fail = error => resolve({ error })
          run.end = () => resolve({ isEnd: true })
          signal.addEventListener('abort', () => resolve({ isEnd: true }))
        })
        if (step.isEnd) return
        if (step.error !== undefined) throw step.error
        yield step.value
      }
    } finally {
      run.isOver = true
    }
  }
  return { source, runs }
}

function build (t, options, engine = new MemoryEngine()) {
  const clock = stopClock(t)
  return { ...clock, ...buildChannel(engine, options) }
}

t.test('wrong values are refused', async t => {
  const app = await buildApp(t)
  const source = async function * () {}
  for (const wrong of [null, 5, 'x', {}, source({})]) t.throws(() => app.channel('a', { source: wrong }), { code: 'FST_CHIRP_OPTION', message: /"source" must be a function that returns an iterable/ })
  for (const linger of [-1, 1.5, '5', false, 2 ** 31]) t.throws(() => app.channel('a', { source, linger }), { code: 'FST_CHIRP_OPTION', message: /"linger" of app.channel\(\) must be a whole number from 0/ })
  t.throws(() => app.channel('a', { linger: 5 }), { code: 'FST_CHIRP_OPTION', message: /no effect without "source"/ })
  const channel = app.channel('a', { source })
  t.equal(app.channel('a', { source, linger: 1000 }), channel)
  t.throws(() => app.channel('a', { source: async function * () {} }), { code: 'FST_CHIRP_OPTION', message: /another "source"/ })
  t.throws(() => app.channel('a', { source, linger: 5 }), { code: 'FST_CHIRP_OPTION', message: /another "linger"/ })
  app.channel('b')
  t.throws(() => app.channel('b', { source }), { code: 'FST_CHIRP_OPTION', message: /another "source"/ })
})

t.test('runs once for all who follow, is kept for linger, and started again for the next', async t => {
  const { source, runs } = controlled()
  const { channel, pass, timers, errors } = build(t, { source })
  await settle()
  t.equal(runs.length, 0, 'nobody follows')
  const first = connect(channel)
  const second = connect(merge(channel, channel))
  await settle()
  t.equal(runs.length, 1)
  runs[0].push(datum(1))
  await settle()
  t.same([shown(first), shown(second)], [['1'], ['1', '1']])
  first.disconnect()
  await pass(5000)
  t.notOk(runs[0].signal.aborted)
  second.disconnect()
  await pass(999)
  t.notOk(runs[0].signal.aborted)
  second.connect()
  await pass(5000)
  t.notOk(runs[0].signal.aborted, 'it came back in time')
  second.disconnect()
  await pass(1000)
  t.ok(runs[0].signal.aborted)
  t.match(runs[0].signal.reason, { name: 'AbortError', message: /it has no subscribed stream/ })
  t.ok(runs[0].isOver)
  t.equal(timers.size, 0)
  first.connect()
  await settle()
  t.equal(runs.length, 2)
  runs[1].push(datum(2))
  await settle()
  t.equal(shown(first).at(-1), '2')
  channel.close()
  await settle()
  t.match(runs[1].signal.reason, { name: 'AbortError', message: /closed/ })
  t.ok(runs[1].isOver)
  t.equal(timers.size, 0)
  t.same(errors, [])
})

t.test('a hundred who follow and leave keep no timer and no run', async t => {
  const { source, runs } = controlled()
  const { channel, pass, timers } = build(t, { source, linger: 0 })
  for (let n = 0; n < 100; n++) {
    const client = connect(channel)
    await turn()
    client.disconnect()
    if (n % 2 === 0) await pass(1)
  }
  await pass(1)
  t.equal(timers.size, 0)
  t.ok(runs.length > 0)
  t.ok(runs.every(({ isOver, signal }) => isOver && signal.aborted))
})

t.test('one that fails is told, and started again after 0.5, 1, 2 ... 30 s, and after a value from the start', async t => {
  const { source, runs } = controlled()
  const { channel, pass, timers, errors } = build(t, { source })
  const client = connect(channel)
  await settle()
  for (const [n, delay] of [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000].entries()) {
    runs[n].fail(new Error(`failure ${n}`))
    await settle()
    t.equal(errors.length, n + 1)
    t.ok(runs[n].signal.aborted, 'what it has started hears of it')
    await pass(delay - 1)
    t.equal(runs.length, n + 1)
    await pass(1)
    t.equal(runs.length, n + 2)
  }
  runs[8].push(datum(1))
  await settle()
  runs[8].fail(new Error('after a value'))
  await settle()
  await pass(499)
  t.equal(runs.length, 9)
  await pass(1)
  t.equal(runs.length, 10)
  await settle()
  runs[9].fail(new Error('again'))
  await settle()
  await pass(1000)
  t.equal(runs.length, 11)
  await pass(30000)
  runs[10].fail(new Error('after a good while'))
  await settle()
  await pass(500)
  t.equal(runs.length, 12)
  runs[11].fail(new Error('last'))
  await settle()
  client.disconnect()
  await pass(999)
  client.connect()
  await pass(0)
  t.equal(runs.length, 12, 'who comes back does not hurry it')
  await pass(1)
  t.equal(runs.length, 13)
  runs[12].fail(new Error('last'))
  await settle()
  client.disconnect()
  await pass(1000)
  await pass(100000)
  t.equal(runs.length, 13)
  t.equal(timers.size, 0)
  client.connect()
  await settle()
  t.equal(runs.length, 14)
  channel.close()
})

t.test('one that ends rests until the next who is the first', async t => {
  const { source, runs } = controlled()
  const { channel, pass, timers, errors } = build(t, { source })
  const [first, second] = [connect(channel), connect(channel)]
  await settle()
  runs[0].end()
  await settle()
  t.ok(runs[0].signal.aborted)
  second.disconnect()
  second.connect()
  await pass(60000)
  t.equal(runs.length, 1)
  first.disconnect()
  second.disconnect()
  t.equal(timers.size, 0)
  first.connect()
  await settle()
  t.equal(runs.length, 2)
  t.same(errors, [])
  channel.close()
})

for (const [name, give] of Object.entries({
  'an array': () => ['a', 'b'].map(datum),
  'a promise of an iterable': async () => new Set(['a', 'b'].map(datum)),
  'a Readable': () => Readable.from(['a', 'b'].map(datum)),
  'a web stream': () => new ReadableStream({ start (controller) { for (const data of ['a', 'b']) controller.enqueue(datum(data)); controller.close() } }),
  'a generator': function * () { yield * ['a', 'b'].map(datum) }
})) {
  for (const [engineName, engine] of [['memory', () => new MemoryEngine()], ['async', () => new AsyncEngine()]]) {
    t.test(`${engineName}: the first who follows gets all of ${name}`, async t => {
      const { channel, errors } = buildChannel(engine(), { source: give })
      const client = connect(channel)
      await until(() => client.events.length === 2)
      t.same(shown(client), ['a', 'b'])
      t.same(errors, [])
      channel.close()
    })
  }
}

t.test('what is no source is a failure', async t => {
  for (const give of [() => 5, () => 'text', async () => undefined, () => { throw new Error('at once') }, async () => { throw new Error('later') },
    () => ({ [Symbol.asyncIterator]: () => ({ next: async () => 5 }) })]) {
    const { channel, errors } = buildChannel(new MemoryEngine(), { source: give })
    const client = connect(channel)
    await until(() => errors.length === 1)
    client.disconnect()
    channel.close()
  }
})

t.test('a value that cannot be sent is told, and the next ones are sent', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a', { source: () => [1, undefined, () => {}, 2] })
  app.get('/', (request, reply) => reply.eventStream(channel))
  const { events } = await new TestClient(app).sse('/', { maxEvents: 2 })
  t.same(events.map(({ data }) => data), ['1', '2'])
  t.equal(app.eventStreams.errors, 2)
})

t.test('one that never waits leaves turns to others, and waits for the engine', async t => {
  let count = 0
  const { channel } = buildChannel(new MemoryEngine(), { source: function * () { for (;;) yield datum(++count) }, history: 10, linger: 0 })
  const client = connect(channel)
  await until(() => client.events.length > 500)
  client.disconnect()
  await until(() => channel.size === 0)
  let before = -1
  await until(() => {
    const isStill = before === count
    before = count
    return isStill
  })
  let pulled = 0
  const held = new MemoryEngine()
  held.publish = () => { pulled++; return never }
  const { channel: slow } = buildChannel(held, { source: function * () { for (;;) yield datum(1) } })
  connect(slow)
  await settle()
  t.equal(pulled, 1)
  slow.close()
})

t.test('one that does not listen is left behind, and what it does later is only in the log', async t => {
  let runs = 0
  let run
  const iterator = {
    next: () => new Promise((resolve, reject) => { run = { resolve, reject } }),
    return: async () => { throw new Error('cleanup') }
  }
  const source = () => {
    runs++
    return { [Symbol.asyncIterator]: () => iterator }
  }
  const { pass, timers, channel, errors, late } = build(t, { linger: 0, source })
  const client = connect(channel)
  await settle()
  const old = run
  client.disconnect()
  await pass(1)
  t.same(late.map(({ message }) => message), ['cleanup'])
  client.connect()
  await settle()
  t.equal(runs, 2)
  old.resolve({ done: false, value: datum('late') })
  await settle()
  t.same(client.events, [])
  client.disconnect()
  await pass(1)
  run.reject(new Error('late'))
  await settle()
  t.same(late.map(({ message }) => message), ['cleanup', 'cleanup', 'late'])
  t.same(errors, [])
  t.equal(timers.size, 0)
})

t.test('one that is stopped before it has begun, or before it has given anything to pull from', async t => {
  let give
  let calls = 0
  const closed = []
  const { channel, pass, late } = build(t, { linger: 0, source: () => { calls++; return new Promise(resolve => { give = resolve }) } })
  const client = connect(channel)
  client.disconnect()
  await pass(1)
  t.equal(calls, 0, 'stopped before it was called')
  client.connect()
  await settle()
  client.disconnect()
  await pass(1)
  give({ [Symbol.iterator]: () => ({ next: () => ({ done: true }), return: () => { closed.push('closed'); return {} } }) })
  await settle()
  t.same(closed, ['closed'])
  client.connect()
  await settle()
  client.disconnect()
  await pass(1)
  give(5)
  await settle()
  t.match(late, [{ code: 'FST_CHIRP_SOURCE' }])
  client.connect()
  channel.close()
  await settle()
  t.equal(calls, 2, 'closed before it was called')
})

t.test('readers that replay count, and so do those who iterate', async t => {
  const { source, runs } = controlled()
  const { channel, pass } = build(t, { source, linger: 0 })
  const first = await channel.publish(datum(0))
  for (let n = 0; n < 300; n++) await channel.publish(datum('x'.repeat(2000)))
  const client = new Client(channel)
  client.cursor = first
  client.stall()
  client.connect()
  await settle()
  t.equal(channel.size, 0)
  t.equal(runs.length, 1)
  await pass(100)
  t.notOk(runs[0].signal.aborted)
  client.disconnect()
  await pass(1)
  t.ok(runs[0].signal.aborted)
  const iterator = channel.subscribe()[Symbol.asyncIterator]()
  await settle()
  t.equal(runs.length, 2)
  runs[1].push(datum('one'))
  t.equal((await iterator.next()).value.record.data, 'one')
  await iterator.return()
  await pass(1)
  t.ok(runs[1].isOver)
  const controller = new AbortController()
  const aborted = channel.subscribe({ signal: controller.signal })[Symbol.asyncIterator]()
  await settle()
  controller.abort()
  t.ok((await aborted.next()).done)
  await pass(1)
  t.equal(runs.length, 3)
  t.ok(runs[2].isOver)
})

t.test('an app closes with a source that never ends', async t => {
  const app = await buildApp(t)
  let signal
  const channel = app.channel('clock', { source: async function * (context) { signal = context.signal; context.log.info('runs'); yield 'tick'; await never } })
  app.get('/', (request, reply) => reply.eventStream(channel))
  const stream = await new TestClient(app, { listen: true }).open('/')
  t.equal((await stream.next()).data, 'tick')
  await app.close()
  t.ok(signal.aborted)
  t.ok(app.log.lines.some(({ msg }) => msg === 'runs'))
  t.equal(app.eventStreams.errors, 0)
  app.channel('clock', { source: () => { throw new Error('never called') } }).subscribe()[Symbol.asyncIterator]()
  await turn()
  t.equal(app.eventStreams.errors, 0)
})
