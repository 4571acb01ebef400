// A page and its stream on one route: nothing is lost in between, whenever it happens.
import t from 'tap'
import { Fragment, kAttach, merge, SSEEvent } from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'
import { buildApp, listen, until } from '../helpers/app.js'
import { AsyncEngine } from '../helpers/engine.js'
import { addressIn, itemsIn, load, PAGE, views } from '../helpers/live.js'
import { get } from '../helpers/raw.js'

const POSITION = /^\w+-\d+$/
const errorsOf = app => app.log.lines.filter(({ level }) => level === 50).map(({ msg, err }) => [msg, err?.code ?? err?.message])

/** An app with a list and its channel; `add()` changes both, as an app does. */
async function build (t, { engine, templates = { 'page.html': PAGE }, ...options } = {}) {
  const env = views(templates)
  const app = await buildApp(t, { templates: env, engine, ...options })
  const news = app.channel('news')
  const items = []
  const add = async (item, id) => {
    items.push(item)
    await news.publish(new SSEEvent({ data: item, id }))
  }
  return { app, env, news, items, add }
}

/** Asks a route that answers as the test says. */
function asker (app) {
  let answer
  app.get('/asked', (request, reply) => answer(reply))
  return given => {
    answer = given
    return app.inject('/asked')
  }
}

for (const [name, createEngine] of Object.entries({ 'in memory': () => undefined, 'an engine that takes its time': () => new AsyncEngine() })) {
  for (const withCursor of [false, true]) {
    t.test(`${name}: what happens in any gap is seen, ${withCursor ? 'and with a cursor once' : 'without a cursor at least once'}`, async t => {
      const { app, env, news, items, add } = await build(t, { engine: createEngine(), templates: { 'page.html': `{{ "" | later }}${PAGE}` } })
      const live = Object.assign(Object.create(news), {
        cursor: async () => {
          await add('before the cursor', 1)
          const cursor = await news.cursor()
          await add('behind the cursor', 2)
          return cursor
        },
        [kAttach]: (outlet, id) => news[kAttach](outlet, id)
      })
      const context = async () => {
        await add('as the context begins', 3)
        const shown = [...items]
        await add('in the context', 4)
        return { items: shown }
      }
      const cursor = withCursor ? ({ items }) => items.length : undefined
      app.get('/', { live: true }, (request, reply) => reply.page('page.html', context, { live, cursor }))
      const loading = load(app, '/')
      await until(() => env.waiting.length === 1)
      await add('in the render', 5)
      env.answer()
      const page = await loading
      await add('between page and stream', 6)
      const shown = itemsIn(page.html)
      t.same(shown, items.slice(0, 3))
      const replayed = await page.follow(withCursor ? 3 : 5)
      t.same(replayed, items.slice(withCursor ? 3 : 1), 'in order')
      t.same(new Set([...shown, ...replayed]), new Set(items))
    })
  }
}

t.test('an old page goes on without loss, and one that is older than the history says so', async t => {
  const { app, news, items, add } = await build(t)
  app.get('/', { live: true }, (request, reply) => reply.page('page.html', { items: [...items] }, { live: news }))
  await add('first')
  const page = await load(app, '/')
  for (let n = 0; n < 1000; n++) await add(`${n}`)
  t.same(await page.follow(1000), items.slice(1))
  await add('one too many')
  t.equal((await page.follow(1))[0], 'chirp:gap')
})

