// Tells the subscribers of a tracing channel of a call that answers at once or later.
// https://nodejs.org/api/diagnostics_channel.html#class-tracingchannel
import type { TracingChannel } from 'node:diagnostics_channel'
import { isPromise, type MaybePromise } from './promise.js'

/** A span takes no more links to others; events that are replayed, and changes, may come from thousands of traces. */
export const MOST_LINKS = 128

/** The fields that the message of a call gets on its way. */
export interface Traced<T> {
  /** The result of the call. At `end` it is not there yet where the call goes on. */
  result?: T
  /** The error of the call. */
  error?: unknown
}

/**
 * Calls `run`. To be used where the channel has subscribers: without them, calling `run` is all that there is to do.
 * Subscribers get `start`, `end`, for a call that goes on `asyncStart` and `asyncEnd`, and `error`, as of Node.js itself.
 */
export function trace<T, M extends Traced<T>> (channel: TracingChannel<unknown, M>, message: M, run: () => MaybePromise<T>): MaybePromise<T> {
  return channel.start.runStores(message, () => {
    let result: MaybePromise<T>
    try {
      result = run()
    } catch (error) {
      fail(channel, message, error)
      channel.end.publish(message)
      throw error
    }
    const goesOn = isPromise(result)
    if (!goesOn) message.result = result as T
    channel.end.publish(message)
    return goesOn ? goOn(channel, message, result as Promise<T>) : result
  })
}

async function goOn<T, M extends Traced<T>> (channel: TracingChannel<unknown, M>, message: M, promise: Promise<T>): Promise<T> {
  try {
    message.result = await promise
  } catch (error) {
    fail(channel, message, error)
    settle(channel, message)
    throw error
  }
  settle(channel, message)
  return message.result
}

function fail<M extends Traced<unknown>> (channel: TracingChannel<unknown, M>, message: M, error: unknown): void {
  message.error = error
  channel.error.publish(message)
}

function settle<M extends object> (channel: TracingChannel<unknown, M>, message: M): void {
  channel.asyncStart.publish(message)
  channel.asyncEnd.publish(message)
}
