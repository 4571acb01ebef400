// Where values of signals come from, when, and what is left of them.
import t from 'tap'
import Fastify from 'fastify'
import chirp, { Fragment, kAttach } from 'fastify-chirp'
import { buildApp, until } from '../helpers/app.js'
import { views } from '../helpers/live.js'
import { buildSignals, follow, shown } from '../helpers/signals.js'

t.test('initial values are made when the app starts', async t => {
  const { app } = await buildSignals(t)
  const calls = []
  const a = app.signal('a', { initial: () => { calls.push('a'); return 1 } })
  const b = app.signal('b', { initial: async () => { calls.push('b'); return { n: 2 } } })
  const early = app.signal('early', { initial: () => { calls.push('early'); return 1 } })
  let resolve
  const slow = app.signal('slow', { initial: () => new Promise(_resolve => { resolve = _resolve }) })
  t.same([a.value, b.value, calls], [undefined, undefined, []])
  await early.set(5)
  const ready = app.ready()
  await until(() => resolve !== undefined)
  slow.set('set meanwhile')
  resolve('initial')
  await ready
  t.same([a.value, b.value, early.value, slow.value, calls], [1, { n: 2 }, 5, 'set meanwhile', ['a', 'b']])
  t.equal(app.signal('late', { initial: () => 1 }).value, undefined)
  await until(() => app.signal('late').value === 1)
})

t.test('an initial value that cannot be made fails the start', async t => {
  for (const initial of [() => { throw new Error('no database') }, async () => { throw new Error('no database') }]) {
    const { app } = await buildSignals(t)
    app.signal('a', { initial })
    await t.rejects(app.ready(), { message: 'no database' })
  }
  const { app } = await buildSignals(t)
  app.signal('a', { initial: () => new Map([[1, 2]]) })
  await t.rejects(app.ready(), { code: 'FST_CHIRP_VALUE' })
  const { app: started, lines } = await buildSignals(t)
  await started.ready()
  started.signal('a', { initial: async () => { throw new Error('no database') } })
  await until(() => lines().length > 0)
  t.same(lines(), ['signal "a" has no initial value, because its function failed: no database'])
  t.equal(started.eventStreams.errors, 1)
})

t.test('a source runs while somebody follows it, or what is made of it', async t => {
  const { app } = await buildSignals(t)
  const runs = []
  const source = name => async function * ({ signal, log }) {
    runs.push(`${name} starts`)
    t.ok(log.info)
    signal.addEventListener('abort', () => runs.push(`${name} ends`))
    yield 1
    yield 2
    await new Promise(resolve => signal.addEventListener('abort', resolve))
  }
  const a = app.signal('a', { source: source('a') })
  app.signal('b', { source: source('b'), initial: 'b' })
  app.derived('of', ['a'], a => -a)
  for (const only of ['of', 'b', 'late']) app.get(`/${only}`, { live: true }, (request, reply) => reply.page('page.html', { value: '' }, { live: app.signals({ only: [only] }) }))
  app.signal('late')
  t.equal(shown((await app.inject('/')).body)[0], 'a=', 'nobody follows yet')
  t.same(runs, [])
  const page = await follow(app, { path: '/of' })
  while (await page.next() !== 'of=-2');
  t.same(runs, ['a starts'])
  t.equal(a.value, 2)
  const other = await follow(app, { path: '/late' })
  await page.close()
  await until(() => app.eventStreams.open === 1)
  await until(() => runs.length === 2)
  t.same(runs, ['a starts', 'a ends'])
  t.equal(a.value, 2, 'the value stays')
  app.signal('more', { source: source('more') })
  await new Promise(setImmediate)
  t.equal(runs.length, 2, 'nobody follows that')
  const all = await follow(app)
  await until(() => runs.length === 5)
  app.signal('most', { source: source('most') })
  await until(() => runs.length === 6, 'what is declared later runs for those who follow all')
  t.same(runs.slice(2).sort(), ['a starts', 'b starts', 'more starts', 'most starts'])
  await app.close()
  t.equal(runs.length, 10)
  await Promise.all([other.close(), all.close()])
})

t.test('a feed that begins before its signals are declared', async t => {
  const { app } = await buildSignals(t)
  const sent = []
  const outlet = { isBlocked: false, dialect: { form: () => 'test', encode: ({ signal, data }) => `${signal}=${data}` }, send: text => { sent.push(text) }, share: ({ text }) => { sent.push(text) } }
  const attachment = app.signals({ only: ['late'] })[kAttach](outlet, '')
  app.signal('other', { initial: 1 })
  app.signal('late', { initial: 1 })
  await until(() => sent.length > 0)
  t.same(sent, ['late=1'])
  attachment.detach()
})

