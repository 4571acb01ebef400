// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
// An event with every field under the caller's control. All is checked when
// it is made, so sending one cannot fail.
import { FST_CHIRP_EVENT } from '../errors.js'
import { describe } from '../util/describe.js'
import { idProblem, nameProblem, normalizeId, retryProblem } from './field.js'
import { unknownOption } from '../util/options.js'
import { encodeFrame, type FrameFields } from './frame.js'
import { stringifyData } from './json.js'

/** The fields of an {@link SSEEvent}; at least one must be there. */
export interface SSEEventFields {
  /**
   * A string is sent as it is (a CR or CRLF in it arrives as LF); anything
   * else as JSON. Default: none. An event with a name then gets an empty data
   * line, because without one nothing is dispatched; an event with only an id
   * or a retry gets none, and acts without being seen.
   */
  data?: unknown
  /** The event's name. Default, and for `''`: none, which clients see as `message`. */
  event?: string | undefined
  /**
   * The id that the client sends back when it reconnects: a string, a safe
   * integer or a bigint. `''` makes the client forget its last id. Default: none.
   */
  id?: string | number | bigint | undefined
  /** Reconnection time in milliseconds, 0..2147483647. Default: none. */
  retry?: number | undefined
}

/**
 * One Server-Sent Event. Frozen, and encoded once when it is made: what
 * happens to `data` afterwards does not change it.
 *
 * @throws FST_CHIRP_EVENT when a field cannot go on the wire, or there is none.
 */
export class SSEEvent {
  /** The data as it was given. */
  readonly data: unknown
  /** The event's name; undefined for none. */
  readonly event: string | undefined
  /** The id, as a string; `''` makes the client forget its last one. */
  readonly id: string | undefined
  /** Reconnection time in milliseconds. */
  readonly retry: number | undefined
  readonly #text: string | undefined
  readonly #frame: string

  constructor (fields: SSEEventFields) {
    if (typeof fields !== 'object' || fields === null) {
      throw new FST_CHIRP_EVENT(`the fields must be an object, such as { data, event, id, retry }, not ${describe(fields)}`)
    }
    // Parsed JSON may have an own `__proto__`, which does nothing.
    refuse(unknownOption('of new SSEEvent()', fields, ['data', 'event', 'id', 'retry'], '__proto__'))
    const { data, event, id, retry } = fields
    if (event !== undefined) refuse(nameProblem('event', event))
    if (id !== undefined) refuse(idProblem(id))
    if (retry !== undefined) refuse(retryProblem(retry))

    this.data = data
    this.event = event === '' ? undefined : event
    this.id = id === undefined ? undefined : normalizeId(id)
    this.retry = retry

    let text: string | undefined
    if (data !== undefined) {
      try {
        text = stringifyData(data)
      } catch (error) {
        throw new FST_CHIRP_EVENT((error as Error).message, { cause: (error as Error).cause })
      }
    } else if (this.event !== undefined) {
      text = ''
    } else if (this.id === undefined && retry === undefined) {
      throw new FST_CHIRP_EVENT('it has no data, event, id or retry. Give it at least one of them')
    }
    this.#text = text
    this.#frame = encodeFrame({ event: this.event, id: this.id, retry, data: text })
    Object.freeze(this)
  }

  /** The fields of an event as they are written. @internal */
  static fields (event: SSEEvent): FrameFields {
    return { event: event.event, id: event.id, retry: event.retry, data: event.#text }
  }

  /** The bytes of an event as text. @internal */
  static frame (event: SSEEvent): string {
    return event.#frame
  }
}

function refuse (problem: string | undefined): void {
  if (problem !== undefined) throw new FST_CHIRP_EVENT(problem)
}
