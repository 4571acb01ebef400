// Spans of publications, renders and the start of streams.
import { fileURLToPath } from 'node:url'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { BasicTracerProvider, AlwaysOffSampler } from '@opentelemetry/sdk-trace-base'
import t from 'tap'
import { Fragment } from 'fastify-chirp'
import { instrument } from 'fastify-chirp/otel'
import { buildApp, listen, until } from '../helpers/app.js'
import { AsyncEngine } from '../helpers/engine.js'
import { followContexts, providers } from '../helpers/otel.js'
import { dial, get, GET } from '../helpers/raw.js'

const VIEWS = fileURLToPath(new URL('../fixtures/views', import.meta.url))
const LIST = new Fragment('page.html', 'list', {}, { target: 'list' })

followContexts(t)

async function setUp (t, options) {
  const telemetry = providers(t)
  const app = await buildApp(t, { templates: VIEWS, ...options })
  instrument(app, telemetry.options)
  const tracer = telemetry.options.tracerProvider.getTracer('app')
  /** Calls with a span of the app's own around it. */
  const within = (run, span = tracer.startSpan('app')) => context.with(trace.setSpan(context.active(), span), run)
  return { app, tracer, within, ...telemetry }
}

/** Keeps what was published too. */
class NotingEngine extends AsyncEngine {
  records = []

  publish (topic, publication) {
    this.records.push(publication.record)
    return super.publish(topic, publication)
  }
}

const idOf = span => span.spanContext().spanId

t.test('a publication, with what it renders below it, below the span of the app', async t => {
  const { app, tracer, within, spans } = await setUp(t)
  const own = tracer.startSpan('app')
  await within(() => app.channel('room:42').publish(LIST), own)
  const [publish] = spans('publish')
  const [render] = spans('render')
  t.equal(publish.kind, SpanKind.PRODUCER)
  t.same(publish.attributes, { 'messaging.destination.template': 'room:*' })
  t.equal(publish.parentSpanContext.spanId, idOf(own))
  t.equal(render.parentSpanContext.spanId, idOf(publish))
  t.same(render.attributes, { 'sse.template': 'page.html', 'sse.block': 'list' })
  t.equal(publish.status.code, SpanStatusCode.UNSET)
})

t.test('names of channels are cut down to their kind', async t => {
  const { app, spans } = await setUp(t)
  for (const name of ['news', 'user7', 'room:42', 'doc/7/chat', 'a.b']) await app.channel(name).publish('x')
  t.same(spans('publish').map(span => span.attributes['messaging.destination.template']), ['news', 'user*', 'room:*', 'doc/*/*', 'a.*'])
})

t.test('what fails says so, without its message', async t => {
  const { app, spans } = await setUp(t)
  await t.rejects(app.channel('a').publish(undefined))
  await t.rejects(app.channel('a').publish(new Fragment('page.html', 'absent')))
  t.same(spans().map(({ name, status, attributes }) => [name, status, attributes['error.type']]), [
    ['publish', { code: SpanStatusCode.ERROR }, 'FST_CHIRP_VALUE'],
    ['render', { code: SpanStatusCode.ERROR }, 'FST_CHIRP_BLOCK_NOT_FOUND'],
    ['publish', { code: SpanStatusCode.ERROR }, 'FST_CHIRP_BLOCK_NOT_FOUND']
  ])
})

t.test('a render that takes its time has a span of that time', async t => {
  const { default: nunjucks } = await import('nunjucks')
  const env = new nunjucks.Environment(new nunjucks.FileSystemLoader(VIEWS))
  let finish
  env.addFilter('slow', (text, callback) => { finish = () => callback(null, text) }, true)
  const { app, spans, metrics } = await setUp(t, { templates: env })
  const rendered = app.renderFragment(new Fragment('page.html', 'slow', { message: 'x' }))
  t.same(spans('render'), [])
  finish()
  t.equal(await rendered, 'x')
  t.equal(spans('render').length, 1)
  t.match((await metrics())['sse.server.render.duration'], [{ count: 1 }])
})