t.test('a page of some signals waits for those alone', async t => {
  const { app, env } = await buildSignals(t, { feed: () => ({ only: ['a'] }) })
  app.signal('a', { initial: 1, render: value => new Fragment('page.html', 'item', { value }) })
  app.signal('b', { initial: 1, render: value => new Fragment('later.html', 'later', { value }) })
  t.same(shown((await app.inject('/')).body), ['a=<i>1</i>'])
  t.equal(env.waiting.length, 0)
})

t.test('a source that fails, and one that gives what is no value', async t => {
  const { app, lines } = await buildSignals(t)
  app.signal('a', { source: async function * () { yield () => {}; yield 'fine'; throw new Error('broken') } })
  const page = await follow(app)
  while (await page.next() !== 'a=fine');
  await until(() => lines().length === 2)
  t.match(lines(), [/signal "a" was not set/, /the source of signal "a" failed, and is started again in 500 ms: broken/])
  t.equal(app.eventStreams.errors, 2)
})

t.test('what is set after the end is refused, and ends nothing', async t => {
  const { app } = await buildSignals(t)
  const a = app.signal('a', { initial: 1 })
  const of = app.derived('of', [a], a => 2 * a)
  const page = await follow(app)
  await page.take(2)
  await app.close()
  await t.rejects(a.set(2), { code: 'FST_CHIRP_CHANNEL_CLOSED' })
  a.set(2)
  setImmediate(() => (async () => a.set(3))())
  await new Promise(setImmediate)
  await new Promise(setImmediate)
  t.same([a.value, of.value], [1, 2])
  let isEnded = false
  const outlet = { isBlocked: false, dialect: {}, ended () { isEnded = true }, send () {}, share () {} }
  app.signals()[kAttach](outlet, '').detach()
  t.ok(isEnded)
})

t.test('nothing is rendered while nobody follows', async t => {
  const { app } = await buildSignals(t)
  const a = app.signal('a', { initial: 0, render: value => new Fragment('page.html', 'item', { value }) })
  await app.ready()
  for (let n = 1; n < 10; n++) {
    await a.set(n)
    await new Promise(setImmediate)
  }
  t.equal(app.eventStreams.renders, 0)
  const pages = [await follow(app), await follow(app)]
  for (const page of pages) t.equal(await page.next(), 'a=<i>9</i>')
  t.equal(app.eventStreams.renders, 1)
  await a.set(10)
  for (const page of pages) t.equal(await page.next(), 'a=<i>10</i>')
  t.equal(app.eventStreams.renders, 2)
})

t.test('a part of an app that registers the plugin again has signals of its own', async t => {
  const env = views({ 'page.html': '{{ signal("a") }}{{ signal_attrs("a") }}' })
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(chirp, { templates: env, debug: false, dialect: 'htmx4' })
  app.signal('a', { initial: 'outer' })
  app.get('/', (request, reply) => reply.page('page.html'))
  await app.register(async scope => {
    await scope.register(chirp, { templates: env, debug: false, dialect: 'htmx2' })
    scope.signal('a', { initial: 'inner' })
    scope.get('/inner', (request, reply) => reply.page('page.html'))
  })
  await app.register(async scope => {
    t.equal(scope.signal('a').value, 'outer', 'a scope inside sees them')
  })
  t.match((await app.inject('/')).body, '<span data-signal="a">outer</span>')
  t.match((await app.inject('/inner')).body, 'hx-swap="innerHTML" data-signal="a">inner</span>')
  t.throws(() => env.render('page.html'), /signal\(\) cannot know whose signal "a" is/)
})

t.test('an environment keeps a function of its own, and who renders it without us sees the signals', async t => {
  const env = views({ 'page.html': '{{ signal("a") }}' })
  const app = await buildApp(t, { templates: env })
  app.signal('a', { initial: '<' })
  t.match(env.render('page.html'), /<span [^>]*>&lt;<\/span>/)
  const own = views({ 'page.html': '{{ signal("a") }}' })
  own.addGlobal('signal', () => 'mine')
  const other = await buildApp(t, { templates: own })
  other.get('/', (request, reply) => reply.page('page.html'))
  t.equal((await other.inject('/')).body, 'mine')
})

t.test('an app without templates', async t => {
  const app = await buildApp(t)
  app.signal('a', { initial: 1 })
  app.get('/', (request, reply) => reply.eventStream(app.signals()))
  const page = await follow(app).catch(() => {})
  t.equal(page, undefined)
  t.equal(app.signal('a').value, 1)
})
