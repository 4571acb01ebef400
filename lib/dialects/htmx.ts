// The common part of both generations of htmx.
import { escapeHtml } from '../util/escape.js'
import type { Part, Placed } from './record.js'

/** https://htmx.org/attributes/hx-swap/: the words that both take. */
export const SWAPS = [
  'innerHTML', 'outerHTML', 'textContent', 'beforebegin', 'afterbegin', 'beforeend', 'afterend', 'delete', 'none'
] as const

/** HTML in an element that says where it goes; without a target it is left as it is. */
export function place ({ target, swap }: Placed, html: string): string {
  if (target === undefined) return html
  const swapAttribute = swap === undefined ? '' : ` hx-swap="${escapeHtml(swap)}"`
  return `<hx-partial hx-target="${escapeHtml(toSelector(target))}"${swapAttribute}>${html}</hx-partial>`
}

/** Several fragments as one text. */
export function placeAll (parts: readonly Part[]): string {
  return parts.map(part => place(part, part.data)).join('')
}

/** The form of several fragments in one message. */
export const PARTIALS = 'partials'

/** Whether a target is the id of an element; anything else is a selector. */
export function isPlainName (target: string): boolean {
  return /^[\p{L}\p{N}_][\p{L}\p{N}_:-]*$/u.test(target)
}

function toSelector (target: string): string {
  if (!isPlainName(target)) return target
  // https://drafts.csswg.org/cssom/#serialize-an-identifier
  return `#${target.replace(/^[0-9]/, digit => `\\3${digit} `).replaceAll(':', '\\:')}`
}

/** The event that brings a value of a signal. */
export function signalEvent (name: string): string {
  return `signal:${name}`
}

/** The attribute by which all places of a signal are found. */
export const SIGNAL_ATTRIBUTE = 'data-signal'

/** A value of a signal, for every place that shows it. Names of signals have no quotes. */
export function placeSignal (name: string, html: string): string {
  return place({ target: `[${SIGNAL_ATTRIBUTE}='${name}']`, swap: 'innerHTML' }, html)
}
