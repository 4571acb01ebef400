// Metrics of streams, channels and renders, as the SDK exports them.
import diagnostics from 'node:diagnostics_channel'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http2 from 'node:http2'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { Fragment, merge } from 'fastify-chirp'
import { instrument } from 'fastify-chirp/otel'
import { buildApp, listen, never, until } from '../helpers/app.js'
import { providers } from '../helpers/otel.js'
import { controlled, dial, get, GET } from '../helpers/raw.js'

const VIEWS = fileURLToPath(new URL('../fixtures/views', import.meta.url))

async function setUp (t, options) {
  const telemetry = providers(t)
  const app = await buildApp(t, options)
  const off = instrument(app, telemetry.options)
  return { app, off, ...telemetry }
}

/** A client that has the first frame, and more when `text` is given. */
async function open (app, path, text = ': open', headers) {
  const client = await dial(await listen(app))
  client.send(GET(path, headers))
  await client.heard(text)
  return client
}

const STREAM = { 'network.protocol.version': '1.1', 'sse.dialect': 'htmx2' }

t.test('a stream counts while it is open, by route, and its events and bytes before it ends', async t => {
  const { app, metrics } = await setUp(t)
  const control = controlled()
  app.get('/a/:id', (request, reply) => reply.eventStream(control.source))
  app.get('/b', (request, reply) => reply.eventStream(async function * () { yield 'one' }))
  const client = await open(app, '/a/7')
  control.give('é')
  await client.heard('data: ')
  await get(await listen(app), '/b')
  await until(() => app.eventStreams.open === 1)
  const during = await metrics()
  t.same(during['sse.server.active_connections'], [{ 'http.route': '/a/:id', ...STREAM, value: 1 }, { 'http.route': '/b', ...STREAM, value: 0 }])
  t.same(during['sse.server.events'].map(({ value }) => value).sort(), [1, 1])
  t.match(during['sse.server.bytes'].find(point => point['http.route'] === '/a/:id'), { value: ': open\ndata: é\n\n'.length + 1 })
  t.match(during['sse.server.queue.bytes'], [{ 'http.route': '/a/:id', value: 0 }])
  t.match(during['sse.server.connection.duration'], [{ 'http.route': '/b', 'sse.close.reason': 'end', count: 1 }])
  client.socket.destroy()
  await until(() => app.eventStreams.open === 0)
  const after = await metrics()
  t.same(after['sse.server.active_connections'].map(({ value }) => value), [0, 0])
  t.same(after['sse.server.events'].reduce((sum, { value }) => sum + value, 0), app.eventStreams.events, 'nothing is counted twice')
  t.same(after['sse.server.bytes'].reduce((sum, { value }) => sum + value, 0), app.eventStreams.bytes)
  t.match(after['sse.server.connection.duration'].find(point => point['http.route'] === '/a/:id'), { 'sse.close.reason': 'disconnect', count: 1 })
})

t.test('why a stream ended, and what it failed with', async t => {
  const { app, metrics } = await setUp(t)
  const failures = [new TypeError('no'), Object.assign(new Error('no'), { code: 'E_DB' }), { name: 'a b' }, Object.create(null, { code: { get () { throw new Error('unreadable') } } })]
  app.get('/:n', (request, reply) => reply.eventStream(async function * () { throw failures[request.params.n] }))
  app.get('/value', (request, reply) => reply.eventStream([undefined, 1]))
  const port = await listen(app)
  for (const n of failures.keys()) await get(port, `/${n}`)
  await get(port, '/value')
  await until(() => app.eventStreams.open === 0)
  const durations = (await metrics())['sse.server.connection.duration']
  t.same(durations.map(point => [point['sse.close.reason'], point['error.type'], point.count]), [
    ['error', 'TypeError', 1], ['error', 'E_DB', 1], ['error', '_OTHER', 2], ['end', undefined, 1]
  ])
})

t.test('refused streams: too many, an app that is drained, and one that closes before it had a source', async t => {
  const { app, metrics } = await setUp(t, { maxStreams: 2 })
  app.get('/', (request, reply) => reply.eventStream(() => never))
  app.get('/late', (request, reply) => reply.eventStream(() => never, { key: 'ann' }))
  const client = await dial(await listen(app))
  client.send(GET('/'))
  const late = await dial(await listen(app))
  late.send(GET('/late'))
  await until(() => app.eventStreams.open === 2)
  await get(await listen(app), '/')
  await app.eventStreams.close('ann')
  await until(() => app.eventStreams.open === 1)
  await app.eventStreams.drain(0)
  await get(await listen(app), '/')
  const points = (await metrics())['sse.server.rejected']
  t.same(points, [
    { 'http.route': '/', 'sse.close.reason': 'busy', value: 1 },
    { 'http.route': '/late', 'sse.close.reason': 'closed', value: 1 },
    { 'http.route': '/', 'sse.close.reason': 'shutdown', value: 2 }
  ])
})