t.test('which requests get the stream, and which the page', async t => {
  const { app, news } = await build(t)
  let made = 0
  app.route({ method: ['GET', 'POST'], url: '/', live: true, handler: (request, reply) => reply.page('page.html', () => ({ items: [++made] }), { live: news }) })
  const port = await listen(app)
  const ask = (path, accept, method = 'GET') => new Promise((resolve, reject) => {
    fetch(`http://127.0.0.1:${port}${path}`, { method, headers: accept === undefined ? {} : { accept } }).then(async response => {
      const type = response.headers.get('content-type')
      t.match(response.headers.get('vary'), /\bAccept\b/)
      t.match(response.headers.get('vary'), /HX-Request-Type/)
      await response.body?.cancel()
      resolve(type.split(';')[0])
    }).catch(reject)
  })
  const stream = 'text/event-stream'
  const page = 'text/html'
  for (const [accept, wanted] of [
    [stream, stream], [`${stream}, */*;q=0.1`, stream], ['TEXT/Event-Stream', stream], [`${stream}, text/html;q=0`, stream], [`text/html;q=0.0, ${stream};q=0.5`, stream],
    [undefined, page], ['*/*', page], ['text/*', page], ['text/html', page], [`text/html, ${stream}`, page], [`text/html;q=0.1, ${stream}`, page],
    [`application/xhtml+xml, ${stream}`, page], [`${stream};q=0, */*`, page], ['application/json', page]
  ]) t.equal(await ask('/', accept), wanted, accept)
  const before = made
  for (const [path, accept] of [['/?lastEventId=', '*/*'], ['/?lastEventId', `text/html, ${stream}`], ['/?a=1&lastEventId=x', '*/*']]) t.equal(await ask(path, accept), stream, path)
  t.equal(await ask('/', stream, 'HEAD'), stream)
  t.equal(made, before, 'no context for a stream')
  for (const path of ['/?xlastEventId=1', '/?a=lastEventId', '/?a=%26lastEventId=']) t.equal(await ask(path), page, path)
  await until(() => app.eventStreams.open === 0)
})

t.test('the context may be a function without live too', async t => {
  const { app } = await build(t, { templates: { 'page.html': '{{ a }}{% block b %}-{{ a }}{% endblock %}' } })
  app.get('/sync', (request, reply) => reply.page('page.html', () => ({ a: 1 })))
  app.get('/async', async (request, reply) => reply.page('page.html', async () => ({ a: 2 }), { block: 'b' }))
  app.get('/thrown', (request, reply) => reply.page('page.html', () => { throw new Error('no data') }))
  app.get('/rejected', (request, reply) => reply.page('page.html', async () => { throw new Error('no data') }))
  t.equal((await app.inject('/sync')).body, '1-1')
  t.equal((await app.inject('/async')).body, '2-2')
  t.equal((await app.inject({ url: '/async', headers: { 'hx-request': 'true' } })).body, '-2')
  for (const path of ['/thrown', '/rejected']) {
    t.match((await app.inject(path)).json(), { statusCode: 500, message: 'no data' })
  }
})

t.test('a context that is none, or fails, is an error of the app, and nothing more', async t => {
  const { app, news } = await build(t)
  const ask = asker(app)
  const bad = { undefined: () => undefined, text: () => 'a', list: async () => [1], nothing: async () => null, promise: Promise.resolve({}) }
  for (const [name, context] of Object.entries(bad)) {
    for (const options of [{}, { live: news }]) {
      const { statusCode, body } = await ask(reply => reply.page('page.html', context, options))
      t.equal(statusCode, 500)
      t.match(JSON.parse(body), { code: 'FST_CHIRP_OPTION', message: name === 'promise' ? /give a function: \(\) => load/ : /context function of reply.page\(\) must return an object/ })
    }
  }
  const failures = { thrown: () => { throw new Error('no data') }, rejected: async () => { throw new Error('no data') }, thenable: () => ({ then (done, failed) { failed(new Error('no data')) } }) }
  for (const [name, context] of Object.entries(failures)) {
    t.match((await ask(reply => reply.page('page.html', context, { live: news }))).json(), { statusCode: 500, message: 'no data' }, name)
  }
})

t.test('a page whose reply was sent meanwhile is logged when it fails', async t => {
  const { app, news } = await build(t)
  let fail
  app.get('/', (request, reply) => {
    reply.page('page.html', () => new Promise((resolve, reject) => { fail = reject }), { live: news })
    reply.send('sent')
  })
  t.equal((await app.inject('/')).body, 'sent')
  await until(() => fail !== undefined)
  fail(new Error('too late'))
  await until(() => errorsOf(app).length === 1)
  t.same(errorsOf(app), [['a page was not sent: its reply was already sent', 'too late']])
})

