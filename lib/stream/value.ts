// Turns one yielded value into the text of its frame.
import { FST_CHIRP_VALUE } from '../errors.js'
import { encodeFragment, type Dialect } from '../html/dialect.js'
import { errorBox, messageOf } from '../html/error-box.js'
import { Fragment } from '../html/fragment.js'
import type { Renderer } from '../html/render.js'
import { SSEEvent, stringifyData } from '../sse/event.js'
import { encodeData, encodeFrame } from '../sse/frame.js'

/** Name of the event that tells a client about an error; never `error`, which EventSource takes for a lost connection. */
export const ERROR_EVENT = 'chirp:error'

/**
 * Encodes one value. A string when nothing asynchronous was met, else a promise.
 *
 * @throws FST_CHIRP_VALUE, or what rendering throws (also as a rejection).
 */
export function encodeValue (value: unknown, event: string | undefined, renderer: Renderer, dialect: Dialect): string | Promise<string> {
  if (value instanceof SSEEvent) return SSEEvent.frame(value)
  if (value instanceof Fragment) {
    const html = renderer.renderBlock(value.template, value.block, value.context)
    return typeof html === 'string'
      ? encodeFragment(html.trim(), value, dialect)
      : html.then(html => encodeFragment(html.trim(), value, dialect))
  }
  if (typeof value === 'string') return event === undefined ? encodeData(value) : encodeFrame({ event, data: value })
  let json: string
  try {
    json = stringifyData(value)
  } catch (error) {
    throw new FST_CHIRP_VALUE((error as Error).message, { cause: (error as Error).cause })
  }
  // JSON is one line and well-formed as it is.
  return event === undefined ? `data: ${json}\n\n` : `event: ${event}\ndata: ${json}\n\n`
}

/** What a developer sees in place of a value that could not be sent. */
export function encodeValueError (value: unknown, error: unknown, dialect: Dialect): string {
  if (value instanceof Fragment) {
    // Without the id: the client must not take the fragment for received.
    const { template, block, context, target, swap } = value
    return encodeFragment(errorBox(block, error), new Fragment(template, block, context, { target, swap }), dialect)
  }
  return encodeFrame({ event: ERROR_EVENT, data: messageOf(error) })
}
