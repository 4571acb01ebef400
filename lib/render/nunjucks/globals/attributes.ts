// Template functions that print the attributes of a stream for the page's
// dialect: sse_connect(url), sse_swap(name) and sse_close(name).
import { type DialectOption, isPlainName } from '../../../dialects/list.js'
import type { Environment } from '../internals.js'
import { describe } from '../../../util/describe.js'
import { addFunction } from './registrations.js'

/** What Nunjucks calls a global on. */
interface Variables {
  lookup (name: string): unknown
}

/** The variable by which a template says what it is written for. */
const VARIABLE = 'dialect'

/** Attributes by dialect; `auto` is for a page of which nothing is known. */
type Attributes = Record<DialectOption, (value: string) => string>

const CONNECT: Attributes = {
  htmx2: url => `hx-ext="sse" sse-connect="${url}"`,
  htmx4: url => `hx-sse:connect="${url}"`,
  // Each generation reads its own; htmx 4 knows the old ones too, and opens one stream.
  auto: url => `hx-ext="sse" sse-connect="${url}" hx-sse:connect="${url}"`
}

// The id is where htmx 4, and messages of several fragments, find the element.
const SWAP: Attributes = {
  htmx2: name => `id="${name}" sse-swap="${name}"`,
  htmx4: name => `id="${name}"`,
  auto: name => `id="${name}" sse-swap="${name}"`
}

// What comes without a target. On htmx 4 it goes to the connecting element by itself.
const SWAP_UNNAMED: Attributes = {
  htmx2: name => `sse-swap="${name}"`,
  htmx4: () => '',
  auto: name => `sse-swap="${name}"`
}

const CLOSE: Attributes = {
  htmx2: name => `sse-close="${name}"`,
  htmx4: name => `hx-sse:close="${name}"`,
  auto: name => `sse-close="${name}" hx-sse:close="${name}"`
}

/** Adds the functions to an environment, except for those whose names are taken. */
export function addSSEGlobals (environment: Environment, view: Environment, byDefault: DialectOption): void {
  // The environment's own copy of Nunjucks, whose marks it recognizes.
  const escape = (value: unknown): string => String(environment.getFilter('escape')(value))
  const mark = environment.getFilter('safe')

  function add (name: string, check: (value: unknown) => Attributes): void {
    addFunction(environment, view, name, byDefault, dialects => function (this: Variables, value: unknown) {
      const attributes = check(value)
      // Where registrations differ, what either generation reads is right.
      const [dialect] = dialects.size > 1 ? ['auto' as const] : dialects
      return mark(attributes[dialectOf(this, dialect!)](escape(value)))
    })
  }

  add('sse_connect', url => {
    requireText('sse_connect("/live")', 'the URL of a stream', url)
    return CONNECT
  })
  add('sse_swap', name => {
    requireText('sse_swap("news")', 'the target of a Fragment', name)
    if (String(name) === 'message') return SWAP_UNNAMED
    if (!isPlainName(String(name))) {
      throw new TypeError(`sse_swap("news") takes one plain name of letters, digits, "-", "_" and ":", not ${describe(name)}. Use an element for each name; what has a selector for a target needs no attribute on htmx 4`)
    }
    return SWAP
  })
  add('sse_close', name => {
    requireText('sse_close("done")', 'the name of an event', name)
    return CLOSE
  })
}

function requireText (call: string, what: string, value: unknown): void {
  // Nunjucks' own strings that are marked as safe are no primitive ones.
  if ((typeof value === 'string' || value instanceof String) && value.length > 0) return
  throw new TypeError(`${call} takes ${what}, not ${describe(value)}`)
}

function dialectOf (variables: Variables, byDefault: DialectOption): DialectOption {
  const dialect = variables.lookup(VARIABLE) ?? byDefault
  if (dialect === 'htmx2' || dialect === 'htmx4' || dialect === 'auto') return dialect
  throw new TypeError(`the variable "${VARIABLE}" must be 'htmx2', 'htmx4' or 'auto', not ${describe(dialect)}`)
}
