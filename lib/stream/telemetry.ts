// Tells the log and the diagnostics channels what became of a stream.
// https://nodejs.org/api/diagnostics_channel.html
import diagnostics from 'node:diagnostics_channel'
import type { FastifyBaseLogger } from 'fastify'
import { tryLog } from '../util/log.js'
import { messageOf } from '../util/thrown.js'
import type { Context } from './context.js'
import type { CloseReason, StreamCloseMessage, StreamErrorMessage, StreamOpenMessage } from './types.js'

const openChannel = diagnostics.channel('fastify-chirp:stream:open')
const closeChannel = diagnostics.channel('fastify-chirp:stream:close')
const errorChannel = diagnostics.channel('fastify-chirp:stream:error')

export function reportOpen (context: Context): void {
  if (!openChannel.hasSubscribers) return
  const { request, route, requestId, lastEventId } = context
  openChannel.publish({ request, route, requestId, lastEventId } satisfies StreamOpenMessage)
}

export function reportError ({ route, requestId, log }: Context, error: unknown, message: string): void {
  reportFailure(log, error, message, { route, requestId })
}

// The log has had one of the same cause.
const muted = new WeakSet<object>()

/** From now on an error is told to those who debug, and to the diagnostics channels. */
export function muteFailure (error: Error): void {
  muted.add(error)
}

/** An error that may belong to no stream. */
export function reportFailure (
  log: FastifyBaseLogger, error: unknown, message: string, { route, requestId }: Omit<StreamErrorMessage, 'error'> = {}
): void {
  const level = muted.has(error as object) ? 'debug' : 'error'
  // Serializers read what was thrown, and write to it, which not everything takes; and some throw whatever they get.
  if (!tryLog(log, level, { err: toLog(error), route }, message) &&
    !tryLog(log, level, { err: new Error(messageOf(error)), route }, message)) {
    tryLog(log, level, {}, `${message}: ${messageOf(error)}`)
  }
  if (errorChannel.hasSubscribers) errorChannel.publish({ route, requestId, error } satisfies StreamErrorMessage)
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

export function reportClose (context: Context, summary: { reason: CloseReason, duration: number, events: number, bytes: number }): void {
  const { route, requestId, log } = context
  tryLog(log, 'info', { route, ...summary }, 'event stream closed')
  if (closeChannel.hasSubscribers) closeChannel.publish({ route, requestId, ...summary } satisfies StreamCloseMessage)
}
