// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
// Checks of the one-line fields. Each answers with a sentence
// that says what to do instead, or undefined when the value is fine.
import { describe, quote } from '../util/describe.js'

/** The largest `retry` in milliseconds: above it Node.js clients reconnect at once. */
export const MAX_RETRY = 2147483647

/** Bytes; a longer id makes servers refuse the Last-Event-ID header it comes back in. */
export const MAX_ID_BYTES = 1024

/** Checks a name that becomes an `event` line, or an attribute of one. */
export function nameProblem (field: string, name: unknown): string | undefined {
  if (typeof name !== 'string') return `the ${field} must be a string, not ${describe(name)}`
  // Three searches are faster than one pattern on names of this length.
  if (name.includes('\n') || name.includes('\r') || name.includes('\0')) {
    return `the ${field} ${quote(name)} has a line break or NUL in it, which could start another line on the wire. Send such text as data`
  }
  if (!name.isWellFormed()) {
    return `the ${field} ${quote(name)} has a lone surrogate, which UTF-8 cannot carry. Call toWellFormed() on it`
  }
}

/** Checks an `id`, which must come back unchanged in a Last-Event-ID header. */
export function idProblem (id: unknown): string | undefined {
  if (typeof id === 'bigint') return
  if (typeof id === 'number') {
    return Number.isSafeInteger(id) ? undefined : `the id ${id} is not a safe integer, so two ids could read the same. Use a string`
  }
  if (typeof id !== 'string') return `the id must be a string or an integer, not ${describe(id)}`
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(id)) {
    return `the id ${quote(id)} has a control character in it, which no Last-Event-ID header can bring back. Use letters and digits`
  }
  if (id.startsWith(' ') || id.endsWith(' ')) {
    return `the id ${quote(id)} starts or ends with a space, which the Last-Event-ID header loses. Trim it`
  }
  if (!id.isWellFormed()) return `the id ${quote(id)} has a lone surrogate, which UTF-8 cannot carry. Use letters and digits`
  if (id.length > MAX_ID_BYTES || Buffer.byteLength(id) > MAX_ID_BYTES) {
    return `the id is longer than ${MAX_ID_BYTES} bytes, and servers refuse such a header. Send a short cursor`
  }
}

/** Checks a reconnection time in milliseconds. */
export function retryProblem (retry: unknown): string | undefined {
  if (typeof retry !== 'number' || !Number.isInteger(retry) || retry < 0 || retry > MAX_RETRY) {
    return `retry must be a whole number of milliseconds from 0 to ${MAX_RETRY}, not ${describe(retry)}`
  }
}

/** The id as it is written. */
export function normalizeId (id: string | number | bigint): string {
  return typeof id === 'string' ? id : String(id)
}
