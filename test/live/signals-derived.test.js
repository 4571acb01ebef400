// Derived values: the graph, what fails in it, and names that are declared later or never.
import t from 'tap'
import { Derived, Fragment, Signal } from 'fastify-chirp'
import { buildSignals, follow, shown } from '../helpers/signals.js'

const turn = () => new Promise(setImmediate)

t.test('a diamond is made once, of values that belong together', async t => {
  const { app } = await buildSignals(t)
  const a = app.signal('a', { initial: 1 })
  const left = app.derived('left', [a], a => a + 1)
  const right = app.derived('right', [a], a => a * 10)
  const seen = []
  const sum = app.derived('sum', [left, right, 'a'], (left, right, a) => {
    seen.push([left, right, a])
    return left + right + a
  })
  await app.ready()
  t.ok(sum instanceof Derived && a instanceof Signal)
  t.equal(sum.name, 'sum')
  t.equal(sum.value, 13)
  await a.set(2)
  t.equal(sum.value, 25)
  a.set(3)
  t.equal(sum.value, 37, 'at once')
  await turn()
  t.same(seen, [[2, 10, 1], [3, 20, 2], [4, 30, 3]])
})

t.test('what is set in one tick is one evaluation and one event', async t => {
  const { app } = await buildSignals(t)
  const [a, b] = ['a', 'b'].map(name => app.signal(name, { initial: 0 }))
  let count = 0
  const sum = app.derived('sum', [a, b], (a, b) => {
    count++
    return a + b
  })
  app.get('/sum', { live: true }, (request, reply) => reply.page('page.html', { value: '' }, { live: app.signals({ only: [sum] }) }))
  const page = await follow(app, { path: '/sum' })
  t.equal(await page.next(), 'sum=0')
  const before = count
  a.set(1)
  b.set(2)
  a.set(5)
  t.equal(await page.next(), 'sum=7')
  t.equal(count, before + 1)
  a.set(2)
  b.set(5)
  await turn()
  t.equal(count, before + 2)
  await a.set(3)
  t.equal(await page.next(), 'sum=8', 'what came out the same was not sent')
})

t.test('undefined values are not asked about', async t => {
  const { app } = await buildSignals(t)
  const a = app.signal('a')
  const b = app.signal('b', { initial: null })
  const calls = []
  const both = app.derived('both', [a, b], (...values) => { calls.push(values); return 'x' })
  const of = app.derived('of', [both], both => `${both}!`)
  await app.ready()
  t.same([both.value, of.value, calls], [undefined, undefined, []])
  await a.set(0)
  t.same([both.value, of.value, calls], ['x', 'x!', [[0, null]]])
  await a.set(undefined)
  t.same([both.value, of.value], [undefined, undefined])
})

t.test('a function that fails keeps the value, and is logged and counted', async t => {
  const { app, lines } = await buildSignals(t)
  const a = app.signal('a', { initial: 1 })
  const half = app.derived('half', [a], a => {
    if (a % 2 === 1 && a > 1) throw new Error('odd')
    return a / 2
  })
  const text = app.derived('text', [half], half => `half ${half}`)
  const page = await follow(app)
  t.same((await page.take(3)).sort(), ['a=1', 'half=0.5', 'text=half 0.5'])
  await a.set(3)
  t.equal(await page.next(), 'a=3')
  t.same([half.value, text.value], [0.5, 'half 0.5'])
  t.same(lines(), ['derived value "half" keeps its value, because its function failed: odd'])
  t.equal(app.eventStreams.errors, 1)
  await a.set(4)
  t.same((await page.take(3)).sort(), ['a=4', 'half=2', 'text=half 2'])
})

t.test('a function that gives a promise is refused', async t => {
  const { app, lines } = await buildSignals(t)
  const a = app.signal('a', { initial: 1 })
  t.throws(() => app.derived('b', [a], async () => 1), { code: 'FST_CHIRP_OPTION', message: /derived value "b" is made by an async function/ })
  const b = app.derived('b', [a], () => Promise.reject(new Error('unheard')))
  await app.ready()
  t.equal(b.value, undefined)
  t.match(lines(), [/derived value "b" keeps its value.*gave a promise, and must answer at once/])
})

t.test('render and equals of derived values', async t => {
  const { app } = await buildSignals(t, { page: '<main {{ sse_connect() }}>{{ signal("list") }}{% block item %}<i>{{ value }}</i>{% endblock %}</main>' })
  const a = app.signal('a', { initial: 1 })
  const list = app.derived('list', [a], a => ({ even: a % 2 === 0, at: new Date(a) }), {
    equals: (before, after) => before.even === after.even,
    render: ({ even }) => new Fragment('page.html', 'item', { value: even })
  })
  const { body } = await follow(app)
  t.same(shown(body), ['list=<i>false</i>'])
  const { value } = list
  t.ok(value.at instanceof Date, 'it need not be plain data')
  await a.set(3)
  t.equal(list.value, value)
  await a.set(4)
  t.not(list.value, value)
})