t.test('how streams of channels begin: fresh, replayed, with a gap; once for a merge', async t => {
  const { app, metrics } = await setUp(t)
  const [a, b] = ['a', 'b'].map(name => app.channel(name, { history: 10 }))
  const first = await a.publish('1')
  await a.publish('2')
  await b.publish('3')
  app.get('/a', (request, reply) => reply.eventStream(a))
  app.get('/merge', (request, reply) => reply.eventStream(merge(a, b)))
  app.get('/latest', (request, reply) => reply.eventStream(app.channel('latest', { latest: true })))
  app.get('/pulled', (request, reply) => reply.eventStream(['x']))
  await open(app, '/a', 'id: ')
  await open(app, '/a', 'data: 2', `Last-Event-ID: ${first}\r\n`)
  await open(app, '/a', 'chirp:gap', 'Last-Event-ID: unknown\r\n')
  const merged = await open(app, '/merge', 'id: ')
  const cursor = /id: (\S+)/.exec(merged.text)[1]
  await b.publish('4')
  await open(app, '/merge', 'data: 4', `Last-Event-ID: ${cursor}\r\n`)
  await open(app, '/merge', 'chirp:gap', 'Last-Event-ID: unknown\r\n')
  await open(app, '/latest')
  await get(await listen(app), '/pulled')
  const results = (await metrics())['sse.server.resume'].map(point => [point['http.route'], point['sse.resume.result'], point.value])
  t.same(results.sort(), [['/a', 'fresh', 1], ['/a', 'gap', 1], ['/a', 'replayed', 1], ['/latest', 'fresh', 1], ['/merge', 'fresh', 1], ['/merge', 'gap', 1], ['/merge', 'replayed', 1]])
})

t.test('renders and the way from publish() to the sockets', async t => {
  const { app, metrics } = await setUp(t, { templates: VIEWS })
  const news = app.channel('news')
  app.get('/', (request, reply) => reply.eventStream(news))
  await news.publish('nobody follows')
  const client = await open(app, '/', 'id: ')
  await news.publish(new Fragment('page.html', 'list'))
  await client.heard('data: ')
  await t.rejects(app.renderFragment(new Fragment('page.html', 'absent')))
  await t.rejects(app.renderFragment(new Fragment('page.html', 'slow')))
  const { 'sse.server.render.duration': renders, 'sse.server.publish.lag': lags } = await metrics()
  t.match(renders, [
    { 'sse.template': 'page.html', 'sse.block': 'list', count: 1 },
    { 'error.type': 'FST_CHIRP_BLOCK_NOT_FOUND', count: 1 },
    { 'sse.template': 'page.html', 'sse.block': 'slow', 'error.type': 'FST_CHIRP_RENDER', count: 1 }
  ])
  t.notOk('sse.block' in renders[1], 'names that do not exist may come from anywhere')
  t.match(lags, [{ count: 1 }])
  t.ok(lags[0].sum >= 0)
})

t.test('a stream of no route, and one of HTTP/1.0', async t => {
  const { app, metrics } = await setUp(t)
  app.setNotFoundHandler((request, reply) => reply.eventStream(['x']))
  const client = await dial(await listen(app))
  client.send('GET /absent HTTP/1.0\r\n\r\n')
  await until(() => client.ended && app.eventStreams.open === 0)
  t.same((await metrics())['sse.server.events'], [{ 'network.protocol.version': '1.0', 'sse.dialect': 'htmx2', value: 1 }])
})

t.test('a stream over HTTP/2', async t => {
  const telemetry = providers(t)
  const app = await buildApp(t, {}, { http2: true })
  instrument(app, telemetry.options)
  app.get('/', (request, reply) => reply.eventStream(['x']))
  const session = http2.connect(`http://127.0.0.1:${await listen(app)}`)
  const stream = session.request({ ':path': '/' }).resume()
  await once(stream, 'close')
  session.close()
  await until(() => app.eventStreams.open === 0)
  t.match((await telemetry.metrics())['sse.server.connection.duration'], [{ 'network.protocol.version': '2', 'sse.close.reason': 'end', count: 1 }])
})

t.test('what comes from other processes is no number, or no time', async t => {
  const { app, metrics } = await setUp(t)
  const deliver = diagnostics.channel('fastify-chirp:deliver')
  const now = Date.now()
  deliver.publish({ app, channel: 'a', readers: 1, events: [{ published: 'x' }, { published: now + 1e6, traceparent: 'x' }, { published: now + 1e6, traceparent: `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01` }, { published: undefined }] })
  t.match((await metrics())['sse.server.publish.lag'], [{ count: 2, sum: 0 }])
})

t.test('the table of metrics in docs/reference/observability.md is the list', async t => {
  const { app, metrics } = await setUp(t, { templates: VIEWS, maxStreams: 1 })
  const news = app.channel('news')
  app.get('/', (request, reply) => reply.eventStream(news))
  const client = await open(app, '/', 'id: ')
  await news.publish(new Fragment('page.html', 'list'))
  await client.heard('data: ')
  await get(await listen(app), '/')
  client.socket.destroy()
  await until(() => app.eventStreams.open === 0)
  const text = readFileSync(new URL('../../docs/reference/observability.md', import.meta.url), 'utf8')
  const listed = [...text.matchAll(/^\| `(sse\.[^`]+)` \| (\w+)/gm)].map(match => match[1])
  const names = Object.keys(await metrics())
  // Nothing waits any more.
  t.same([...new Set([...names, 'sse.server.queue.bytes'])].sort(), listed.sort())
  // https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/
  const dashboard = JSON.parse(readFileSync(new URL('../../docs/grafana.json', import.meta.url), 'utf8'))
  const queries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
  const exported = new Set(listed.flatMap(name => {
    const base = name.replaceAll('.', '_')
    return [base, `${base}_total`, `${base}_bytes`, `${base}_bytes_total`, `${base}_total`, `${base}_seconds_bucket`, `${base}_seconds_count`, `${base}_seconds_sum`]
  }))
  t.ok(queries.length >= listed.length)
  const asked = new Set()
  for (const expr of queries) {
    for (const [name] of expr.matchAll(/sse_server_\w+/g)) {
      t.ok(exported.has(name), name)
      asked.add(name.replace(/_(?:bucket|count|sum|total)$/, '').replace(/_seconds$/, ''))
    }
  }
  for (const name of listed) t.ok([...asked].some(query => query.startsWith(name.replaceAll('.', '_'))), `${name} is in the dashboard`)
})
