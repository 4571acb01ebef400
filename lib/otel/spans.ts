// The spans of an app: publish, change, update, subscribe, render. A stream has none for its life, which may be hours.
import { AsyncLocalStorage } from 'node:async_hooks'
import diagnostics from 'node:diagnostics_channel'
import { context, isSpanContextValid, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Attributes, type Context, type Link, type Span, type Tracer } from '@opentelemetry/api'
import type { PublishMessage } from '../channel/telemetry.js'
import type { ChangeMessage, UpdateMessage } from '../live/telemetry.js'
import type { RenderMessage } from '../render/telemetry.js'
import type { ObservedStream, ResumeMessage, StreamCloseMessage, StreamErrorMessage, StreamOpenMessage } from '../stream/types.js'
import { changeAttributes, channelTemplate, errorType, renderAttributes, streamAttributes, updateAttributes } from './attributes.js'
import type { Host, Listener } from './part.js'
import { parseTraceparent, toTraceparent } from './traceparent.js'

/** A stream that is not live yet. */
interface Opening { readonly context: Context, readonly startTime: number, error: unknown }

const publishing = diagnostics.tracingChannel<unknown, PublishMessage>('fastify-chirp:publish')
const updating = diagnostics.tracingChannel<unknown, UpdateMessage>('fastify-chirp:update')

export class Spans implements Listener {
  readonly #host: Host
  readonly #tracer: Tracer
  readonly #spans = new WeakMap<object, Span>()
  readonly #opening = new WeakMap<ObservedStream, Opening>()
  // The renders of a publication or an update belong to it. Only a context manager can make a span active for other code.
  readonly #around = new AsyncLocalStorage<Span | undefined>()

