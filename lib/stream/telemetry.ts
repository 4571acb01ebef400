// Reports the life of a stream to the log and the diagnostics channels.
// https://nodejs.org/api/diagnostics_channel.html
import diagnostics from 'node:diagnostics_channel'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { FST_CHIRP_ID } from '../errors.js'
import type { Entry } from '../message/entry.js'
import type { Connection } from '../transport/connection.js'
import { isOf } from '../util/kind.js'
import { tryLog } from '../util/log.js'
import { messageOf } from '../util/thrown.js'
import { MOST_LINKS } from '../util/tracing.js'
import type { Context } from './context.js'
import type { CloseReason, ObservedStream, RejectReason, ResumeMessage, ResumeResult, StreamCloseMessage, StreamErrorMessage, StreamOpenMessage, StreamRejectMessage } from './types.js'

const openChannel = diagnostics.channel('fastify-chirp:stream:open')
const closeChannel = diagnostics.channel('fastify-chirp:stream:close')
const errorChannel = diagnostics.channel('fastify-chirp:stream:error')
const rejectChannel = diagnostics.channel('fastify-chirp:stream:reject')
const resumeChannel = diagnostics.channel('fastify-chirp:resume')

/** The owner of the streams. */
interface Owner { readonly app: FastifyInstance }

/** A stream, as telemetry sees it. */
export interface Told {
  readonly app: Owner
  readonly context: Context
  readonly dialect: { readonly name: string }
  readonly events: number
  readonly connection: Connection | undefined
}

/** The common part of the messages of one stream. Made only for a channel with subscribers. */
class Observed implements ObservedStream {
  readonly app: ObservedStream['app']
  readonly route: string | undefined
  readonly requestId: string
  readonly dialect: string
  readonly protocol: string | undefined
  readonly opened = performance.now()
  readonly traces = new Set<string>()
  isLive = false
  readonly #stream: Told

  constructor (stream: Told) {
    const { app, context, dialect } = stream
    this.app = app.app
    this.route = context.route
    this.requestId = context.requestId
    this.dialect = dialect.name
    this.protocol = context.opening?.raw.httpVersion.replace('2.0', '2')
    this.#stream = stream
  }

  get events (): number {
    return this.#stream.events
  }

  get bytes (): number {
    return this.#stream.connection?.bytes ?? 0
  }

  get waiting (): number {
    return this.#stream.connection?.waiting ?? 0
  }
}

const observed = new WeakMap<Context, Observed>()

function observe (stream: Told): Observed {
  let known = observed.get(stream.context)
  if (known === undefined) {
    known = new Observed(stream)
    observed.set(stream.context, known)
  }
  return known
}

/** Not a field like others, so that a copy of a message, and its JSON, has what the message is about and no more. */
function about<M extends object> (message: M, stream: ObservedStream): M & { readonly stream: ObservedStream } {
  return Object.defineProperty(message, 'stream', { value: stream }) as M & { readonly stream: ObservedStream }
}

export function reportOpen (stream: Told): void {
  if (!openChannel.hasSubscribers && !resumeChannel.hasSubscribers) return
  const { opening, route, requestId, lastEventId } = stream.context
  openChannel.publish(about({ request: opening!, route, requestId, lastEventId }, observe(stream)) satisfies StreamOpenMessage)
}

/** A request for a stream was refused with a frame. */
export function reportReject (app: Owner, { route, requestId }: Pick<Context, 'route' | 'requestId'>, reason: RejectReason): void {
  if (!rejectChannel.hasSubscribers) return
  const message = { route, requestId, reason }
  rejectChannel.publish(Object.defineProperty(message, 'app', { value: app.app }) as StreamRejectMessage)
}

/** Events of a replay go to a stream. */
export function noteReplayed (stream: Told, entries: readonly Entry[]): void {
  const known = resumeChannel.hasSubscribers ? observed.get(stream.context) : undefined
  if (known === undefined || known.isLive) return
  for (const { record: { traceparent } } of entries) if (traceparent !== undefined && known.traces.size < MOST_LINKS) known.traces.add(traceparent)
}

/** A stream of a channel has all earlier events, or was told of a gap. The first time counts. */
export function reportResume (stream: Told, result: ResumeResult): void {
  const known = resumeChannel.hasSubscribers ? observed.get(stream.context) : undefined
  if (known === undefined || known.isLive) return
  known.isLive = true
  const { route, requestId, lastEventId } = stream.context
  const message = { route, requestId, lastEventId, result, events: known.events, duration: performance.now() - known.opened, traceparents: [...known.traces] }
  known.traces.clear()
  resumeChannel.publish(about(message, known) satisfies ResumeMessage)
}

export function reportError (stream: Told, error: unknown, message: string): void {
  const { route, requestId, log } = stream.context
  logFailure(log, error, message, route)
  if (errorChannel.hasSubscribers) errorChannel.publish(about({ route, requestId, error }, observe(stream)) satisfies StreamErrorMessage)
}

// The log has had one of the same cause.
const muted = new WeakSet<object>()

/** From now on errors go to the log at debug and to the diagnostics channels. */
export function muteFailure (error: Error): void {
  muted.add(error)
}

/** An error that may belong to no stream. */
export function reportFailure (
  log: FastifyBaseLogger, error: unknown, message: string, { route, requestId }: Partial<Pick<StreamErrorMessage, 'route' | 'requestId'>> = {}
): void {
  logFailure(log, error, message, route)
  if (errorChannel.hasSubscribers) errorChannel.publish({ route, requestId, error } satisfies StreamErrorMessage)
}

function logFailure (log: FastifyBaseLogger, error: unknown, message: string, route?: string): void {
  // An event that is published again, to be sure, is refused because it is there.
  const level = muted.has(error as object) ? 'debug' : isOf(error, FST_CHIRP_ID) ? 'warn' : 'error'
  // Serializers read what was thrown, and write to it, which not everything takes; and some throw whatever they get.
  if (!tryLog(log, level, { err: toLog(error), route }, message) &&
    !tryLog(log, level, { err: new Error(messageOf(error)), route }, message)) {
    tryLog(log, level, {}, `${message}: ${messageOf(error)}`)
  }
}

/** pino appends what causes say. Ours say it already, and a cause that is a function is not appended (https://github.com/pinojs/pino-std-serializers). */
function toLog (error: unknown): unknown {
  try {
    if (!(error instanceof Error && error.cause instanceof Error && error.message.includes(error.cause.message))) return error
    const { cause } = error
    return Object.create(error, { cause: { value: () => cause } })
  } catch {
    return new Error(messageOf(error))
  }
}

export function reportClose (stream: Told, summary: { reason: CloseReason, duration: number, events: number, bytes: number }): void {
  const { route, requestId, log } = stream.context
  tryLog(log, 'info', { route, ...summary }, 'event stream closed')
  if (closeChannel.hasSubscribers) closeChannel.publish(about({ route, requestId, ...summary }, observe(stream)) satisfies StreamCloseMessage)
}