t.test('what cannot be a live page says what to do instead', async t => {
  const { app, news } = await build(t)
  const refused = [
    [{ live: [1] }, 'FST_CHIRP_LIVE', /must be a channel.*not an array/],
    [{ live: async function * () {} }, 'FST_CHIRP_LIVE', /not a function/],
    [{ live: { [kAttach] () {} } }, 'FST_CHIRP_LIVE', /neither cursor\(\) nor locate\(\)/],
    [{ live: merge(['a'], ['b']) }, 'FST_CHIRP_LIVE', /nothing in this merge\(\)/],
    [{ live: { [kAttach] () {}, cursor: () => 7 } }, 'FST_CHIRP_LIVE', /gave 7 as its cursor/],
    [{ live: { [kAttach] () {}, cursor: async () => 'a\nb' } }, 'FST_CHIRP_LIVE', /as its cursor/],
    [{ live: news, cursor: 1.5 }, 'FST_CHIRP_LIVE', /not a safe integer/],
    [{ live: news, cursor: 'a\nb' }, 'FST_CHIRP_LIVE', /control character/],
    [{ live: news, cursor: () => ({}) }, 'FST_CHIRP_LIVE', /not an object/],
    [{ live: news, cursor: 7n }, 'FST_CHIRP_LIVE', /bigint/],
    [{ cursor: 1 }, 'FST_CHIRP_OPTION', /"cursor".*without "live"/],
    [{ stream: {} }, 'FST_CHIRP_OPTION', /"stream".*without "live"/],
    [{ live: news, stream: { retri: 1 } }, 'FST_CHIRP_OPTION', /no option "retri" in "stream" of reply.page\(\).*"retry"/],
    [{ live: news, stream: { retry: -1 } }, 'FST_CHIRP_OPTION', /"retry"/],
    [{ live: news, lve: 1 }, 'FST_CHIRP_OPTION', /no option "lve"/],
    [{ live: news, block: '' }, 'FST_CHIRP_OPTION', /"block"/]
  ]
  const ask = asker(app)
  for (const [options, code, message] of refused) {
    t.match((await ask(reply => reply.page('page.html', { items: [] }, options))).json(), { statusCode: 500, code, message }, String(message))
  }
  const proxy = new Proxy({}, { get () { throw new Error('mine') }, ownKeys () { throw new Error('mine') } })
  t.match((await ask(reply => reply.page('page.html', {}, proxy))).json(), { code: 'FST_CHIRP_OPTION', message: /cannot be read \(mine\)/ })
})

t.test('a cursor of the app: values, functions, and what falls back', async t => {
  const { app, news } = await build(t)
  await news.publish(new SSEEvent({ data: 'a', id: 'row 1' }))
  const position = await news.cursor()
  const cursors = [['row 1', 'row%201'], [7, '7'], [() => 'row 1', 'row%201'], [async ({ items }) => items[0], '5'], [undefined, position], [null, position], ['', position], [() => undefined, position]]
  const ask = asker(app)
  for (const [cursor, wanted] of cursors) {
    const { body } = await ask(reply => reply.page('page.html', () => ({ items: [5] }), { live: news, cursor }))
    t.equal(addressIn(body), `/asked?lastEventId=${wanted}`)
  }
})

t.test('in a merge an id of the app is the place of its channel, and the others go on from theirs', async t => {
  const { app, news } = await build(t)
  const [other, gauge] = [app.channel('other'), app.channel('gauge', { latest: true })]
  const live = () => merge(other, gauge, news)
  app.get('/', { live: true }, (request, reply) => reply.page('page.html', () => ({ items: [] }), { live: live(), cursor: request.query.cursor }))
  await news.publish(new SSEEvent({ data: 'n1', id: 'row-1' }))
  await news.publish(new SSEEvent({ data: 'n2', id: 'row-2' }))
  await other.publish('o1')
  const page = await load(app, '/?cursor=row-1')
  await other.publish('o2')
  t.same((await page.follow(2)).sort(), ['n2', 'o2'])
  const unknown = await load(app, '/?cursor=row-9')
  t.same(await unknown.follow(2), ['chirp:gap', 'chirp:gap'], 'one for each')
})