  constructor (tracer: Tracer, host: Host) {
    this.#host = host
    this.#tracer = tracer
    publishing.start.bindStore(this.#around, message => this.#enter(message, () => this.#publish(message as PublishMessage)))
    updating.start.bindStore(this.#around, message => this.#enter(message, () => this.#update(message as UpdateMessage)))
  }

  readonly handlers = {
    'tracing:fastify-chirp:publish:asyncEnd': (message: PublishMessage): void => { this.#end(message) },
    'tracing:fastify-chirp:change:start': (message: ChangeMessage): void => {
      message.traceparent = this.#produce(message, this.#start('change', SpanKind.PRODUCER, changeAttributes(message)))
    },
    'tracing:fastify-chirp:change:asyncEnd': (message: ChangeMessage): void => { this.#end(message) },
    'tracing:fastify-chirp:update:asyncEnd': (message: UpdateMessage): void => { this.#updated(message) },
    'tracing:fastify-chirp:render:start': (message: RenderMessage): void => {
      this.#spans.set(message, this.#start('render', SpanKind.INTERNAL, renderAttributes(message)))
    },
    'tracing:fastify-chirp:render:end': (message: RenderMessage): void => {
      if ('result' in message || 'error' in message) this.#end(message)
    },
    'tracing:fastify-chirp:render:asyncEnd': (message: RenderMessage): void => { this.#end(message) },
    'fastify-chirp:stream:open': ({ stream }: StreamOpenMessage): void => {
      this.#opening.set(stream, { context: context.active(), startTime: Date.now(), error: undefined })
    },
    'fastify-chirp:stream:error': ({ stream, error }: StreamErrorMessage): void => {
      const opening = this.#opening.get(stream!)
      if (opening !== undefined) opening.error = error
    },
    'fastify-chirp:resume': ({ stream, result, events, traceparents }: ResumeMessage): void => {
      this.#subscribed(stream, { 'sse.resume.result': result, 'sse.resume.events': events }, linksTo(traceparents))
    },
    'fastify-chirp:stream:close': ({ stream, reason, events }: StreamCloseMessage): void => {
      // It failed before it sent anything: that is what became of its start.
      if (reason === 'error' && events === 0) this.#subscribed(stream, {}, [], this.#opening.get(stream))
    }
  }

  stop (): void {
    publishing.start.unbindStore(this.#around)
    updating.start.unbindStore(this.#around)
    this.#around.disable()
  }

  #publish (message: PublishMessage): Span {
    const span = this.#start('publish', SpanKind.PRODUCER, { 'messaging.destination.template': channelTemplate(message.channel) })
    message.traceparent = this.#produce(message, span)
    return span
  }

  /** Changes of many requests: it belongs to none of them. */
  #update (message: UpdateMessage): Span {
    const span = this.#tracer.startSpan('update', { kind: SpanKind.CONSUMER, attributes: changeAttributes(message), links: linksTo(message.traceparents) }, ROOT_CONTEXT)
    this.#spans.set(message, span)
    return span
  }

  #updated (message: UpdateMessage): void {
    const span = this.#spans.get(message)
    if (span === undefined) return
    span.setAttributes(updateAttributes(message))
    const { errors } = message.result!
    if (errors.length > 0) fail(span, errors[0])
    span.end()
  }

  /** What other processes get to know of it. */
  #produce (message: object, span: Span): string | undefined {
    this.#spans.set(message, span)
    const spanContext = span.spanContext()
    return isSpanContextValid(spanContext) ? toTraceparent(spanContext) : undefined
  }

  /** The span for what is called now: one that it makes, for a message of the app. */
  #enter (message: unknown, make: () => Span): Span | undefined {
    const around = this.#around.getStore()
    return this.#host.safely(() => this.#host.isOurs(message) ? make() : around) ?? around
  }

  /** The span of a stream's start, once that is over. */
  #subscribed (stream: ObservedStream, attributes: Attributes, links: Link[], failed?: Opening): void {
    const opening = this.#opening.get(stream)
    if (opening === undefined) return
    this.#opening.delete(stream)
    const { startTime } = opening
    const span = this.#start('subscribe', SpanKind.INTERNAL, { ...streamAttributes(stream), ...attributes }, { from: opening.context, startTime, links })
    if (failed !== undefined) fail(span, failed.error)
    span.end()
  }

  #start (
    name: string, kind: SpanKind, attributes: Attributes,
    { from, startTime, links = [] }: { from?: Context, startTime?: number, links?: Link[] } = {}
  ): Span {
    const parent = from ?? this.#active()
    const span = trace.getSpan(parent)
    // The start of a stream is part of its request, whose span may have ended with the head.
    if (from !== undefined || span === undefined || !hasEnded(span)) return this.#tracer.startSpan(name, { kind, attributes, startTime: startTime!, links }, parent)
    // A stream outlives its request: what it renders is linked with that, and a trace has an end.
    return this.#tracer.startSpan(name, { kind, attributes, links: [{ context: span.spanContext() }] }, ROOT_CONTEXT)
  }

  #active (): Context {
    const around = this.#around.getStore()
    return around === undefined ? context.active() : trace.setSpan(context.active(), around)
  }

  #end (message: { error?: unknown }): void {
    const span = this.#spans.get(message)
    // Instrumented meanwhile.
    if (span === undefined) return
    if ('error' in message) fail(span, message.error)
    span.end()
  }
}

// One of another process is recorded there, and one that is not sampled has children that are not.
function hasEnded (span: Span): boolean {
  const { isRemote, traceFlags } = span.spanContext()
  return isRemote !== true && (traceFlags & TraceFlags.SAMPLED) !== 0 && !span.isRecording()
}

function linksTo (traceparents: readonly string[]): Link[] {
  return traceparents.map(parseTraceparent).filter(context => context !== undefined).map(context => ({ context }))
}

// Without the message: it may have data of users, and the log has it.
function fail (span: Span, error: unknown): void {
  span.setAttribute('error.type', errorType(error))
  span.setStatus({ code: SpanStatusCode.ERROR })
}
