// The value of a signal as plain data: a private copy, and the text by which it travels.
import { FST_CHIRP_VALUE } from '../../errors.js'
import { Fragment } from '../../message/fragment.js'
import { Fragments } from '../../message/fragments.js'
import { plainJSON } from '../../sse/plain.js'
import { describe } from '../../util/describe.js'
import { isOf } from '../../util/kind.js'
import { isPromise } from '../../util/promise.js'
import { messageOf } from '../../util/thrown.js'

/** The format of what travels. */
const VERSION = 1

/** Kinds of values without a form in JSON, by name. */
const NUMBERS = new Map<string, number>([['NaN', NaN], ['Infinity', Infinity], ['-Infinity', -Infinity], ['-0', -0]])

interface Wire { version: number, value?: unknown, number?: string, bigint?: string }

/** A value, and a text that gives it back in another process. */
export interface Copy { value: unknown, text: string }

/**
 * A copy that nothing changes any more, because pages and processes show it later.
 *
 * @throws FST_CHIRP_VALUE for a value that is not plain data.
 */
export function copyOf (name: string, value: unknown): Copy {
  switch (typeof value) {
    case 'string': case 'boolean': return { value, text: write({ value }) }
    case 'undefined': return { value, text: write({}) }
    case 'bigint': return { value, text: write({ bigint: String(value) }) }
    case 'number': return { value, text: write(Number.isFinite(value) && !Object.is(value, -0) ? { value } : { number: Object.is(value, -0) ? '-0' : String(value) }) }
    case 'object': break
    default: throw new FST_CHIRP_VALUE(`signal "${name}" takes plain data, not ${describe(value)}`)
  }
  if (isPromise(value)) throw new FST_CHIRP_VALUE(`signal "${name}" takes a value, not ${describe(value)}. Await it first`)
  if (isOf(value, Fragment) || isOf(value, Fragments)) {
    throw new FST_CHIRP_VALUE(`signal "${name}" takes plain data, not HTML. Give it the option "render": app.signal('${name}', { render: value => new Fragment(...) })`)
  }
  try {
    const json = plainJSON(value)
    return { value: frozen(json), text: `{"version":${VERSION},"value":${json}}` }
  } catch (cause) {
    throw new FST_CHIRP_VALUE(`signal "${name}" takes plain data, and ${messageOf(cause)}`, { cause })
  }
}

/**
 * The value of a text.
 *
 * @throws Error when this package did not write it.
 */
export function valueOf (text: unknown): unknown {
  const { version, value, number, bigint } = JSON.parse(String(text), freeze) as Wire
  if (version !== VERSION) throw new TypeError(`its version is not ${VERSION}`)
  if (bigint !== undefined) return BigInt(bigint)
  return number === undefined ? value : NUMBERS.get(number)
}

function write (wire: Omit<Wire, 'version'>): string {
  return JSON.stringify({ version: VERSION, ...wire })
}

function frozen (json: string): unknown {
  return JSON.parse(json, freeze)
}

function freeze (key: string, value: unknown): unknown {
  return Object.freeze(value)
}
