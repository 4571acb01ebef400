// Checked by `npm run types`: what compiles here must compile for users, and
// what is marked with @ts-expect-error must not.
import { Readable } from 'node:stream'
import Fastify from 'fastify'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify'
import nunjucks from 'nunjucks'
import chirp, { Channel, defer, type Deferred, Fragment, Fragments, merge, SSEEvent } from 'fastify-chirp'
import type { ChirpOptions, CloseReason, EventStreamStats, EventStreams, StreamCloseMessage, StreamContext } from 'fastify-chirp'
import { categories, formatGithub, formatJson, formatText } from 'fastify-chirp/contracts'
import type { ContractIssue, ContractOptions, ContractReport } from 'fastify-chirp/contracts'
import { TestClient } from 'fastify-chirp/testing'
import type { ReceivedEvent, SSEResult } from 'fastify-chirp/testing'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
function expectType<Expected> (): <Actual>(value: Actual, same: Equal<Actual, Expected>) => void {
  return () => {}
}

const app = Fastify()
await app.register(chirp)
await app.register(chirp, {
  templates: ['views'],
  debug: true,
  heartbeat: false,
  retry: 1000,
  closeEvent: 'bye',
  maxBuffer: 1,
  writeTimeout: false,
  maxAge: false,
  maxStreams: 1,
  maxStreamsPerClient: 1,
  clientKey: request => request.ip,
  shutdownGrace: 0,
  dialect: 'htmx4',
  compress: true,
  client: '/scripts',
  contracts: { sources: ['routes'], external: ['/auth/*'], severities: { orphan: 'off' } }
})
await app.register(chirp, { client: false })
await app.register(chirp, { templates: new nunjucks.Environment() })
// @ts-expect-error an option that does not exist
await app.register(chirp, { hartbeat: 1000 })
// @ts-expect-error true is no time
const wrong: ChirpOptions = { heartbeat: true }
// @ts-expect-error it is on when it is not set
const wrongClient: ChirpOptions = { client: true }
// @ts-expect-error there is no such level
const wrongContracts: ChirpOptions = { contracts: { severities: { orphan: 'fatal' } } }
// @ts-expect-error the client chooses how
const wrongCompress: ChirpOptions = { compress: 'gzip' }
// @ts-expect-error there is no third dialect
const wrongDialect: ChirpOptions = { dialect: 'htmx3' }

expectType<EventStreams>()(app.eventStreams, true)
const stats: EventStreamStats = app.eventStreams
expectType<number>()(stats.total, true)
expectType<boolean>()(app.eventStreams.ready, true)
expectType<Promise<number>>()(app.eventStreams.close('ann'), true)
expectType<Promise<void>>()(app.eventStreams.drain(1000), true)
// @ts-expect-error it is not set by the app
app.eventStreams.ready = true
expectType<number>()(app.eventStreams.open, true)
// @ts-expect-error counters are read only
app.eventStreams.open = 1
expectType<Promise<string>>()(app.renderFragment(new Fragment('a', 'b')), true)

// Every source, from sync and async handlers, with `return`.
app.get('/generator', { referenced: true, events: ['a', 'b'] }, (request, reply) =>
  reply.eventStream(async function * ({ signal, lastEventId, request, log }) {
    expectType<AbortSignal>()(signal, true)
    expectType<string>()(lastEventId, true)
    expectType<FastifyRequest>()(request, true)
    expectType<FastifyBaseLogger>()(log, true)
    yield 'text'
    yield { count: 42 }
    yield new Fragment('a.html', 'b', { n: 1 }, { target: 't', id: 7, retry: 5, swap: 'beforeend' })
    yield new SSEEvent({ data: 1, event: 'ping', id: 7n, retry: 5 })
  }))
app.post('/async', async (request, reply) => reply.eventStream(async ({ signal }) => Readable.from(['a'], { signal })))
app.get('/array', (request, reply) => reply.eventStream(['a', 1, null]))
app.get('/iterable', (request, reply) => reply.eventStream(new Set([1])))
app.get('/web', (request, reply) => reply.eventStream(new ReadableStream()))
app.get('/options', (request, reply) =>
  reply.eventStream([], { retry: 1, closeEvent: 'x', heartbeat: false, maxAge: 1, dialect: 'auto', event: 'tick', compress: false }))
app.get<{ Querystring: { q: string }, Reply: { 200: { ok: boolean } } }>('/typed', async (request, reply) => {
  if (request.query.q === '') return reply.code(200).send({ ok: true })
  return reply.eventStream([request.query.q])
})
app.get('/chained', (request, reply) => reply.code(201).header('x', 'y').eventStream([]))
app.route({ method: 'GET', url: '/route', referenced: true, handler: (request, reply) => reply.eventStream([]) })
// A handler that is a source, or returns one.
app.get('/generator-handler', { referenced: true }, async function * (request, reply) {
  expectType<FastifyRequest>()(request, true)
  expectType<FastifyReply>()(reply, true)
  yield 'a'
})
app.get('/sync-generator-handler', { referenced: true }, function * () { yield 'a' })
app.get('/returned-channel', { referenced: true }, () => app.channel('a'))
app.get('/returned-later', { referenced: true }, async () => app.channel('a').subscribe())

