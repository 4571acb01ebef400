// Signals over an engine: a value set in one process is the value in all.
import t from 'tap'
import { until } from '../helpers/app.js'
import { AsyncEngine, engineWith } from '../helpers/engine.js'
import { engineOn, startRedis } from '../helpers/redis.js'
import { buildSignals, follow, shown } from '../helpers/signals.js'

const redis = await startRedis(t)
let prefixes = 0

// Each gives what makes one engine for each process.
const ENGINES = {
  async: () => {
    const engine = Object.assign(new AsyncEngine({ lag: true }), { open: undefined, close () {} })
    return () => engine
  },
  Redis: () => {
    const prefix = `p${++prefixes}:`
    return () => engineOn(redis, { prefix })
  }
}

for (const [name, create] of Object.entries(ENGINES)) {
  t.test(`${name}: what one sets, all show, and one that starts later too`, async t => {
    const engine = create()
    let made = 0
    const declare = app => {
      app.signal('a', { initial: 0 })
      app.signal('b', { initial: () => { made++; return 'first' } })
      app.signal('unset', { initial: async () => 'mine' })
      app.derived('twice', ['a'], a => 2 * a)
    }
    const one = await buildSignals(t, { engine: engine(), declare })
    const two = await buildSignals(t, { engine: engine(), declare })
    const page = await follow(two.app)
    t.same(shown(page.body), ['a=0'])
    await page.take(4)
    const [a, b] = [one.app.signal('a'), one.app.signal('b')]
    await one.app.ready()
    t.equal(b.value, 'first')
    await a.set(21)
    t.equal(a.value, 21)
    t.same((await page.take(2)).sort(), ['a=21', 'twice=42'])
    await b.set({ list: [1, null] })
    t.equal(await page.next(), 'b={&quot;list&quot;:[1,null]}')
    const mine = one.app.signal('a')
    await Promise.all([mine.set(mine.value + 1), mine.set(mine.value + 1)])
    t.equal(mine.value, 23, 'here at once, in order')

    const three = await buildSignals(t, { engine: engine(), declare })
    const before = made
    await three.app.ready()
    t.same([three.app.signal('a').value, three.app.signal('b').value, three.app.signal('unset').value], [23, { list: [1, null] }, 'mine'])
    t.equal(made, before, 'what the engine holds is not asked for')
    t.same(shown((await three.app.inject('/')).body), ['a=23'])
    await three.app.signal('b').set(undefined)
    await until(() => a.value === 23 && b.value === undefined)
    for (const { lines } of [one, two, three]) t.same(lines(), [])
  })

  t.test(`${name}: each kind of value arrives as it was`, async t => {
    const engine = create()
    const [one, two] = [await buildSignals(t, { engine: engine() }), await buildSignals(t, { engine: engine() })]
    const [a, b] = [one, two].map(({ app }) => app.signal('a'))
    await Promise.all([one.app.ready(), two.app.ready()])
    for (const value of ['text', '', 1.5, -0, NaN, Infinity, -Infinity, 12345678901234567890n, null, true, [], { a: { b: [1] } }, undefined]) {
      await a.set(value)
      await until(() => JSON.stringify([String(b.value), b.value === undefined]) === JSON.stringify([String(value), value === undefined]), String(value))
      t.strictSame(b.value, value)
      if (typeof value === 'object' && value !== null) t.ok(Object.isFrozen(b.value))
    }
  })

  t.test(`${name}: whoever sets, all come to the same value, and never go back`, async t => {
    const engine = create()
    const processes = []
    for (let n = 0; n < 3; n++) processes.push(await buildSignals(t, { engine: engine(), declare: app => { app.signal('a', { initial: '' }) } }))
    const signals = processes.map(({ app }) => app.signal('a'))
    for (const { app } of processes) await app.ready()
    const sets = []
    for (let n = 0; n < 60; n++) {
      sets.push(signals[Math.floor(Math.random() * 3)].set(`${n}`))
      if (n % 5 === 0) await new Promise(setImmediate)
    }
    await Promise.all(sets)
    await until(() => signals.every(({ value }) => value === signals[0].value))
    const late = await buildSignals(t, { engine: engine(), declare: app => { app.signal('a', { initial: '' }) } })
    await late.app.ready()
    await until(() => [...signals, late.app.signal('a')].every(({ value }) => value === signals[0].value))
    t.pass()
  })

  t.test(`${name}: values for some reach the streams of all processes`, async t => {
    const engine = create()
    const feed = ({ headers: { user } }) => ({ filter: audience => audience.user === user })
    const declare = app => { app.signal('a', { initial: 0 }) }
    const [one, two] = [await buildSignals(t, { engine: engine(), declare, feed }), await buildSignals(t, { engine: engine(), declare, feed })]
    await one.app.ready()
    const page = await follow(two.app, { headers: { user: 'anna' } })
    await page.take(1)
    await one.app.signal('a').set(7, { audience: { user: 'anna' } })
    t.equal(await page.next(), 'a=7')
    const three = await buildSignals(t, { engine: engine(), declare, feed })
    await three.app.ready()
    t.equal(three.app.signal('a').value, 0)
    t.same(shown((await three.app.inject({ url: '/', headers: { user: 'anna' } })).body), ['a=7'])
    t.same(shown((await three.app.inject({ url: '/', headers: { user: 'bert' } })).body), ['a=0'])
    await one.app.signal('a').set(undefined, { audience: { user: 'anna' } })
    t.equal(await page.next(), 'a=0')
  })
}

