// The cursor and the dialect are read as the client sent them, whatever a schema or a hook has made of the request.
import http from 'node:http'
import { once } from 'node:events'
import t from 'tap'
import { Fragment } from 'fastify-chirp'
import { buildApp, listen } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

const templates = t.testdir({ 'a.html': '{% block b %}<p></p>{% endblock %}' })
const HTMX2 = 'event: x\ndata: <p></p>\n\n'
const HTMX4 = 'data: <hx-partial hx-target="#x"><p></p></hx-partial>\n\n'

const onlyName = { type: 'object', additionalProperties: false, properties: { name: { type: 'string' } } }
const coerced = {
  type: 'object', properties: { lastEventId: { type: 'integer' }, htmx: { type: 'integer' }, 'last-event-id': { type: 'integer' }, 'hx-request': { type: 'boolean' } }
}

async function buildStreams (t, route = {}, fastifyOptions = {}) {
  const app = await buildApp(t, { templates }, fastifyOptions)
  const handler = (request, reply) => reply.eventStream(function * ({ lastEventId }) {
    yield lastEventId
    yield new Fragment('a.html', 'b', {}, { target: 'x' })
  })
  app.get('/live', route, handler)
  app.get('/plain', handler)
  return app
}

/** What the stream took for the cursor, and the dialect that it speaks. */
async function read (app, url, headers = {}) {
  const { body } = await app.inject({ url, headers })
  const [, cursor, rest] = /^: open\ndata: (.*)\n\n([^]*)$/.exec(body)
  return [cursor, rest === HTMX4 ? 4 : rest === HTMX2 ? 2 : rest]
}

for (const [name, querystring] of Object.entries({ 'that lists others only': onlyName, 'that makes numbers of them': coerced })) {
  t.test(`a query schema ${name} takes neither cursor nor dialect away`, async t => {
    const app = await buildStreams(t, { schema: { querystring } })
    t.same(await read(app, '/live?name=a&lastEventId=007&htmx=4'), ['007', 4])
    t.same(await read(app, '/live?htmx=2&lastEventId=12', { 'hx-request': 'true', 'hx-source': 'a' }), ['12', 2])
    const over = await new TestClient(app, { listen: true }).sse('/live?lastEventId=08&htmx=4', { maxEvents: 2 })
    t.same(over.events.map(({ data }) => data), ['08', '<hx-partial hx-target="#x"><p></p></hx-partial>'])
  })

  t.test(`a schema for headers ${name} takes neither cursor nor dialect away`, async t => {
    const app = await buildStreams(t, { schema: { headers: querystring } })
    const headers = { 'Last-Event-ID': '007', 'HX-Request': 'true', 'HX-Request-Type': 'partial' }
    t.same(await read(app, '/live', headers), ['007', 4])
    t.same(await read(app, '/live?lastEventId=3', { accept: '*/*' }), ['3', 2])
    const over = await new TestClient(app, { listen: true }).sse('/live', { maxEvents: 2, headers: { accept: 'text/event-stream', ...headers } })
    t.same(over.events.map(({ data }) => data), ['007', '<hx-partial hx-target="#x"><p></p></hx-partial>'])
  })
}

t.test('a header that a schema coerced or removed still refuses, and still asks for a block', async t => {
  const app = await buildApp(t, { templates })
  const schema = { headers: { type: 'object', additionalProperties: false, properties: { 'hx-request': { type: 'boolean' } } } }
  app.get('/live', { schema }, (request, reply) => reply.eventStream(['a']))
  app.get('/page', { schema }, (request, reply) => reply.page('a.html', {}, { block: 'b' }))
  t.equal((await app.inject({ url: '/live', headers: { accept: 'application/json' } })).statusCode, 406)
  t.equal((await app.inject({ url: '/page', headers: { 'hx-request': 'true', 'hx-request-type': 'full' } })).body, '<p></p>')
})

t.test('the cursor in an address', async t => {
  const app = await buildStreams(t)
  const cases = {
    '/live': '',
    '/live?': '',
    '/live?lastEventId': '',
    '/live?lastEventId=': '',
    '/live?a=lastEventId=1': '',
    '/live?xlastEventId=1': '',
    '/live?lastEventIds=1': '',
    '/live?a=1&lastEventId=b-2&c=3': 'b-2',
    '/live?lastEventId=a+b%2Bc%20d': 'a b+c d',
    '/live?lastEventId=gr%C3%B6%C3%9Fe': 'größe',
    '/live?lastEventId=a%3D1%26b': 'a=1&b',
    '/live?lastEventId=a=b': 'a=b',
    // Of no use to anybody, and no error either: to a channel it is a gap.
    '/live?lastEventId=%zz': '%zz',
    '/live?lastEventId=%FF': '%FF',
    // A client that adds its own to an address that has one adds it last.
    '/live?lastEventId=old&lastEventId=new': 'new',
    '/live?lastEventId=a&xlastEventId=b': 'a',
    '/live?last%45ventId=7': '7'
  }
  for (const [url, cursor] of Object.entries(cases)) t.same(await read(app, url), [cursor, 2], url)
  t.same(await read(app, '/live?lastEventId=1', { 'last-event-id': '2' }), ['2', 2], 'the header comes first')
  t.same(await read(app, '/live?htmx=2&htmx=4'), ['', 4])
  t.same(await read(app, '/live?htmx=3'), ['', 2])
})

t.test('a query of 14 kB in which the name repeats costs no more than any other', async t => {
  const app = await buildStreams(t)
  const port = await listen(app)
  const [response] = await once(http.get({ port, path: `/live?${'xlastEventId='.repeat(1000)}&lastEventId=1`, agent: false }), 'response')
  let text = ''
  for await (const chunk of response.setEncoding('utf8')) text += chunk
  t.equal(text, `: open\ndata: 1\n\n${HTMX2}`)
})

t.test('an address that rewriteUrl has changed', async t => {
  const app = await buildStreams(t, {}, {
    rewriteUrl: ({ url }) => url.startsWith('/cut') ? '/live' : url.startsWith('/add') ? '/live?lastEventId=added' : url
  })
  t.same(await read(app, '/cut?lastEventId=5&htmx=4'), ['5', 4], 'what it cut off was sent all the same')
  t.same(await read(app, '/add?lastEventId=5'), ['added', 2], 'what it says counts')
  t.same(await read(app, '/add'), ['added', 2])
})

t.test('what a hook of the app puts into the query or the headers is seen', async t => {
  const app = await buildStreams(t)
  app.addHook('preHandler', async request => {
    request.query.lastEventId = 'from the session'
    request.headers['hx-request'] = 'true'
    request.headers['hx-source'] = 'a'
  })
  t.same(await read(app, '/plain'), ['from the session', 4])
  t.same(await read(app, '/plain?lastEventId=1'), ['1', 4], 'the client knows better')
})

t.test('a request without a list of its headers as they came', async t => {
  const app = await buildStreams(t)
  app.addHook('onRequest', async ({ raw }) => { raw.rawHeaders = undefined })
  t.same(await read(app, '/live?lastEventId=1'), ['1', 2])
})

t.test('a channel replays to a client whose cursor a schema does not know', async t => {
  const app = await buildApp(t)
  const news = app.channel('news')
  app.get('/live', { schema: { querystring: onlyName } }, (request, reply) => reply.eventStream(news))
  const first = await news.publish('one')
  const second = await news.publish('two')
  const { events } = await new TestClient(app).sse(`/live?lastEventId=${first}`, { maxEvents: 1 })
  t.same(events, [{ data: 'two', id: second }])
})