t.test('what was begun before is not measured', async t => {
  const { default: nunjucks } = await import('nunjucks')
  const env = new nunjucks.Environment(new nunjucks.FileSystemLoader(VIEWS))
  let finish
  env.addFilter('slow', (text, callback) => { finish = () => callback(null, text) }, true)
  const first = await setUp(t, { templates: env })
  const app = await buildApp(t, { templates: env })
  // Traced for the other app.
  const rendered = app.renderFragment(new Fragment('page.html', 'slow', { message: 'x' }))
  let fail
  app.get('/', (request, reply) => reply.eventStream(async function * () { await new Promise((resolve, reject) => { fail = reject }) }))
  const client = await dial(await listen(app))
  client.send(GET())
  await until(() => fail !== undefined)
  const { options, spans, metrics } = providers(t)
  instrument(app, options)
  finish()
  t.equal(await rendered, 'x')
  fail(new Error('no'))
  await until(() => app.eventStreams.open === 0)
  t.same([spans(), first.spans()], [[], []])
  t.notOk('sse.server.render.duration' in await metrics())
})

t.test('the start of a stream, with links to what it replayed; none for its life', async t => {
  const { app, spans } = await setUp(t)
  const news = app.channel('news', { history: 1000 })
  const first = await news.publish('0')
  for (let n = 0; n < 200; n++) await news.publish(`${n + 1}`)
  app.get('/', (request, reply) => reply.eventStream(news))
  const client = await dial(await listen(app))
  client.send(GET('/', `Last-Event-ID: ${first}\r\n`))
  await client.heard('data: 200\n')
  await until(() => spans('subscribe').length === 1)
  await news.publish('after')
  await client.heard('data: after\n')
  client.socket.destroy()
  await until(() => app.eventStreams.open === 0)
  const [subscribe] = spans('subscribe')
  t.same(subscribe.attributes, { 'http.route': '/', 'network.protocol.version': '1.1', 'sse.dialect': 'htmx2', 'sse.resume.result': 'replayed', 'sse.resume.events': 200 })
  t.equal(subscribe.links.length, 128)
  t.equal(subscribe.links[0].context.spanId, idOf(spans('publish')[1]))
  t.equal(spans('subscribe').length, 1)
})

t.test('a source that fails before it sends anything is a start that failed', async t => {
  const { app, spans } = await setUp(t)
  app.get('/', (request, reply) => reply.eventStream(async function * () { throw new TypeError('no') }))
  app.get('/late', (request, reply) => reply.eventStream(async function * () {
    yield 'x'
    throw new TypeError('no')
  }))
  const port = await listen(app)
  await get(port, '/')
  await get(port, '/late')
  await until(() => app.eventStreams.open === 0)
  t.match(spans('subscribe'), [{ status: { code: SpanStatusCode.ERROR }, attributes: { 'http.route': '/', 'error.type': 'TypeError' } }])
  t.equal(spans('subscribe').length, 1)
})

t.test('a trace has an end: what is rendered later is linked with it', async t => {
  const { app, tracer, within, spans } = await setUp(t)
  const ended = tracer.startSpan('app')
  await within(async () => {
    ended.end()
    await app.renderFragment(LIST)
  }, ended)
  const [render] = spans('render')
  t.equal(render.parentSpanContext, undefined)
  t.same(render.links.map(link => link.context.spanId), [idOf(ended)])
  // What another process records, and what is not sampled, goes on as it is.
  const remote = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1, isRemote: true }
  await context.with(trace.setSpanContext(context.active(), remote), () => app.renderFragment(LIST))
  t.equal(spans('render')[1].parentSpanContext.spanId, remote.spanId)
  const unsampled = new BasicTracerProvider({ sampler: new AlwaysOffSampler() }).getTracer('app').startSpan('app')
  await within(() => app.renderFragment(LIST), unsampled)
  t.equal(spans('render').length, 2)
})

t.test('the trace of a publication travels through the engine', async t => {
  const engine = new NotingEngine()
  const { app, spans } = await setUp(t, { engine })
  const news = app.channel('news')
  const id = await news.publish('1')
  await news.publish('2')
  const [, second] = spans('publish')
  const { traceId, spanId } = second.spanContext()
  t.equal(engine.records[1].traceparent, `00-${traceId}-${spanId}-01`)
  t.ok(Number.isInteger(engine.records[1].published))
  app.get('/', (request, reply) => reply.eventStream(news))
  const client = await dial(await listen(app))
  client.send(GET('/', `Last-Event-ID: ${id}\r\n`))
  await client.heard('data: 2')
  await until(() => spans('subscribe').length === 1)
  t.same(spans('subscribe')[0].links.map(link => link.context.spanId), [spanId])
  t.equal(spans('subscribe')[0].links[0].context.isRemote, true)
})

t.test('nothing is added to events while nobody traces', async t => {
  const engine = new NotingEngine()
  const app = await buildApp(t, { engine })
  await app.channel('news').publish('1')
  t.same(Object.keys(engine.records[0]).sort(), ['data', 'version'])
})