t.test('values of names that are declared later, or never', async t => {
  const engine = ENGINES.async()
  const one = await buildSignals(t, { engine: engine(), feed: () => ({ filter: () => true }) })
  const two = await buildSignals(t, { engine: engine(), feed: () => ({ filter: () => true }) })
  two.app.signal('other')
  two.app.derived('net', ['other'], other => other)
  await two.app.ready()
  await one.app.signal('a').set(1)
  await one.app.signal('a').set(2)
  await one.app.signal('a').set(3, { audience: 'some' })
  await one.app.signal('net').set('not a signal there')
  await one.app.signal('other').set('heard')
  await until(() => two.app.signal('other').value === 'heard')
  t.equal(two.app.signal('a').value, 2)
  t.same(shown((await two.app.inject('/')).body), ['a=3'])
})

/** An engine whose publish() fails when it is told to, and which can be made to tell of events. */
function fickle () {
  const memory = engineWith({})
  const listeners = []
  const state = { fails: false }
  return {
    ...memory,
    state,
    keep: memory.publish,
    tell: event => { for (const [topic, listener] of listeners) if (topic === TOPIC) listener(event) },
    listen (topic, listener) {
      listeners.push([topic, listener])
      return memory.listen(topic, listener)
    },
    async publish (topic, publication) {
      if (topic !== TOPIC) return memory.publish(topic, publication)
      await state.during?.()
      if (state.fails) throw new Error('out of reach')
      return memory.publish(topic, publication)
    }
  }
}

const TOPIC = 'chirp:signals'

t.test('what other processes could not be told shows here, and can be set again', async t => {
  const engine = fickle()
  const { app, lines } = await buildSignals(t, { engine })
  const a = app.signal('a', { initial: 0 })
  const other = await buildSignals(t, { engine })
  const b = other.app.signal('a', { initial: 0 })
  await Promise.all([app.ready(), other.app.ready()])
  engine.state.fails = true
  await t.rejects(a.set(1), { code: 'FST_CHIRP_ENGINE' })
  a.set(1).catch(() => {})
  t.same([a.value, b.value], [1, 0])
  await until(() => lines().some(line => /event of channel "signals" was not published/.test(line)))
  engine.state.fails = false
  await a.set(1)
  await until(() => b.value === 1)
  t.same([a.value, b.value], [1, 1])
})

t.test('what was heard while something that failed was under way counts', async t => {
  const engine = fickle()
  const { app } = await buildSignals(t, { engine })
  const a = app.signal('a', { initial: 0 })
  await app.ready()
  const { position } = await engine.keep(TOPIC, { record: { version: 1, key: 'a', data: '{"version":1,"value":5}' }, history: 0, latest: true, key: 'a' })
  await until(() => a.value === 5)
  const event = n => ({ position: position.replace(/\d+$/, n), previous: position, record: { version: 1, key: 'a', data: `{"version":1,"value":${n}}` } })
  engine.state.fails = true
  engine.state.during = () => {
    engine.tell(event(9))
    return new Promise(setImmediate)
  }
  await t.rejects(a.set(1), { code: 'FST_CHIRP_ENGINE' })
  t.equal(a.value, 9)
  engine.tell(event(8))
  await new Promise(setImmediate)
  t.equal(a.value, 9, 'and what is older does not')
})

t.test('what cannot be read, and what was lost, is told', async t => {
  const engine = fickle()
  const { app, lines } = await buildSignals(t, { engine })
  const a = app.signal('a', { initial: 0 })
  await app.ready()
  const publish = data => engine.keep(TOPIC, { record: { version: 1, key: 'a', data }, history: 0, latest: true, key: 'a' })
  await publish('{"version":2,"value":1}')
  await publish('no JSON')
  await until(() => lines().length === 2)
  t.match(lines(), [/a signal that another process has set keeps its value.*its version is not 1/, /the value of a signal cannot be read/])
  t.equal(a.value, 0)
  const { position } = await publish('{"version":1,"value":1}')
  await until(() => a.value === 1)
  engine.tell({ position: position.replace(/\d+$/, 99), previous: position.replace(/\d+$/, 98), record: { version: 1, key: 'a', data: '{"version":1,"value":2}' } })
  await until(() => a.value === 2)
  t.match(lines()[2], /signals may differ from those of other processes until they are set again.*it lost values of signals/)
})
