// The two generations of htmx read the same stream differently: on htmx 2 a
// named event is swapped by `sse-swap="name"`, on htmx 4 it is a DOM event and
// a message says itself where it goes.
import type { IncomingHttpHeaders } from 'node:http'
import { encodeFrame, type FrameFields } from '../sse/frame.js'
import type { DialectOption } from '../types.js'
import { escapeHtml } from './escape.js'

export type Dialect = 'htmx2' | 'htmx4'

/** The request headers that `auto` looks at, for `Vary`. */
export const DIALECT_VARY = 'HX-Request, HX-Request-Type, HX-Source'

/** The dialect of the page that sent a request: what is configured, else `?htmx=2|4`, else its headers. */
export function detectDialect (option: DialectOption, query: unknown, headers: IncomingHttpHeaders): Dialect {
  if (option !== 'auto') return option
  const asked = (query as { htmx?: unknown } | undefined)?.htmx
  if (asked === '4') return 'htmx4'
  if (asked === '2') return 'htmx2'
  // An EventSource, which is what htmx 2 uses, sends none of these.
  const isHtmx4 = headers['hx-request'] === 'true' &&
    (headers['hx-request-type'] !== undefined || headers['hx-source'] !== undefined)
  return isHtmx4 ? 'htmx4' : 'htmx2'
}

/** What is sent, before it is known to whom. */
export interface TargetedFields extends FrameFields {
  /** Where the data goes to, as HTML; it takes the place of `event`. */
  target?: string | undefined
  swap?: string | undefined
}

/** The frame of fields that may have a target. */
export function encodeRecord ({ event, target, id, retry, swap, data }: TargetedFields, dialect: Dialect): string {
  if (target === undefined || dialect === 'htmx2') return encodeFrame({ event: target ?? event, id, retry, data })
  const swapAttribute = swap === undefined ? '' : ` hx-swap="${escapeHtml(swap)}"`
  return encodeFrame({ id, retry, data: `<hx-partial hx-target="${escapeHtml(selector(target))}"${swapAttribute}>${data}</hx-partial>` })
}

// A plain name stands for the element with that id; anything else is a selector already.
function selector (target: string): string {
  return /^[\p{L}_][\p{L}\p{N}_-]*$/u.test(target) ? `#${target}` : target
}
