// The attributes that the plugin's template functions print.
import { textsOf } from './expression.js'
import type { Attribute, Call } from './parts.js'

/** As in lib/render/nunjucks/globals/attributes.ts, for both generations of htmx. */
const PRINTED = new Map<unknown, (values: readonly string[]) => Record<string, readonly string[]>>([
  ['sse_connect', urls => ({ 'hx-ext': ['sse'], 'sse-connect': urls, 'hx-sse:connect': urls })],
  // Content without a name has no place of its own either.
  ['sse_swap', names => ({ 'sse-swap': names, ...(names.includes('message') ? {} : { id: names }) })],
  ['sse_close', names => ({ 'sse-close': names, 'hx-sse:close': names })]
])

/** Whether a function prints attributes. */
export function isPrinter (name: unknown): boolean {
  return PRINTED.has(name)
}

/** The attributes that a call prints into a tag; undefined if it is another function. */
export function printedBy ({ name, target, arguments: [argument], offset }: Call, conditional: boolean, template: string): Attribute[] | undefined {
  const print = target === undefined ? PRINTED.get(name) : undefined
  if (print === undefined || (argument === undefined && name !== 'sse_connect')) return undefined
  // Without an argument it is the address of the page, whichever that is.
  return Object.entries(print(argument === undefined ? [] : textsOf(argument))).map(([attribute, values]) => ({
    name: attribute, written: `${name}()`, template, values, offset, conditional, isPrinted: true
  }))
}
