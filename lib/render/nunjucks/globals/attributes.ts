// Template functions that print the attributes of a stream for the page's
// dialect: sse_connect(url), sse_swap(name) and sse_close(name).
import type { Attributes, Dialect } from '../../../dialects/dialect.js'
import { isPlainName } from '../../../dialects/htmx.js'
import { attributesFor, dialectNames, isDialectOption, type DialectOption } from '../../../dialects/list.js'
import { choices, describe } from '../../../util/describe.js'
import type { PageStream } from '../../renderer.js'
import type { Host } from '../host.js'
import type { Environment } from '../internals.js'
import { addFunction } from './registrations.js'

/** What Nunjucks calls a global on. */
export interface Variables {
  lookup (name: string): unknown
}

/** What a function prints, of what it is called with. */
type Check = (args: unknown[], page: PageStream | undefined) => unknown

/** The variable by which a template says what it is written for. */
const VARIABLE = 'dialect'

/** Adds the functions to an environment, except for those whose names are taken. */
export function addSSEGlobals (environment: Environment, { env: view, current }: Pick<Host, 'env' | 'current'>, byDefault: DialectOption): void {
  // The environment's own copy of Nunjucks, whose marks it recognizes.
  const escape = (value: unknown): string => String(environment.getFilter('escape')(value))
  const mark = environment.getFilter('safe')

  function add (name: string, check: Check, choose: (attributes: Dialect['attributes'], value: string) => Attributes): void {
    addFunction(environment, view, name, byDefault, (dialects, isOwn) => function (this: Variables, ...args: unknown[]) {
      const text = escape(check(args, isOwn ? current.page : undefined))
      // Where registrations differ, what either generation reads is right.
      const [dialect] = dialects.size > 1 ? ['auto' as const] : dialects
      return mark(attributesFor(dialectOf(this, dialect!), attributes => choose(attributes, text)).map(print).join(' '))
    })
  }

  add('sse_connect', (args, page) => {
    if (args.length === 0) {
      if (page?.connect !== undefined) return page.connect()
      throw new TypeError('sse_connect() without an address works in a page that has a stream, reply.page(template, context, { live: channel }), and not in a render outside of a page. Give it the address: sse_connect("/live")')
    }
    const [url] = args
    requireText('sse_connect("/live")', 'the URL of a stream', url)
    if (page?.connect === undefined) return url
    const address = page.connect(String(url))
    // One that is marked as safe is escaped already.
    return typeof url === 'string' ? address : mark(address)
  }, ({ connect }, url) => connect(url))
  add('sse_swap', ([name]) => {
    requireText('sse_swap("news")', 'the target of a Fragment', name)
    if (!isPlainName(String(name))) {
      throw new TypeError(`sse_swap("news") takes one plain name of letters, digits, "-", "_" and ":", not ${describe(name)}. Use an element for each name; a fragment with a selector as its target needs no attribute on htmx 4`)
    }
    return name
  }, ({ swap }, name) => swap(name))
  add('sse_close', ([name]) => {
    requireText('sse_close("done")', 'the name of an event', name)
    return name
  }, ({ close }, name) => close(name))
}

function requireText (call: string, what: string, value: unknown): void {
  // Nunjucks' own strings that are marked as safe are not primitive ones.
  if ((typeof value === 'string' || value instanceof String) && value.length > 0) return
  throw new TypeError(`${call} takes ${what}, not ${describe(value)}`)
}

/** One attribute, of a value that is escaped. */
export function print ([name, value]: Attributes[number]): string {
  return `${name}="${value}"`
}

/** What a template says that it is written for. */
export function dialectOf (variables: Variables, byDefault: DialectOption): DialectOption {
  const dialect = variables.lookup(VARIABLE) ?? byDefault
  if (isDialectOption(dialect)) return dialect
  throw new TypeError(`the variable "${VARIABLE}" must be ${choices([...dialectNames(), 'auto'])}, not ${describe(dialect)}`)
}
