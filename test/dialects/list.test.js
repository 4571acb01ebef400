// Dialects are objects: a third one is one more object in the list.
import t from 'tap'
import { Fragment, Fragments } from 'fastify-chirp'
import { attributesFor, detectDialect, dialects } from '../../dist/dialects/list.js'
import { buildApp } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { turbo } from '../helpers/turbo.js'

const views = {
  'news.html': '{% block item %}<li>{{ text }}</li>{% endblock %}{% block page %}<ol {{ sse_connect("/live") }} {{ sse_swap("news") }} {{ sse_close("done") }}></ol>{% endblock %}'
}

function add (t) {
  dialects.unshift(turbo)
  t.teardown(() => dialects.splice(dialects.indexOf(turbo), 1))
}

t.test('a third dialect is found, written and printed', async t => {
  add(t)
  const app = await buildApp(t, { templates: t.testdir(views) })
  const item = (text, swap) => new Fragment('news.html', 'item', { text }, { target: 'news', swap })
  app.get('/live', (request, reply) => reply.eventStream([item('<1>', 'beforeend'), new Fragments([item('2', 'delete'), item('3')]), { a: 1 }]))
  app.get('/page', (request, reply) => reply.fragment('news.html', 'page', { dialect: 'turbo' }))
  const read = async headers => {
    const { events, headers: { vary } } = await new TestClient(app).sse('/live', { headers })
    return [...events.map(({ data, event }) => [event, data]), vary]
  }
  const stream = (action, html) => `<turbo-stream action="${action}" target="news"><template>${html}</template></turbo-stream>`
  const vary = 'Turbo-Frame, HX-Request, HX-Request-Type, HX-Source'
  t.same(await read({ 'turbo-frame': 'x' }), [
    [undefined, stream('append', '<li>&lt;1&gt;</li>')],
    [undefined, stream('remove', '<li>2</li>') + stream('update', '<li>3</li>')],
    [undefined, '{"a":1}'],
    vary
  ])
  const partials = '<hx-partial hx-target="#news" hx-swap="delete"><li>2</li></hx-partial><hx-partial hx-target="#news"><li>3</li></hx-partial>'
  t.same(await read({}), [['news', '<li>&lt;1&gt;</li>'], [undefined, partials], [undefined, '{"a":1}'], vary], 'the others read as before')
  t.equal((await app.inject('/page')).body, '<ol data-turbo-stream="/live" id="news" ></ol>')
  t.equal(detectDialect('auto', { url: '/?htmx=turbo', headers: {}, raw: {} }), turbo)
})

t.test('a third dialect can be an option, of the plugin and of a stream', async t => {
  add(t)
  const app = await buildApp(t, { templates: t.testdir(views), dialect: 'turbo' })
  app.get('/', (request, reply) => reply.eventStream([new Fragment('news.html', 'item', { text: 'a' }, { target: 'news' })]))
  app.get('/2', (request, reply) => reply.eventStream([new Fragment('news.html', 'item', { text: 'a' }, { target: 'news' })], { dialect: 'htmx2' }))
  t.match((await app.inject('/')).body, 'data: <turbo-stream action="update" target="news"><template><li>a</li></template></turbo-stream>\n\n')
  t.match((await app.inject('/2')).body, 'event: news\ndata: <li>a</li>\n\n')
})

t.test('a channel encodes once for each form that a dialect writes', async t => {
  add(t)
  const app = await buildApp(t, { templates: t.testdir(views) })
  const news = app.channel('news')
  app.get('/', (request, reply) => reply.eventStream(news))
  const client = new TestClient(app)
  const streams = [await client.open('/?htmx=2'), await client.open('/?htmx=4'), await client.open('/?htmx=turbo')]
  await news.publish(new Fragment('news.html', 'item', { text: 'a' }, { target: 'news', swap: 'afterbegin' }))
  t.match(await Promise.all(streams.map(stream => stream.next())), [
    { event: 'news', data: '<li>a</li>' },
    { data: '<hx-partial hx-target="#news" hx-swap="afterbegin"><li>a</li></hx-partial>' },
    { data: '<turbo-stream action="prepend" target="news"><template><li>a</li></template></turbo-stream>' }
  ])
})

t.test('auto prints what each dialect reads, and an attribute that two share once', async t => {
  t.same(attributesFor('auto', ({ swap }) => swap('news')), [['id', 'news'], ['sse-swap', 'news']])
  t.same(attributesFor('htmx4', ({ swap }) => swap('news')), [['id', 'news']])
})

t.test('a swap that no page knows is refused when the fragment is made, with what was meant', async t => {
  const make = swap => new Fragment('a.html', 'b', {}, { swap })
  for (const swap of ['innerHTML', 'beforeend scroll:bottom', 'outerMorph', 'morph:outerHTML', 'innerHTML swap:"1s"', 'upsert', '']) t.doesNotThrow(() => make(swap), swap)
  t.throws(() => make('beforend'), { code: 'FST_CHIRP_FRAGMENT', message: /no page can swap by "beforend"\. The words are .*\. Did you mean "beforeend"\?$/ })
  t.throws(() => make('scroll:bottom'), { code: 'FST_CHIRP_FRAGMENT' })
})