app.get('/wrong', (request, reply) => {
  // @ts-expect-error a number is no source
  reply.eventStream(5)
  // @ts-expect-error maxBuffer is for the app, not for one stream
  reply.eventStream([], { maxBuffer: 1 })
})
// @ts-expect-error referenced is true or false
app.get('/wrong-mark', { referenced: 'yes' }, () => {})

app.get('/html', (request, reply) => reply.fragment('a.html', 'b', { n: 1 }))
app.get('/page', async (request, reply) => reply.page('a.html', {}, { block: 'b' }))
app.get('/config', (request, reply: FastifyReply) => {
  expectType<boolean | undefined>()(reply.routeOptions.config.referenced, true)
  expectType<readonly string[] | undefined>()(reply.routeOptions.config.events, true)
})

const report = await app.checkContracts({ sources: ['lib'], severities: { orphan: 'off', link: 'warning' }, external: ['/auth/*'] })
expectType<ContractReport>()(report, true)
expectType<ContractIssue[]>()(report.issues, true)
expectType<number>()(report.counts.error + report.counts.routesUnread, true)
expectType<string[]>()(report.unread, true)
expectType<string>()(formatText(report, { color: true }) + formatJson(report) + formatGithub(report), true)
expectType<string[]>()(categories.map(({ category }) => category), true)
// @ts-expect-error there is no such level
const wrongSeverity: ContractOptions = { severities: { orphan: 'fatal' } }

const news = app.channel('news', { history: 10 })
expectType<Channel>()(news, true)
expectType<Promise<string>>()(news.publish(new Fragment('a', 'b'), { audience: { user: 1 } }), true)
expectType<number>()(news.size, true)
app.get('/channel', { referenced: true }, (request, reply) => reply.eventStream(news))
app.get('/merged', (request, reply) => reply.eventStream(merge(news, app.channel('b', { latest: true }), [1], news.subscribe())))
app.get('/filtered', (request, reply) =>
  reply.eventStream(({ lastEventId, signal }) => news.subscribe({ lastEventId, signal, filter: audience => audience === 1 })))
for await (const entry of news.subscribe({ lastEventId: '7' })) expectType<string>()(entry.id, true)
const leave = news.presence().join('ann', { info: { name: 'Ann' }, signal: new AbortController().signal })
expectType<() => void>()(leave, true)
news.presence().on('join', member => { expectType<number>()(member.count, true) })
// @ts-expect-error a channel has no such option
app.channel('c', { size: 5 })
// @ts-expect-error a number is no source
merge(5)

const event = new SSEEvent({ data: { a: 1 } })
expectType<unknown>()(event.data, true)
expectType<string | undefined>()(event.id, true)
// @ts-expect-error frozen
event.id = 'x'
// @ts-expect-error a number is no name
const wrongEvent = new SSEEvent({ event: 5 })
// @ts-expect-error a fragment needs a block
const wrongFragment = new Fragment('a.html')
const fragments = new Fragments([new Fragment('a', 'b')], { id: 7n, retry: 5 })
expectType<readonly Fragment[]>()(fragments.fragments, true)
// @ts-expect-error text is no fragment
const wrongFragments = new Fragments(['a'])

const client = new TestClient(app, { listen: true })
const result = await client.sse('/', { maxEvents: 3, timeout: 2000, headers: { a: 'b' }, lastEventId: '7', method: 'POST', payload: { a: 1 } })
expectType<SSEResult>()(result, true)
expectType<number>()(result.heartbeats, true)
expectType<ReceivedEvent | undefined>()(result.events[0] as ReceivedEvent | undefined, true)
const stream = await client.open('/')
expectType<Promise<ReceivedEvent | undefined>>()(stream.next(), true)

const page = await client.page('/', { method: 'GET', headers: { a: 'b' }, timeout: 1000 })
expectType<{ status: number, html: string, chunks: string[] }>()(page, true)
app.get('/deferred', (request, reply) => reply.page('a.html', {
  stats: defer(async ({ signal, log }) => { log.info(signal.aborted); return 5 }), feed: defer(Promise.resolve(['a'])), now: defer(1)
}, { timeout: false, order: 'document', await: request => request.headers['user-agent'] === 'bot' }))
expectType<Deferred<number>>()(defer(async () => 5), true)
// @ts-expect-error there is one order
app.get('/order', (request, reply) => reply.page('a.html', {}, { order: 'any' }))

const source = async function * (context: StreamContext) { yield context.lastEventId }
app.get('/named', (request, reply) => reply.eventStream(source))
const reasons: Record<CloseReason, true> = {
  end: true, error: true, disconnect: true, shutdown: true, closed: true, maxAge: true, maxBuffer: true, writeTimeout: true
}
const message: Pick<StreamCloseMessage, 'events' | 'bytes'> = { events: 1, bytes: 2 }

export { message, reasons, wrong, wrongClient, wrongCompress, wrongContracts, wrongDialect, wrongEvent, wrongFragment, wrongFragments, wrongSeverity }
