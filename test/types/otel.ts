// What compiles here must compile for users of fastify-chirp/otel and of the diagnostics channels.
import diagnostics from 'node:diagnostics_channel'
import Fastify from 'fastify'
import { metrics, trace } from '@opentelemetry/api'
import chirp from 'fastify-chirp'
import type { ChangeMessage, DeliverMessage, ObservedStream, PublishMessage, RenderMessage, ResumeMessage, StreamCloseMessage, StreamRejectMessage, UpdateMessage, UpdateResult } from 'fastify-chirp'
import { instrument, type InstrumentOptions } from 'fastify-chirp/otel'

const app = Fastify()
await app.register(chirp)
const stop: () => void = instrument(app)
stop()
instrument(Fastify({ http2: true }), { meterProvider: metrics.getMeterProvider(), tracerProvider: trace.getTracerProvider() })
const options: InstrumentOptions = { meterProvider: false, tracerProvider: undefined }
instrument(app, options)
// @ts-expect-error an option that does not exist
instrument(app, { meter: false })
// @ts-expect-error no app
instrument({})

diagnostics.subscribe('fastify-chirp:stream:close', message => {
  const { stream, reason } = message as StreamCloseMessage
  const { app, dialect, waiting }: ObservedStream = stream
  app.log.info({ dialect, waiting, reason })
})
diagnostics.subscribe('fastify-chirp:stream:reject', message => { (message as StreamRejectMessage).app.log.info('refused') })
diagnostics.subscribe('fastify-chirp:resume', message => { (message as ResumeMessage).result satisfies 'fresh' | 'replayed' | 'gap' })
diagnostics.subscribe('fastify-chirp:deliver', message => { (message as DeliverMessage).events.map(event => event.id) })
diagnostics.tracingChannel<unknown, PublishMessage>('fastify-chirp:publish').subscribe({
  start (message) { message.traceparent = '00' },
  end () {},
  asyncStart () {},
  asyncEnd ({ result }) { result satisfies string | undefined },
  error () {}
})
diagnostics.tracingChannel<unknown, RenderMessage>('fastify-chirp:render').start.subscribe(message => { (message as RenderMessage).template.trim() })
diagnostics.subscribe('tracing:fastify-chirp:change:start', message => { (message as ChangeMessage).traceparent = '00' })
diagnostics.subscribe('tracing:fastify-chirp:update:asyncEnd', message => {
  const { result, paths, streams } = message as UpdateMessage
  const { blocks, sent, errors }: UpdateResult = result!
  app.log.info({ blocks, sent, errors, paths: paths?.length, streams })
})
