// Spans of changes of a live view, and of the updates that follow them.
import diagnostics from 'node:diagnostics_channel'
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import t from 'tap'
import { instrument } from 'fastify-chirp/otel'
import { until } from '../helpers/app.js'
import { engineWith } from '../helpers/engine.js'
import { buildTickets, contextOf, Page } from '../helpers/live-views.js'
import { followContexts, providers } from '../helpers/otel.js'

followContexts(t)

async function setUp (t, options) {
  const telemetry = providers(t)
  const tickets = await buildTickets(t, options)
  instrument(tickets.app, telemetry.options)
  return { ...tickets, ...telemetry }
}

async function connect (app, headers) {
  return (await Page.load(app, '/tickets/7', headers)).connect()
}

const idOf = span => span.spanContext().spanId
const linksOf = span => span.links.map(link => link.context.spanId)

t.test('a change, and the update that it leads to, with its renders below', async t => {
  const { app, view, tickets, options, spans } = await setUp(t)
  const page = await connect(app)
  const request = options.tracerProvider.getTracer('app').startSpan('request')
  Object.assign(tickets.get('7'), { title: 'New', total: 2 })
  await context.with(trace.setSpan(context.active(), request), () => view.changed('7', ['ticket.title', 'ticket.total', 'elsewhere']))
  await page.take(2)
  await until(() => spans('update').length === 1)
  const [[change], [update]] = [spans('change'), spans('update')]
  t.equal(change.kind, SpanKind.PRODUCER)
  t.same(change.attributes, { 'sse.live.view': 'ticket', 'sse.live.paths': 3 })
  t.equal(change.parentSpanContext.spanId, idOf(request))
  t.equal(update.kind, SpanKind.CONSUMER)
  t.same(update.attributes, { 'sse.live.view': 'ticket', 'sse.live.paths': 3, 'sse.live.streams': 1, 'sse.live.blocks': 2, 'sse.live.sent': 2 })
  t.equal(update.parentSpanContext, undefined, 'a trace of its own')
  t.same(linksOf(update), [idOf(change)])
  t.equal(update.status.code, SpanStatusCode.UNSET)
  const renders = spans('render').filter(span => span.attributes['sse.block'] !== undefined)
  t.same(renders.map(span => [span.attributes['sse.block'], span.parentSpanContext?.spanId]).sort(), [['header', idOf(update)], ['total', idOf(update)]])
  await page.close()
})

t.test('changes that are collected are one update with a link to each, at most 128', async t => {
  const { app, view, tickets, spans } = await setUp(t, { view: { delay: 20 } })
  const page = await connect(app)
  tickets.get('7').title = 'New'
  await Promise.all([view.changed('7', ['comments']), view.changed('7')])
  await page.take(2)
  await until(() => spans('update').length === 1)
  const [update] = spans('update')
  t.same(linksOf(update), spans('change').map(idOf))
  t.notOk('sse.live.paths' in update.attributes, 'everything')
  t.notOk('sse.live.paths' in spans('change')[1].attributes)
  t.match(update.attributes, { 'sse.live.blocks': 3, 'sse.live.sent': 3 })
  tickets.get('7').total = 2
  await Promise.all(Array.from({ length: 200 }, () => view.changed('7', ['ticket.total'])))
  t.same(await page.take(1), ['total'])
  await until(() => spans('update').length === 2)
  t.equal(spans('update')[1].links.length, 128)
  t.match(spans('update')[1].attributes, { 'sse.live.paths': 1, 'sse.live.sent': 1 })
  await page.close()
})

t.test('one update for each viewer, and none where nobody looks', async t => {
  const { app, view, tickets, spans } = await setUp(t, { view: { viewer: ({ headers }) => headers.role } })
  await view.changed('7')
  const pages = []
  for (const role of ['a', 'b', 'b']) pages.push(await connect(app, { role }))
  tickets.get('7').title = 'New'
  await view.changed('7', ['ticket.title'])
  for (const page of pages) await page.take(1)
  await until(() => spans('update').length === 2)
  t.same(spans('update').map(span => span.attributes['sse.live.streams']).sort(), [1, 2])
  t.equal(spans('change').length, 2)
  for (const page of pages) await page.close()
})

