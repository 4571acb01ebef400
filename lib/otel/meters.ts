// The metrics of an app. docs/reference/observability.md lists them, and a test compares.
import type { Attributes, Meter } from '@opentelemetry/api'
import type { DeliverMessage } from '../channel/telemetry.js'
import type { RenderMessage } from '../render/telemetry.js'
import type { ObservedStream, ResumeMessage, StreamCloseMessage, StreamErrorMessage, StreamOpenMessage, StreamRejectMessage } from '../stream/types.js'
import { errorType, renderResult, routeAttributes, streamAttributes } from './attributes.js'
import type { Host, Listener } from './part.js'
import { contextOf } from './traceparent.js'

// Streams last from an instant to hours.
const CONNECTION_SECONDS = [0.1, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400]
// Renders and deliveries take less than a request.
const WORK_SECONDS = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5]

/** A stream that is open. */
interface Open {
  readonly attributes: Attributes
  /** The numbers that were counted of it. */
  events: number
  bytes: number
  /** Its last error. */
  error: unknown
}

export class Meters implements Listener {
  readonly #host: Host
  readonly #instruments: ReturnType<typeof createInstruments>
  readonly #open = new Map<ObservedStream, Open>()
  readonly #started = new WeakMap<RenderMessage, number>()

  constructor (meter: Meter, host: Host) {
    this.#host = host
    this.#instruments = createInstruments(meter)
    this.#instruments.waiting.addCallback(this.#collect)
  }

  readonly handlers = {
    'fastify-chirp:stream:open': ({ stream }: StreamOpenMessage): void => {
      const attributes = streamAttributes(stream)
      this.#open.set(stream, { attributes, events: 0, bytes: 0, error: undefined })
      this.#instruments.connections.add(1, attributes)
    },
    'fastify-chirp:stream:error': ({ stream, error }: StreamErrorMessage): void => {
      const open = this.#open.get(stream!)
      if (open !== undefined) open.error = error
    },
    'fastify-chirp:stream:close': ({ stream, reason, duration, events, bytes }: StreamCloseMessage): void => {
      const open = this.#open.get(stream)
      const attributes = open?.attributes ?? streamAttributes(stream)
      if (open !== undefined) {
        this.#open.delete(stream)
        this.#instruments.connections.add(-1, attributes)
      }
      this.#count(attributes, events - (open?.events ?? 0), bytes - (open?.bytes ?? 0))
      this.#instruments.duration.record(duration / 1000, {
        ...attributes,
        'sse.close.reason': reason,
        ...(reason === 'error' && { 'error.type': errorType(open?.error) })
      })
    },
    'fastify-chirp:stream:reject': ({ route, reason }: StreamRejectMessage): void => {
      this.#instruments.rejected.add(1, { ...routeAttributes(route), 'sse.close.reason': reason })
    },
    'fastify-chirp:resume': ({ stream, result }: ResumeMessage): void => {
      this.#instruments.resumed.add(1, { ...streamAttributes(stream), 'sse.resume.result': result })
    },
    'fastify-chirp:deliver': ({ events }: DeliverMessage): void => {
      const now = Date.now()
      for (const { published, traceparent } of events) {
        // It comes from any process, and clocks differ.
        if (Number.isFinite(published)) this.#instruments.lag.record(Math.max(0, now - published!) / 1000, {}, contextOf(traceparent))
      }
    },
    'tracing:fastify-chirp:render:start': (message: RenderMessage): void => {
      this.#started.set(message, performance.now())
    },
    'tracing:fastify-chirp:render:end': (message: RenderMessage): void => {
      if ('result' in message || 'error' in message) this.#rendered(message)
    },
    'tracing:fastify-chirp:render:asyncEnd': (message: RenderMessage): void => { this.#rendered(message) }
  }

  /** Stops counting the open streams. Their numbers until now are kept. */
  stop (): void {
    for (const [stream, open] of this.#open) {
      this.#host.safely(() => {
        this.#advance(stream, open)
        this.#instruments.connections.add(-1, open.attributes)
      })
    }
    this.#open.clear()
    this.#host.safely(() => { this.#instruments.waiting.removeCallback(this.#collect) })
  }

  /** Counters of open streams are updated when they are read: an event costs nothing. */
  readonly #collect = (result: { observe (value: number, attributes?: Attributes): void }): void => {
    this.#host.safely(() => {
      const sums = new Map<string, { attributes: Attributes, bytes: number }>()
      for (const [stream, open] of this.#open) {
        this.#advance(stream, open)
        const key = JSON.stringify(open.attributes)
        const sum = sums.get(key)
        if (sum === undefined) sums.set(key, { attributes: open.attributes, bytes: stream.waiting })
        else sum.bytes += stream.waiting
      }
      for (const { attributes, bytes } of sums.values()) result.observe(bytes, attributes)
    })
  }

  #advance (stream: ObservedStream, open: Open): void {
    const { events, bytes } = stream
    this.#count(open.attributes, events - open.events, bytes - open.bytes)
    open.events = events
    open.bytes = bytes
  }

  #count (attributes: Attributes, events: number, bytes: number): void {
    if (events > 0) this.#instruments.events.add(events, attributes)
    if (bytes > 0) this.#instruments.bytes.add(bytes, attributes)
  }

  #rendered (message: RenderMessage): void {
    const started = this.#started.get(message)
    // Instrumented while it rendered.
    if (started === undefined) return
    this.#instruments.renders.record((performance.now() - started) / 1000, renderResult(message))
  }
}

function createInstruments (meter: Meter) {
  return {
    connections: meter.createUpDownCounter('sse.server.active_connections', { unit: '{connection}', description: 'Streams that are open.' }),
    duration: meter.createHistogram('sse.server.connection.duration', {
      unit: 's', description: 'How long streams were open.', advice: { explicitBucketBoundaries: CONNECTION_SECONDS }
    }),
    events: meter.createCounter('sse.server.events', { unit: '{event}', description: 'Events handed to connections.' }),
    bytes: meter.createCounter('sse.server.bytes', { unit: 'By', description: 'Bytes of frames handed to connections.' }),
    waiting: meter.createObservableUpDownCounter('sse.server.queue.bytes', { unit: 'By', description: 'Bytes that wait for clients to take them.' }),
    rejected: meter.createCounter('sse.server.rejected', { unit: '{connection}', description: 'Streams that were refused.' }),
    resumed: meter.createCounter('sse.server.resume', { unit: '{connection}', description: 'Streams of channels by how they began.' }),
    renders: meter.createHistogram('sse.server.render.duration', {
      unit: 's', description: 'How long templates and blocks took to render.', advice: { explicitBucketBoundaries: WORK_SECONDS }
    }),
    lag: meter.createHistogram('sse.server.publish.lag', {
      unit: 's', description: 'From publish() to the sockets of this process.', advice: { explicitBucketBoundaries: WORK_SECONDS }
    })
  }
}