t.test('names may be declared later', async t => {
  const { app } = await buildSignals(t)
  const sum = app.derived('sum', ['a', 'twice'], (a, twice) => a + twice)
  t.equal(sum.value, undefined)
  app.derived('twice', ['a'], a => 2 * a)
  t.equal(sum.value, undefined)
  const a = app.signal('a', { initial: 1 })
  t.equal(sum.value, 3)
  await app.ready()
  await a.set(2)
  t.equal(sum.value, 6)
})

t.test('an unknown name fails the start, and is refused at once afterwards', async t => {
  for (const [declare, message] of [
    [app => app.derived('net', ['balanse'], () => 1), /derived value "net" asks for "balanse", which is neither.*Did you mean "balance"\?/],
    [app => app.signals({ only: ['gone'] }), /option "only" of app.signals\(\) asks for "gone"/]
  ]) {
    const { app } = await buildSignals(t)
    declare(app)
    app.signal('balance')
    await t.rejects(app.ready(), { code: 'FST_CHIRP_SIGNAL', message })
  }
  const { app } = await buildSignals(t)
  await app.ready()
  t.throws(() => app.derived('net', ['a'], () => 1), { code: 'FST_CHIRP_SIGNAL' })
  t.throws(() => app.signals({ only: ['a'] }), { code: 'FST_CHIRP_SIGNAL' })
  app.signal('a', { initial: 1 })
  t.equal(app.derived('net', ['a'], a => a + 1).value, 2, 'what is there is fine')
})

t.test('a circle is refused where it closes', async t => {
  const { app } = await buildSignals(t)
  t.throws(() => app.derived('a', ['a'], () => 1), { code: 'FST_CHIRP_SIGNAL', message: /derived value "a" is made of itself: "a" of "a"/ })
  app.derived('a', ['b', 'x'], () => 1)
  app.derived('b', ['c', 'x'], () => 1)
  t.throws(() => app.derived('c', ['x', 'a'], () => 1), { message: /"c" of "a" of "b" of "c"/ })
  t.throws(() => app.derived('x', ['b'], () => 1), { message: /"x" of "b" of "x"/ })
})

t.test('a value that a function reads without depending on it is the one before', async t => {
  const { app, lines } = await buildSignals(t)
  const x = app.signal('x', { initial: 1 })
  const late = app.signal('late', { initial: 1 })
  const later = {}
  const a = app.derived('a', [x], x => x + (later.b?.value ?? 0) + late.value)
  const b = later.b = app.derived('b', [a], a => a)
  t.same([a.value, b.value], [2, 2])
  await x.set(2)
  t.same([a.value, b.value], [5, 5])
  await late.set(2)
  await turn()
  t.same([a.value, b.value], [5, 5])
  t.same(lines(), [])
})

t.test('a name is one thing', async t => {
  const { app } = await buildSignals(t)
  const initial = { n: 1 }
  const a = app.signal('a', { initial, render: undefined })
  t.equal(app.signal('a'), a)
  t.equal(app.signal('a', { initial }), a)
  t.throws(() => app.signal('a', { initial: { n: 1 } }), { code: 'FST_CHIRP_OPTION', message: /signal "a" was made with another "initial" before/ })
  t.throws(() => app.signal('a', { equals: Object.is }), { code: 'FST_CHIRP_OPTION' })
  app.derived('b', [a], a => a)
  t.throws(() => app.derived('b', [a], a => a), { code: 'FST_CHIRP_SIGNAL' })
  t.throws(() => app.derived('a', ['b'], a => a), { code: 'FST_CHIRP_SIGNAL' })
  t.throws(() => app.signal('b'), { code: 'FST_CHIRP_SIGNAL', message: /"b" is a derived value already/ })
  const nan = app.signal('nan', { initial: NaN })
  t.equal(app.signal('nan', { initial: NaN }), nan)
  await app.channel('a').publish('no clash')
  await app.channel('chirp:signals').publish('nor here')
})

