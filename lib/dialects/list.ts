// The two generations of htmx read the same stream differently: on htmx 2 a
// named event is swapped by `sse-swap="name"`, on htmx 4 it is a DOM event and
// a message says itself where it goes.
import type { FastifyRequest } from 'fastify'
import { encodeFrame, type FrameFields } from '../sse/frame.js'
import { escapeHtml } from '../util/escape.js'
import { headerOf, parameterOf } from '../util/request.js'

export type Dialect = 'htmx2' | 'htmx4'

/** The request headers that `auto` looks at, for `Vary`. */
export const DIALECT_VARY = 'HX-Request, HX-Request-Type, HX-Source'

/** The dialect of the page that sent a request: what is configured, else `?htmx=2|4`, else its headers. */
export function detectDialect (option: DialectOption, request: FastifyRequest): Dialect {
  if (option !== 'auto') return option
  const asked = parameterOf(request, 'htmx')
  if (asked === '4') return 'htmx4'
  if (asked === '2') return 'htmx2'
  // An EventSource, which is what htmx 2 uses, sends none of these.
  const isHtmx4 = headerOf(request, 'hx-request') === 'true' &&
    (headerOf(request, 'hx-request-type') !== undefined || headerOf(request, 'hx-source') !== undefined)
  return isHtmx4 ? 'htmx4' : 'htmx2'
}

/** HTML, and where in the page it goes. */
export interface Placed {
  /** Takes the place of an event's name. */
  target?: string | undefined
  swap?: string | undefined
}

/** What is sent, before it is known to whom. */
export interface TargetedFields extends FrameFields, Placed {
  /** What a value that has no one target is known by, where values replace each other. */
  key?: string | undefined
}

/** Whether fields read differently in the two dialects. */
export function isDialectal ({ event, target, retry, data }: TargetedFields): boolean {
  // htmx 4 overlooks a retry that comes without a name and without data.
  return target !== undefined || (retry !== undefined && event === undefined && data === undefined)
}

/** The frame of fields that may have a target. */
export function encodeRecord (fields: TargetedFields, dialect: Dialect): string {
  const { event, target, id, retry, swap, data } = fields
  if (dialect === 'htmx2' || !isDialectal(fields)) return encodeFrame({ event: target ?? event, id, retry, data })
  if (target === undefined) return encodeFrame({ event: 'chirp:retry', id, retry, data: '' })
  return encodeFrame({ id, retry, data: place({ target, swap }, data!) })
}

/** HTML that says itself where it goes; without a target it is left as it is. */
export function place ({ target, swap }: Placed, html: string): string {
  if (target === undefined) return html
  const swapAttribute = swap === undefined ? '' : ` hx-swap="${escapeHtml(swap)}"`
  return `<hx-partial hx-target="${escapeHtml(toSelector(target))}"${swapAttribute}>${html}</hx-partial>`
}

/** Whether a target is the id of an element; anything else is a selector. */
export function isPlainName (target: string): boolean {
  return /^[\p{L}\p{N}_][\p{L}\p{N}_:-]*$/u.test(target)
}

function toSelector (target: string): string {
  if (!isPlainName(target)) return target
  // https://drafts.csswg.org/cssom/#serialize-an-identifier
  return `#${target.replace(/^[0-9]/, digit => `\\3${digit} `).replaceAll(':', '\\:')}`
}

/** Which generation of htmx a page speaks; `auto` looks at each request. */
export type DialectOption = 'auto' | 'htmx2' | 'htmx4'