t.test('subscriptions, merges of merges and feeds of others are followed from where they were', async t => {
  const { app, news } = await build(t)
  const other = app.channel('other')
  const feed = { [kAttach]: (outlet, id) => other[kAttach](outlet, id), locate: cursor => other.locate(cursor) }
  const lives = {
    subscription: () => news.subscribe({ filter: audience => audience === 'ann' }),
    merge: () => merge(merge(news, other), ['from a list']),
    feed: () => merge(news, feed),
    alone: () => feed
  }
  app.get('/:name', { live: true }, (request, reply) => reply.page('page.html', { items: [] }, { live: lives[request.params.name]() }))
  for (const name of Object.keys(lives)) {
    const page = await load(app, `/${name}`)
    await news.publish('for ann', { audience: 'ann' })
    await news.publish('for bob', { audience: 'bob' })
    await news.publish('for all')
    await other.publish('other')
    const wanted = { subscription: ['for ann', 'for all'], merge: ['for all', 'other', 'from a list'], feed: ['for all', 'other'], alone: ['other'] }[name]
    t.same((await page.follow(wanted.length)).sort(), wanted.toSorted(), name)
  }
})

t.test('cursor() of all that can be followed', async t => {
  const { app, news } = await build(t)
  const [other, gauge] = [app.channel('other'), app.channel('gauge', { latest: true })]
  t.match(await news.cursor(), POSITION, 'also before the first event')
  t.equal(await news.publish('a'), await news.cursor())
  t.equal(await news.subscribe({ filter: () => false }).cursor(), await news.cursor())
  t.equal(await news.subscribe({ signal: AbortSignal.abort() }).cursor(), '')
  t.equal(await gauge.cursor(), '')
  t.equal(await merge(news, merge(gauge, other)).cursor(), `${await news.cursor()}~${await other.cursor()}`)
  t.equal(await merge(news, ['a']).cursor(), await news.cursor())
  t.equal(await merge(gauge).cursor(), '')
  await t.rejects(merge(['a']).cursor(), { code: 'FST_CHIRP_LIVE' })
  const feed = { [kAttach] () {}, locate: async () => ({ from: undefined, last: 'x-1' }) }
  t.equal(await merge(feed, { ...feed, locate: () => ({ from: undefined, last: 'y-1' }) }).cursor(), 'x-1~y-1')
  news.close()
  t.equal(await news.cursor(), '')
  t.equal(await merge(news, other).cursor(), await other.cursor())
})

t.test('a page that keeps nothing connects to the stream all the same', async t => {
  const { app } = await build(t)
  const gauge = app.channel('gauge', { latest: true })
  await gauge.publish(new SSEEvent({ event: 'load', data: '1' }))
  app.get('/', { live: true }, (request, reply) => reply.page('page.html', { items: [] }, { live: gauge }))
  const page = await load(app, '/')
  t.equal(addressIn(page.html), '/?lastEventId=')
  t.same(await page.follow(1), ['load'])
})

t.test('what was opened for a stream is closed when the request was none', async t => {
  const { app, news } = await build(t)
  const feeds = []
  const open = () => {
    const feed = { discarded: 0, discard () { this.discarded++ }, [kAttach]: () => ({ detach () {} }), locate: cursor => news.locate(cursor) }
    feeds.push(feed)
    return feed
  }
  app.get('/page', (request, reply) => reply.page('page.html', { items: [] }, { live: merge(open(), news) }))
  app.get('/fails', (request, reply) => reply.page('page.html', () => { throw new Error('no') }, { live: merge(open(), news) }))
  app.get('/refused', (request, reply) => reply.page('page.html', { items: [] }, { live: open(), blok: 1 }))
  app.get('/rejects', (request, reply) => reply.page('page.html', { items: [] }, { live: Object.assign(open(), { cursor: async () => { throw new Error('out of reach') } }) }))
  const generator = (async function * () { yield 1 })()
  app.get('/generator', (request, reply) => reply.page('page.html', { items: [] }, { live: merge(generator, news) }))
  await app.inject('/generator')
  await app.inject('/page')
  await app.inject({ method: 'HEAD', url: '/page' })
  await app.inject({ method: 'HEAD', url: '/page?lastEventId=' })
  t.equal((await app.inject({ url: '/page?lastEventId=', headers: { accept: 'text/html' } })).statusCode, 406)
  await app.inject('/fails')
  await app.inject('/refused')
  t.match((await app.inject('/rejects')).json(), { statusCode: 500, message: 'out of reach' })
  t.same(feeds.map(({ discarded }) => discarded), Array(7).fill(1))
  t.same(await generator.next(), { done: true, value: undefined })
})