t.test('functions that make values set none', async t => {
  const { app, lines } = await buildSignals(t)
  const other = app.signal('other', { initial: 0 })
  const tried = []
  const set = value => {
    tried.push(other.set(value))
    return value
  }
  const a = app.signal('a', { initial: 1, equals: (x, y) => { set(7); return x === y }, render: set })
  app.derived('b', [a], set)
  await app.inject('/')
  await a.set(2)
  await turn()
  t.ok(tried.length >= 3)
  for (const promise of tried) await t.rejects(promise, { code: 'FST_CHIRP_SIGNAL', message: /"other" was set by a function that derives, compares or renders values/ })
  t.equal(other.value, 0)
  t.equal(lines().length, tried.length)
  const late = app.derived('late', [a], a => other.value + a)
  a.set(3)
  t.equal(late.value, 3, 'they may read')
})

t.test('signals of another registration are not taken', async t => {
  const { app } = await buildSignals(t)
  const { app: other } = await buildSignals(t)
  const foreign = other.signal('a')
  t.throws(() => app.derived('b', [foreign], () => 1), { code: 'FST_CHIRP_SIGNAL', message: /not a signal of this app/ })
  t.throws(() => app.signals({ only: [foreign] }), { code: 'FST_CHIRP_SIGNAL' })
  t.throws(() => app.derived('b', [null], () => 1), { code: 'FST_CHIRP_SIGNAL', message: /takes signals, derived values, or their names, not null/ })
})

t.test('bad options', async t => {
  const { app } = await buildSignals(t)
  const bad = (run, message) => t.throws(run, { code: 'FST_CHIRP_OPTION', message }, String(message))
  for (const name of ['', 'a b', 'a,b', 'a"b', "a'b", 'a]', '-a', '.a', 'a\n', 'a'.repeat(201), 1, undefined]) {
    bad(() => app.signal(name), /app\.signal\(\) takes a name of at most 200 letters/)
    bad(() => app.derived(name, ['a'], () => 1), /app\.derived\(\) takes a name/)
  }
  for (const name of ['a', '1', '_', 'ä.b:c-d', 'message', 'open', '__proto__']) app.signal(name)
  bad(() => app.signal('b', { intial: 1 }), /no option "intial" of app\.signal\(\).*Did you mean "initial"/)
  bad(() => app.signal('b', null), /options of app\.signal\(\) must be an object/)
  bad(() => app.signal('b', { initial: Promise.reject(new Error('unheard')) }), /option "initial" of signal "b" must be a value or a function/)
  bad(() => app.signal('b', { source: [] }), /option "source" of signal "b" must be a function/)
  bad(() => app.signal('b', { render: 'b' }), /option "render" of signal "b" must be a function/)
  bad(() => app.signal('b', { equals: async () => true }), /option "equals" of signal "b" must answer at once/)
  bad(() => app.derived('b', 'a', () => 1), /takes a list of signals.*not the string "a"/)
  bad(() => app.derived('b', [], () => 1), /not an empty one/)
  bad(() => app.derived('b', ['a']), /takes a function of the values, not undefined/)
  bad(() => app.derived('b', ['a'], () => 1, { initial: 1 }), /no option "initial" of app\.derived\(\)/)
  bad(() => app.derived('b', ['a'], () => 1, { render: 1 }), /option "render" of derived value "b"/)
  bad(() => app.signals({ names: [] }), /no option "names" of app\.signals\(\)/)
  bad(() => app.signals({ only: 'a' }), /option "only" of app\.signals\(\) must be a list/)
  bad(() => app.signals({ filter: {} }), /option "filter" of app\.signals\(\) must be a function/)
  const a = app.signal('a')
  await t.rejects(a.set(1, { audiance: 1 }), { code: 'FST_CHIRP_OPTION', message: /no option "audiance" of signal\.set\(\)/ })
  await t.rejects(a.set(1, { audience: () => {} }), { code: 'FST_CHIRP_OPTION', message: /option "audience" of signal\.set\(\) must be plain data/ })
  t.equal(a.value, undefined)
})

t.test('a thousand signals on one page, and one that all depend on', async t => {
  const names = Array.from({ length: 1000 }, (_, n) => `s${n}`)
  const { app } = await buildSignals(t, { page: '<main {{ sse_connect() }}>{% for n in range(0, 1000) %}{{ signal("s" + n) }}{% endfor %}{% block item %}{% endblock %}</main>' })
  const root = app.signal('root', { initial: 0 })
  let made = 0
  for (const [n, name] of names.entries()) app.derived(name, n === 0 ? [root] : [names[n - 1]], value => { made++; return value + 1 })
  const page = await follow(app)
  t.equal(shown(page.body).length, 1000)
  t.equal(shown(page.body)[999], 's999=1000')
  await page.take(1001)
  made = 0
  await root.set(1)
  const values = await page.take(1001)
  t.ok(values.includes('s999=1001'))
  t.equal(made, 1000)
})