t.test('the trace of a change reaches other processes, and clients that come back', async t => {
  const engine = engineWith({})
  const records = []
  const noting = { ...engine, publish: (topic, publication) => { records.push(publication.record); return engine.publish(topic, publication) } }
  const one = await setUp(t, { engine: noting })
  const two = await setUp(t, { engine })
  const page = await connect(two.app)
  two.tickets.get('7').title = 'New'
  await one.view.changed('7', ['ticket.title'])
  await page.take(1)
  await until(() => two.spans('update').length === 1)
  const [change] = one.spans('change')
  t.same(linksOf(two.spans('update')[0]), [idOf(change)])
  t.equal(two.spans('update')[0].links[0].context.isRemote, true)
  t.same(records.map(({ data }) => JSON.parse(data)), [{ version: 1, paths: ['ticket.title'] }], 'beside the change')
  await page.close()
  two.tickets.get('7').title = 'Newer'
  await one.view.changed('7', ['ticket.title'])
  await page.connect()
  await page.take(1)
  await until(() => two.spans('update').length === 2)
  t.same(linksOf(two.spans('update')[1]), [idOf(one.spans('change')[1])])
  await page.close()
})

t.test('what fails says so, without its message', async t => {
  let error
  const { app, view, tickets, spans } = await setUp(t, {
    context: (_id, given, ticket) => {
      if (error !== undefined) throw error
      return contextOf(ticket, given)
    }
  })
  await t.rejects(view.changed('7', null), { code: 'FST_CHIRP_OPTION' })
  t.match(spans('change'), [{ status: { code: SpanStatusCode.ERROR, message: undefined }, attributes: { 'error.type': 'FST_CHIRP_OPTION' } }])
  const page = await connect(app)
  error = new TypeError('no')
  await view.changed('7', ['ticket.title', 'ticket.total'])
  await until(() => spans('update').length === 1)
  const [update] = spans('update')
  t.match(update.status, { code: SpanStatusCode.ERROR, message: undefined })
  t.match(update.attributes, { 'sse.live.blocks': 2, 'sse.live.sent': 0, 'error.type': 'TypeError' })
  error = undefined
  tickets.get('7').title = 'New'
  t.same(await page.take(1), ['header'])
  const again = spans('update').at(-1)
  t.match(again.attributes, { 'sse.live.paths': 0, 'sse.live.blocks': 2 }, 'tried again')
  t.same(linksOf(again), [])
  await page.close()
})

t.test('a template that cannot be loaded is an update that failed, and keeps its links', async t => {
  const { app, env, view, tickets, spans } = await setUp(t)
  const page = await connect(app)
  const [loader] = env.loaders
  const { getSource } = loader
  loader.getSource = () => { throw new RangeError('no disk') }
  env.invalidateCache()
  tickets.get('7').title = 'New'
  await view.changed('7', ['ticket.title'])
  await until(() => spans('update').length === 1)
  loader.getSource = getSource
  t.match(spans('update')[0].attributes, { 'sse.live.blocks': 0, 'sse.live.sent': 0, 'error.type': /\w/ })
  t.same(await page.take(1), ['header'])
  for (const update of spans('update')) t.same(linksOf(update), spans('change').map(idOf))
  await page.close()
})

t.test('an update that was begun before is not measured, and one that outlives its page is', async t => {
  const started = []
  const { app, view, tickets } = await buildTickets(t, {
    context: (_id, given, ticket) => new Promise(resolve => started.push(() => resolve(contextOf(ticket, given))))
  })
  const listener = () => {}
  const open = async () => {
    const loading = Page.load(app, '/tickets/7')
    await until(() => started.length === 1)
    started.pop()()
    return (await loading).connect()
  }
  const page = await open()
  tickets.get('7').title = 'New'
  diagnostics.subscribe('tracing:fastify-chirp:update:start', listener)
  await view.changed('7', ['ticket.title'])
  await until(() => started.length === 1)
  diagnostics.unsubscribe('tracing:fastify-chirp:update:start', listener)
  const { options, spans } = providers(t)
  instrument(app, options)
  started.pop()()
  t.same(await page.take(1), ['header'])
  t.same(spans('update'), [])
  await view.changed('7', ['ticket.title'])
  await until(() => started.length === 1)
  await page.close()
  await until(() => app.eventStreams.open === 0)
  started.pop()()
  await until(() => spans('update').length === 1)
  t.match(spans('update')[0].attributes, { 'sse.live.blocks': 1, 'sse.live.sent': 0 })
})
