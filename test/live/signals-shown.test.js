// Places of signals in what was rendered a while ago, elsewhere, or for everyone: streams that follow the signals get
// the values of now behind it.
import t from 'tap'
import { Fragment, Fragments, merge } from 'fastify-chirp'
import { TestClient } from '../helpers/client.js'
import { until } from '../helpers/app.js'
import { engineWith } from '../helpers/engine.js'
import { load } from '../helpers/live.js'
import { buildSignals } from '../helpers/signals.js'

const NEWS = '{% block item %}{{ value }}:{{ signal("a") }}{% if both %}{{ signal("b") }}{% endif %}{% endblock %}' +
  '{% block own %}{{ value }}<b {{ signal_attrs("a") }}>own</b>{% endblock %}'

const item = (value, context) => new Fragment('news.html', 'item', { value, ...context }, { target: 'news' })

async function build (t, options) {
  const made = await buildSignals(t, { templates: { 'news.html': NEWS }, ...options })
  const { app } = made
  const signals = { a: app.signal('a', { initial: 'old' }), b: app.signal('b', { initial: 'b0' }) }
  return { ...made, ...signals, news: app.channel('news') }
}

const route = (app, live) => app.get('/news', { live: true }, (request, reply) => reply.page('page.html', { value: '' }, { live: live(request) }))

/** The texts of a message: `value:a` of a fragment, `a=value` of a signal. */
function textOf ({ event, data }) {
  if (event?.startsWith('signal:')) return `${event.slice(7)}=${data}`
  const signal = /^<hx-partial hx-target="\[data-signal=&#39;(\w+)&#39;\]" hx-swap="innerHTML">(.*)<\/hx-partial>$/.exec(data)
  return signal === null ? data.replaceAll(/<[^>]*>/g, ' ').trim().replaceAll(/\s+/g, ' ') : `${signal[1]}=${signal[2]}`
}

async function take (stream, until) {
  const texts = []
  while (texts.at(-1) !== until) texts.push(textOf(await stream.next()))
  return texts
}

for (const dialect of ['htmx2', 'htmx4']) {
  t.test(`a fragment that is replayed, ${dialect}`, async t => {
    const { app, a, news } = await build(t, { dialect })
    // The signals start first.
    route(app, () => merge(app.signals(), news))
    const page = await load(app, '/news')
    await news.publish(item('one'))
    await a.set('new')
    await news.publish(item('two'))
    const stream = await page.connect()
    t.same(await take(stream, 'two: new'), ['b=b0', 'a=new', 'one: old', 'two: new'])
    t.equal(textOf(await stream.next()), 'a=new', 'behind what was sent together')
    await news.publish(item('three'))
    await news.publish(item('four'))
    t.same(await take(stream, 'four: new'), ['three: new', 'four: new'], 'and nothing behind what is right')
    await stream.close()
  })
}

t.test('only signals that the stream follows, and that there are', async t => {
  const { app, a, b, news } = await build(t)
  route(app, () => merge(app.signals({ only: [b] }), news))
  const page = await load(app, '/news')
  await news.publish(new Fragments([item('one', { both: true }), item('two', { both: true })]))
  await news.publish({ html: '<i data-signal="unknown">x</i>' })
  await a.set('new')
  await b.set('b1')
  const stream = await page.connect()
  await news.publish('end')
  const texts = await take(stream, 'end')
  t.same(texts.filter(text => text.includes('=') && !text.includes('{')), ['b=b1', 'b=b1'])
  await stream.close()
})

t.test('a stream that follows no signals gets none', async t => {
  const { app, a, news } = await build(t)
  const other = app.channel('other')
  app.get('/news', { live: true }, (request, reply) => reply.eventStream(merge(news, other)))
  const first = await news.publish(item('zero'))
  await news.publish(item('one'))
  await a.set('new')
  const stream = await new TestClient(app).open('/news', { lastEventId: first })
  await until(() => news.size === 1)
  await other.publish('end')
  t.same(await take(stream, 'end'), ['one: old', 'end'])
  await stream.close()
})