t.test('hooks, status and options of the stream are those of the route', async t => {
  const { app, news } = await build(t)
  app.addHook('onRequest', async (request, reply) => { if (request.headers.cookie === undefined) return reply.code(401).send('Who are you?') })
  app.get('/', { live: true }, (request, reply) => reply.page('page.html', { items: [] }, { live: news, stream: { retry: 1234, event: 'plain' } }))
  t.equal((await app.inject('/?lastEventId=')).statusCode, 401)
  const page = await load(app, '/', { cookie: 'a=b' })
  t.equal((await app.inject('/')).statusCode, 401)
  await news.publish('a')
  const stream = await page.connect({ headers: { cookie: 'a=b', accept: 'text/event-stream' } })
  t.match(await stream.next(), { event: 'chirp:open', retry: 1234 })
  t.match(await stream.next(), { data: 'a' })
  await stream.close()
})

t.test('a block of a live page connects too, and what is published does not', async t => {
  const page = '<main>{% block list %}<ol {{ sse_connect() }}></ol>{% endblock %}</main>'
  const { app, news } = await build(t, { templates: { 'page.html': page, 'base.html': '{% block a %}{% endblock %}' } })
  app.get('/dead', (request, reply) => reply.page('page.html'))
  app.get('/fragment', (request, reply) => reply.fragment('page.html', 'list'))
  app.get('/list', { live: true }, (request, reply) => reply.page('page.html', {}, { live: news, block: 'list' }))
  const { body, headers } = await app.inject({ url: '/list', headers: { 'hx-request': 'true', accept: '*/*' } })
  t.match(addressIn(body), /^\/list\?lastEventId=\w+-\d+$/)
  t.notMatch(body, '<main>')
  t.match(headers.vary, /HX-Boosted/)
  t.equal(headers.vary.match(/HX-Request,/g).length, 1, 'each header once')
  await t.rejects(app.renderFragment(new Fragment('page.html', 'list')), { code: 'FST_CHIRP_RENDER', message: /reply\.page\(template, context, \{ live: channel \}\).*sse_connect\("\/live"\)/ })
  t.match((await app.inject('/dead')).json(), { message: /works in a page that has a stream/ })
  t.equal((await app.inject('/fragment')).statusCode, 500)
})

t.test('over HTTP, for both generations of htmx', async t => {
  const { app, news } = await build(t)
  app.get('/', { live: true }, (request, reply) => reply.page('page.html', { items: [], dialect: request.query.dialect }, { live: news }))
  const port = await listen(app)
  for (const [dialect, attribute, headers] of [
    ['htmx2', 'sse-connect', { accept: 'text/event-stream' }],
    ['htmx4', 'hx-sse:connect', { accept: 'text/html, text/event-stream', 'hx-request': 'true', 'hx-request-type': 'partial' }]
  ]) {
    const { body } = await get(port, `/?dialect=${dialect}`)
    t.match(body, `<ol ${dialect === 'htmx2' ? 'hx-ext="sse" ' : ''}${attribute}="/?dialect=${dialect}&amp;lastEventId=`)
    await news.publish(`for ${dialect}`)
    const stream = await new TestClient(app, { listen: true }).open(addressIn(body), { headers })
    t.match(await stream.next(), { data: `for ${dialect}` })
    await stream.close()
  }
})
