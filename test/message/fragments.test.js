// Several fragments in one message: in streams, in channels, and when some of them fail.
import t from 'tap'
import nunjucks from 'nunjucks'
import { Fragment, Fragments, merge } from 'fastify-chirp'
import { buildApp, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

const VIEWS = {
  'page.html': '{% block text %}\n<p>{{ text }}</p>\n{% endblock %}{% block slow %}{{ text | slow }}{% endblock %}{% block strict %}{{ text | need }}{% endblock %}'
}
const text = (text, options) => new Fragment('page.html', 'text', { text }, options)
const slow = (text, options) => new Fragment('page.html', 'slow', { text }, options)
const broken = (target, reason = 'no text') => new Fragment('page.html', 'strict', { text: reason }, { target })

function environment () {
  const env = new nunjucks.Environment({ getSource: name => VIEWS[name] === undefined ? null : { src: VIEWS[name], path: name, noCache: false } })
  env.addFilter('slow', (value, callback) => { setTimeout(callback, 10, value === 'fail' ? new Error('too slow') : null, value) }, true)
  env.addFilter('need', reason => { throw new TypeError(reason) })
  return env
}

const build = (t, options) => buildApp(t, { templates: environment(), ...options })
const COLUMNS = { slow: 31, strict: 80 }
const box = (reason, name = 'TypeError', block = 'strict') => `<div class="chirp-block-error" data-block="${block}"><strong>${name}</strong>: ${reason}</div>\n<small class="chirp-block-error-place">page.html, line 3, column ${COLUMNS[block]}</small>`
const partial = (target, html, swap = '') => `<hx-partial hx-target="${target}"${swap}>${html}</hx-partial>`
const errorsOf = app => app.log.lines.filter(({ level }) => level === 50).map(({ msg, err }) => [msg, err.code])

t.test('several fragments are one event, the same in both dialects', async t => {
  const app = await build(t)
  app.get('/', (request, reply) => reply.eventStream([
    new Fragments([
      text('a <b>', { target: 'one', swap: 'beforeend' }), text('c', { target: '#w > [x="y"]' }), text('d', { target: 'chat:5' }), text('e', { target: '7up' }), text('f')
    ], { id: 7, retry: 100 }),
    new Fragments([text('g', { target: 'one' })])
  ]))
  for (const path of ['/?htmx=2', '/?htmx=4']) {
    t.same((await new TestClient(app).sse(path)).events, [
      {
        id: '7',
        retry: 100,
        data: partial('#one', '<p>a &lt;b&gt;</p>', ' hx-swap="beforeend"') + partial('#w &gt; [x=&quot;y&quot;]', '<p>c</p>') + partial('#chat\\:5', '<p>d</p>') +
          partial('#\\37 up', '<p>e</p>') + '<p>f</p>'
      },
      { data: partial('#one', '<p>g</p>') }
    ])
  }
  t.equal(app.eventStreams.events, 4)
})

t.test('a message waits for what renders asynchronously, and keeps its order', async t => {
  const app = await build(t)
  app.get('/', (request, reply) => reply.eventStream([new Fragments([slow('a', { target: 'one' }), text('b', { target: 'two' }), slow('c')]), 'next']))
  const { events } = await new TestClient(app).sse('/')
  t.same(events, [{ data: partial('#one', 'a') + partial('#two', '<p>b</p>') + 'c' }, { data: 'next' }])
})

t.test('in production a fragment that fails is left out, logged and counted', async t => {
  const app = await build(t)
  app.get('/', (request, reply) => reply.eventStream([
    new Fragments([broken('one'), text('fine', { target: 'two' }), slow('fail', { target: 'three' })], { id: 7 }), 'next'
  ]))
  const { events } = await new TestClient(app).sse('/')
  t.same(events, [{ id: '7', data: partial('#two', '<p>fine</p>') }, { data: 'next' }])
  t.same(errorsOf(app), [['a fragment of a message was left out', 'FST_CHIRP_RENDER'], ['a fragment of a message was left out', 'FST_CHIRP_RENDER']])
  t.equal(app.eventStreams.errors, 2)
})

t.test('in debug its box goes to its target', async t => {
  const app = await build(t, { debug: true })
  app.get('/', (request, reply) => reply.eventStream([new Fragments([broken('one'), text('fine', { target: 'two' }), broken()], { id: 7 })]))
  for (const path of ['/?htmx=2', '/?htmx=4']) {
    t.same((await new TestClient(app).sse(path)).events, [
      { id: '7', data: partial('#one', box('no text')) + partial('#two', '<p>fine</p>') + box('no text') }
    ])
  }
  t.equal(app.eventStreams.errors, 4)
})

t.test('a message of which nothing renders is not sent; in debug its boxes are, without the id', async t => {
  for (const debug of [false, true]) {
    const app = await build(t, { debug })
    app.get('/', (request, reply) => reply.eventStream([new Fragments([broken('one'), slow('fail', { target: 'two' })], { id: 7, retry: 100 }), 'next']))
    const { events } = await new TestClient(app).sse('/')
    const boxes = { data: partial('#one', box('no text')) + partial('#two', box('too slow', 'Error', 'slow')) }
    t.same(events, debug ? [boxes, { data: 'next' }] : [{ data: 'next' }])
    const msg = debug ? 'the error of an event was sent in its place' : 'an event was not sent'
    t.same(errorsOf(app), [[msg, 'FST_CHIRP_RENDER'], [msg, 'FST_CHIRP_RENDER']])
    t.equal(app.eventStreams.errors, 2)
  }
})

t.test('a channel publishes a message once, with its id', async t => {
  const app = await build(t)
  const news = app.channel('news')
  app.get('/', (request, reply) => reply.eventStream(news))
  const streams = await Promise.all(['/?htmx=2', '/?htmx=4'].map(path => new TestClient(app).open(path)))
  await until(() => news.size === 2)
  const id = await news.publish(new Fragments([text('a', { target: 'one' }), broken('two')]))
  t.equal(await news.publish(new Fragments([text('b')], { id: 'own' })), 'own')
  for (const stream of streams) {
    t.same(await stream.next(), { id, data: partial('#one', '<p>a</p>') })
    t.same(await stream.next(), { id: 'own', data: '<p>b</p>' })
    stream.close()
  }
  t.same(errorsOf(app), [['a fragment of a message was left out', 'FST_CHIRP_RENDER']])
  t.same((await new TestClient(app).sse('/', { lastEventId: id, maxEvents: 1 })).events, [{ id: 'own', data: '<p>b</p>' }], 'and replays it')
})

t.test('what is published is rendered once and encoded at most once for each dialect', async t => {
  let rendered = 0
  const env = environment()
  env.addFilter('need', value => { rendered++; return value })
  const app = await buildApp(t, { templates: env })
  const news = app.channel('news')
  app.get('/', { referenced: true }, (request, reply) => reply.eventStream(news))
  const client = new TestClient(app, { listen: true })
  const streams = []
  while (streams.length < 24) streams.push(await client.open('/?htmx=2'), await client.open('/?htmx=4'))
  await until(() => news.size === 24)

  // Each encoding looks once whether its data is well-formed, and each batch is measured once.
  const counts = { encoded: 0, measured: 0 }
  const { toWellFormed } = String.prototype
  const { byteLength } = Buffer
  // eslint-disable-next-line no-extend-native
  String.prototype.toWellFormed = function () { if (this.includes('seen')) counts.encoded++; return toWellFormed.call(this) }
  Buffer.byteLength = (text, ...rest) => { if (String(text).includes('seen')) counts.measured++; return byteLength(text, ...rest) }
  try {
    const seen = target => new Fragment('page.html', 'strict', { text: 'seen' }, { target })
    const cases = [[seen('news'), 2, 1], [seen(), 1, 1], ['seen', 1, 0], [new Fragments([seen('one'), seen('two')]), 1, 2]]
    for (const [value, encoded, renders] of cases) {
      Object.assign(counts, { encoded: 0, measured: 0 })
      rendered = 0
      const id = await news.publish(value)
      for (const stream of streams) t.equal((await stream.next()).id, id)
      t.same([counts, rendered], [{ encoded, measured: 2 }, renders])
    }
  } finally {
    // eslint-disable-next-line no-extend-native
    String.prototype.toWellFormed = toWellFormed
    Buffer.byteLength = byteLength
  }
  for (const stream of streams) stream.close()
})

t.test('publish() rejects when nothing of a message renders, and says why for each', async t => {
  for (const debug of [false, true]) {
    const app = await build(t, { debug })
    const news = app.channel('news')
    app.get('/', (request, reply) => reply.eventStream(news))
    const stream = await new TestClient(app).open('/')
    await until(() => news.size === 1)
    const error = await news.publish(new Fragments([broken('one', 'first'), broken('two', 'second')], { id: 7 })).catch(error => error)
    t.equal(error.code, 'FST_CHIRP_RENDER')
    t.match(error.message, /^Cannot render any of 2 fragments: .+first; .+second$/)
    t.same(error.cause.errors.map(({ code }) => code), ['FST_CHIRP_RENDER', 'FST_CHIRP_RENDER'])
    const last = await news.publish('next')
    const epoch = last.split('-')[0]
    if (debug) t.same(await stream.next(), { id: `${epoch}-1`, data: partial('#one', box('first')) + partial('#two', box('second')) })
    t.same(await stream.next(), { id: last, data: 'next' })
    t.equal(app.eventStreams.errors, 2)
    stream.close()
  }
})

t.test('a channel of latest values knows a message by its targets', async t => {
  const app = await build(t)
  const panels = app.channel('panels', { latest: true })
  app.get('/', (request, reply) => reply.eventStream(panels.subscribe({ filter: () => true })))
  const both = n => new Fragments([text(n, { target: 'one' }), text(n, { target: 'two' })])
  await panels.publish(both(1))
  await panels.publish(new Fragments([text('other', { target: 'three' }), text('none')]))
  await panels.publish(text('single', { target: 'one' }))
  await panels.publish(both(2))
  await panels.publish(both(3), { audience: 'two' })
  await panels.publish(new Fragments([text('later', { target: 'one' })]))
  const events = await new TestClient(app).first(4, '/')
  const sent = n => partial('#one', `<p>${n}</p>`) + partial('#two', `<p>${n}</p>`)
  t.same(events.map(({ data }) => data), [
    partial('#three', '<p>other</p>') + '<p>none</p>', sent(2), sent(3), partial('#one', '<p>later</p>')
  ])
})

t.test('a merge with a channel leaves out the id of a message, and keeps its retry', async t => {
  const app = await build(t)
  const message = new Fragments([text('a')], { id: 7, retry: 100 })
  app.get('/channel', (request, reply) => reply.eventStream(merge(app.channel('news'), [message, new Fragments([text('b')])])))
  app.get('/plain', (request, reply) => reply.eventStream(merge([message])))
  const { events } = await new TestClient(app).sse('/channel', { maxEvents: 2 })
  t.same(events, [{ data: '<p>a</p>', retry: 100 }, { data: '<p>b</p>' }])
  t.same((await new TestClient(app).sse('/plain')).events, [{ id: '7', data: '<p>a</p>', retry: 100 }])
})

t.test('fragments are frozen and checked when they are made', t => {
  const list = [text('a'), text('b')]
  const fragments = new Fragments(list, { id: 7n, retry: 1 })
  list.pop()
  t.equal(fragments.fragments.length, 2)
  t.ok(Object.isFrozen(fragments) && Object.isFrozen(fragments.fragments))
  t.match(fragments, { id: '7', retry: 1 })
  t.match(new Fragments([text('a')]), { id: undefined, retry: undefined })
  const holes = [text('a')]
  holes[2] = text('b')
  const cases = [
    [[], /must be a list, new Fragments\(\[one, two\]\), not undefined/], [[text('a')], /not an object of class Fragment$/], [[[]], /is empty. Give it at least one/],
    [[[text('a'), 'b']], /number 2 of the list is the string "b". Make each of them with new Fragment\(\)/], [[holes], /number 2 of the list is undefined/],
    [[[new Fragments([text('a')])]], /number 1 of the list is an object of class Fragments/],
    [[[text('a', { id: '' })]], /number 1 of the list has an id of its own.+Give it to all, new Fragments\(list, \{ id \}\)/],
    [[[text('a', { retry: 0 })]], /number 1 of the list has a retry of its own.+\{ retry \}/],
    [[[text('a')], null], /the options must be an object/], [[[text('a')], 7], /the options must be an object/],
    [[[text('a')], { id: 'x\ny' }], /the id .+ control character/], [[[text('a')], { retry: -1 }], /retry must be/]
  ]
  for (const [values, message] of cases) t.throws(() => new Fragments(...values), { code: 'FST_CHIRP_FRAGMENT', message }, String(message))
  t.end()
})