t.test('viewers with values of their own', async t => {
  const { app, a, news } = await build(t)
  route(app, ({ query }) => merge(news, app.signals({ filter: ({ user }) => user === query.user })))
  const users = ['ann', 'bob', 'ann', 'eve']
  const streams = await Promise.all(users.map(async user => (await load(app, `/news?user=${user}`)).connect()))
  await until(() => news.size === 4)
  for (const user of ['ann', 'bob']) await a.set(`of ${user}`, { audience: { user } })
  for (const [n, user] of users.entries()) await take(streams[n], user === 'eve' ? 'a=old' : `a=of ${user}`)
  await news.publish(item('one'))
  for (const [n, user] of users.entries()) if (user !== 'eve') t.same(await take(streams[n], `a=of ${user}`), ['one: old', `a=of ${user}`])
  await news.publish('end')
  t.same(await take(streams[3], 'end'), ['one: old', 'end'])
  for (const stream of streams) await stream.close()
})

t.test('an element of the app that shows something else', async t => {
  const { app, news } = await build(t)
  route(app, () => merge(news, app.signals()))
  const stream = await (await load(app, '/news')).connect()
  await until(() => news.size === 1)
  await take(stream, 'a=old')
  await news.publish(new Fragment('news.html', 'own', { value: 'one' }, { target: 'news' }))
  t.same(await take(stream, 'a=old'), ['one own', 'a=old'])
  await stream.close()
})

t.test('the events of a job', async t => {
  const { app, a } = await build(t)
  let finish
  const job = app.job('import', async function * () {
    yield item('one')
    await new Promise(resolve => { finish = resolve })
    yield item('two')
  })
  await until(() => finish !== undefined)
  await a.set('new')
  app.get('/job', (request, reply) => reply.eventStream(merge(app.signals(), job)))
  const stream = await new TestClient(app).open('/job')
  t.same((await take(stream, 'one: old')).at(-1), 'one: old')
  t.equal(textOf(await stream.next()), 'a=new')
  finish()
  t.same(await take(stream, 'two: new'), ['two: new'])
  await stream.close()
})

t.test('a fragment of another process that comes late', async t => {
  const engine = engineWith({})
  const held = []
  let holds = true
  const late = {
    ...engine,
    listen: (topic, listener) => engine.listen(topic, event => {
      if (holds && JSON.stringify(event.record).includes('one')) held.push(() => listener(event))
      else listener(event)
    })
  }
  const one = await build(t, { engine })
  const two = await build(t, { engine: late })
  route(two.app, () => merge(two.news, two.app.signals()))
  const stream = await (await load(two.app, '/news')).connect()
  await until(() => two.news.size === 1)
  await one.news.publish(item('one'))
  await one.a.set('new')
  await take(stream, 'a=new')
  holds = false
  for (const release of held) release()
  t.same(await take(stream, 'a=new'), ['one: old', 'a=new'])
  await stream.close()
})

t.test('a block of a live view, for a viewer with a value of its own', async t => {
  const { app, a } = await build(t, { templates: { 'view.html': '<p {{ sse_connect() }} {{ sse_swap("row") }}>{% block row %}{{ text }}:{{ signal("a") }}{% endblock %}</p>' } })
  let text = 'x'
  const view = app.liveView('row', { template: 'view.html', context: () => ({ text }), delay: 0 })
  app.get('/view', { live: true }, (request, reply) => reply.page('view.html', { text }, { live: merge(view.source('1'), app.signals({ filter: () => true })) }))
  await a.set('mine', { audience: { user: 'ann' } })
  const stream = await (await load(app, '/view')).connect()
  await take(stream, 'a=mine')
  text = 'y'
  await view.changed('1')
  t.same((await take(stream, 'a=mine')).slice(-2), ['y: old', 'a=mine'])
  await stream.close()
})
