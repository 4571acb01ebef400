// Turns one yielded value into the text of its frame.
import type { Dialect } from '../dialects/dialect.js'
import type { EventRecord } from '../dialects/record.js'
import { FST_CHIRP_VALUE } from '../errors.js'
import { SSEEvent } from '../sse/event.js'
import { encodeData, encodeFrame } from '../sse/frame.js'
import { stringifyData } from '../sse/json.js'
import { errorFrame } from '../sse/own.js'
import { isOf } from '../util/kind.js'
import { isPromise } from '../util/promise.js'
import { messageOf } from '../util/thrown.js'
import { boxMessage, composeMessage, type RenderHost } from './compose.js'
import { Entry } from './entry.js'
import { errorBox } from './error-box.js'
import { Fragment } from './fragment.js'
import { Fragments } from './fragments.js'

/**
 * Encodes one value. A string when nothing asynchronous was met, else a promise.
 *
 * @throws FST_CHIRP_VALUE, or what rendering throws (also as a rejection).
 */
export function encodeValue (value: unknown, event: string | undefined, host: RenderHost, dialect: Dialect): string | Promise<string> {
  checkReadable(value)
  // Of events only a retry depends on the dialect.
  if (value instanceof SSEEvent) return value.retry === undefined ? SSEEvent.frame(value) : dialect.encode(SSEEvent.fields(value))
  if (value instanceof Entry) return value.frame(dialect)
  if (value instanceof Fragment || value instanceof Fragments) {
    const record = toRecord(value, host)
    return isPromise(record) ? record.then(record => dialect.encode(record)) : dialect.encode(record)
  }
  if (typeof value === 'string') return event === undefined ? encodeData(value) : encodeFrame({ event, data: value })
  const json = toText(value)
  // JSON is one line and well-formed as it is.
  return event === undefined ? `data: ${json}\n\n` : `event: ${event}\ndata: ${json}\n\n`
}

function checkReadable (value: unknown): void {
  try {
    // Throws where the questions that follow would.
    Reflect.apply(Function.prototype[Symbol.hasInstance], SSEEvent, [value])
  } catch (cause) {
    throw new FST_CHIRP_VALUE(`reading it failed (${messageOf(cause)}). Send plain data`, { cause })
  }
}

function toText (value: unknown): string {
  try {
    return stringifyData(value)
  } catch (error) {
    throw new FST_CHIRP_VALUE((error as Error).message, { cause: (error as Error).cause })
  }
}

/**
 * The content of one value, to be encoded later for more than one
 * reader. A promise when something asynchronous was met.
 *
 * @throws FST_CHIRP_VALUE, or what rendering throws (also as a rejection).
 */
export function toRecord (value: unknown, host: RenderHost): EventRecord | Promise<EventRecord> {
  checkReadable(value)
  if (value instanceof SSEEvent) return SSEEvent.fields(value)
  // Of another channel: it gets an id of this one.
  if (value instanceof Entry) return { ...value.record, id: undefined }
  if (value instanceof Fragment) {
    const { template, block, context, target, id, retry, swap } = value
    const html = host.renderer.renderBlock(template, block, context)
    const record = (html: string): EventRecord => ({ target, id, retry, swap, data: html.trim() })
    return typeof html === 'string' ? record(html) : html.then(record)
  }
  if (value instanceof Fragments) return composeMessage(value, host)
  return { data: toText(value) }
}

/** The event that a developer sees in place of a value that could not be sent. */
export function encodeValueError (value: unknown, error: unknown, dialect: Dialect): string {
  const record = toErrorRecord(value, error)
  return record === undefined ? errorFrame(messageOf(error)) : dialect.encode(record)
}

/** The box that takes the place of a fragment, or the boxes of several; undefined for all else. */
export function toErrorRecord (value: unknown, error: unknown): EventRecord | undefined {
  // Without the id: the client must not take the fragment for received.
  if (isOf(value, Fragments)) return boxMessage(value, error)
  if (!isOf(value, Fragment)) return undefined
  const { block, target, swap } = value
  return { target, swap, data: errorBox(block, error) }
}
