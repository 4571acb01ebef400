// Values for some: who gets them, on pages and in streams, and who does not.
import t from 'tap'
import { Fragment, merge } from 'fastify-chirp'
import { until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { buildSignals, follow, shown } from '../helpers/signals.js'

const feed = ({ headers: { user } }) => user === undefined ? {} : { filter: audience => audience.user === user }
const as = user => ({ headers: { user } })
const for_ = user => ({ audience: { user } })

t.test('a value for one is in his page and stream, and nowhere else', async t => {
  const { app } = await buildSignals(t, { feed })
  const a = app.signal('a', { initial: 0 })
  const derived = app.derived('derived', [a], a => a)
  const [anna, bert, nobody] = [await follow(app, as('anna')), await follow(app, as('bert')), await follow(app)]
  for (const page of [anna, bert, nobody]) await page.take(2)
  await a.set('secret', for_('anna'))
  t.equal(await anna.next(), 'a=secret')
  t.same([a.value, derived.value], [0, 0])
  t.same(shown((await app.inject({ url: '/', ...as('anna') })).body), ['a=secret'])
  for (const user of ['bert', 'ann', 'anna ', '']) t.same(shown((await app.inject({ url: '/', ...as(user) })).body), ['a=0'])
  t.same(shown((await app.inject('/')).body), ['a=0'])
  const late = [await follow(app, as('anna')), await follow(app, as('bert'))]
  t.ok((await late[0].take(3)).includes('a=secret'))
  t.same((await late[1].take(2)).sort(), ['a=0', 'derived=0'])
  await a.set(1)
  for (const page of [anna, bert, nobody, late[0], late[1]]) t.ok((await page.take(2)).includes('a=1'), 'the newest that one may see is what counts')
  t.same(shown((await app.inject({ url: '/', ...as('anna') })).body), ['a=1'])
  t.same((await (await follow(app, as('anna'))).take(2)).sort(), ['a=1', 'derived=1'], 'what is older is gone')
})

t.test('the newest of several', async t => {
  const { app } = await buildSignals(t, { feed: ({ headers }) => ({ filter: ({ user, role }) => user === headers.user || role === headers.role }) })
  const a = app.signal('a')
  const one = { headers: { user: 'anna', role: 'admin' } }
  const html = async () => shown((await app.inject({ url: '/', ...one })).body)
  await app.ready()
  await a.set(1, for_('anna'))
  t.same(await html(), ['a=1'])
  await a.set(2, { audience: { role: 'admin' } })
  t.same(await html(), ['a=2'])
  await a.set(3, for_('anna'))
  await a.set(4, for_('bert'))
  t.same(await html(), ['a=3'])
  const page = await follow(app, one)
  t.equal((await page.take(3)).at(-1), 'a=3')
  a.set(5)
  a.set(6, for_('anna'))
  t.same(await html(), ['a=6'], 'in the order of the calls')
  t.same(await page.take(2), ['a=5', 'a=6'])
  await a.set(6, for_('anna'))
  await a.set(7, { audience: { user: 'anna', unknown: undefined } })
  t.equal(await page.next(), 'a=7', 'audiences are compared as JSON')
})

t.test('a value for one whose render takes until there is a newer one for everyone', async t => {
  const { app, env } = await buildSignals(t, { feed })
  const a = app.signal('a', { initial: 0, render: value => value === 'secret' ? new Fragment('later.html', 'later', { value }) : String(value) })
  const anna = await follow(app, as('anna'))
  t.equal(await anna.next(), 'a=0')
  a.set('secret', for_('anna'))
  await until(() => env.waiting.length > 0)
  a.set(1)
  await new Promise(setImmediate)
  env.answer()
  t.equal(await anna.next(), 'a=1')
})

t.test('a value that is taken back', async t => {
  const { app } = await buildSignals(t, { feed })
  const a = app.signal('a', { initial: 0 })
  const anna = await follow(app, as('anna'))
  await anna.take(1)
  await a.set(undefined, for_('anna'))
  await a.set(7, for_('anna'))
  t.equal(await anna.next(), 'a=7')
  await a.set(undefined, for_('anna'))
  t.equal(await anna.next(), 'a=0')
  t.same(shown((await app.inject({ url: '/', ...as('anna') })).body), ['a=0'])
  await a.set(1)
  t.equal(await anna.next(), 'a=1')
  t.same(await (await follow(app, as('anna'))).take(1), ['a=1'])
})

t.test('filters that fail or give promises show nothing', async t => {
  const { app, lines } = await buildSignals(t, { feed: ({ headers: { user } }) => ({ filter: user === 'throws' ? () => { throw new Error('no') } : async () => true }) })
  const a = app.signal('a', { initial: 0 })
  await app.ready()
  await a.set('secret', for_('anna'))
  for (const user of ['throws', 'async']) {
    const { statusCode, body } = await app.inject({ url: '/', ...as(user) })
    t.equal(statusCode, 500)
    t.notMatch(body, 'secret')
    const { events } = await new TestClient(app).sse('/?lastEventId=', { headers: { user }, timeout: 200 })
    t.notMatch(JSON.stringify(events), 'secret')
  }
  t.ok(lines().length > 0)
})

t.test('what one page shows is not what is rendered in it for others', async t => {
  const { app } = await buildSignals(t, {
    page: '<main {{ sse_connect() }}>{{ signal("a") }}{{ signal("b") }}</main>{% block item %}{{ value }} of {{ signal("a") }}{% endblock %}',
    feed
  })
  const a = app.signal('a', { initial: 'all' })
  app.signal('b', { initial: 'b', render: value => new Fragment('page.html', 'item', { value }) })
  await app.ready()
  await a.set('secret', for_('anna'))
  const { body } = await app.inject({ url: '/', ...as('anna') })
  t.match(body, /secret<\/span>.*b of <span[^>]*>all</)
  t.notMatch((await app.inject({ url: '/', ...as('bert') })).body, 'secret')
  t.equal(await app.renderFragment(new Fragment('page.html', 'item', { value: 1 })).then(html => /secret/.test(html)), false)
})

t.test('in a merge, and with a cursor of somebody else', async t => {
  const { app } = await buildSignals(t)
  const news = app.channel('news')
  const a = app.signal('a', { initial: 0 })
  app.get('/merged', { live: true }, (request, reply) => reply.page('page.html', { value: '' }, { live: merge(news, app.signals(feed(request))) }))
  await app.ready()
  await a.set('secret', for_('anna'))
  const anna = await follow(app, { path: '/merged', ...as('anna') })
  t.same(shown(anna.body), ['a=secret'])
  const event = await anna.stream.next()
  const events = [event]
  while (events.at(-1).data !== 'secret') events.push(await anna.stream.next())
  const { id } = events.at(-1)
  const { events: stolen } = await new TestClient(app).sse(`/merged?lastEventId=${encodeURIComponent(id ?? 'x-1')}`, { ...as('bert'), timeout: 200 })
  t.notMatch(JSON.stringify(stolen), 'secret')
  t.notMatch((await app.inject({ url: '/merged', ...as('bert') })).body, 'secret')
})

t.test('values of an asynchronous block keep their order', async t => {
  const { app, env } = await buildSignals(t, { feed })
  const a = app.signal('a', { initial: 0, render: value => value === 'now' ? 'now' : new Fragment('later.html', 'later', { value }) })
  await app.ready()
  const answer = setInterval(env.answer, 5)
  t.teardown(() => clearInterval(answer))
  const anna = await follow(app, as('anna'))
  await anna.take(1)
  a.set(1)
  a.set('now', for_('anna'))
  t.same(await anna.take(2), ['a=<u>1</u>', 'a=now'])
  a.set('old', for_('anna'))
  await new Promise(setImmediate)
  a.set(2)
  const values = []
  while (values.at(-1) !== 'a=<u>2</u>') values.push(await anna.next())
  t.same(shown((await app.inject({ url: '/', ...as('anna') })).body), ['a=<u>2</u>'])
})
