// https://tc39.es/ecma262/#sec-json.stringify
// The data of an event as text. What JSON would make an empty object of,
// although it is not empty, is refused: a forgotten `await` must not go out.
import { describe } from '../util/describe.js'
import { disregard } from '../util/promise.js'
import { messageOf } from '../util/thrown.js'

/**
 * The data of an event: a string as it is, everything else as JSON.
 *
 * @throws TypeError with a sentence that says what to do instead.
 */
export function stringifyData (data: unknown): string {
  if (typeof data === 'string') return data
  if (typeof data === 'object' && data !== null && isBytes(data)) {
    throw new TypeError('an event stream carries text, not bytes. Send data.toString(\'base64\') or decode it first')
  }
  let json: string | undefined
  let problem: string | undefined
  try {
    // Promises of libraries have fields, which JSON would send.
    problem = isThenable(data) ? problemOf('', data) : undefined
    json = JSON.stringify(data)
    // A replacer takes as long again, so only the suspicion calls for it.
    if (problem === undefined && json?.includes('{}')) {
      JSON.stringify(data, (key, value: unknown) => {
        const found = problemOf(key, value)
        problem ??= found
        return value
      })
    }
  } catch (cause) {
    throw new TypeError(`JSON.stringify refused it (${messageOf(cause)}). Send what JSON can hold`, { cause })
  }
  if (problem !== undefined) throw new TypeError(problem)
  if (json === undefined) {
    throw new TypeError(`JSON has no form for ${describe(data)}. Send a string, a number, a boolean, null, an array or an object`)
  }
  return json
}

/** Whether it is bytes, of any kind. */
export function isBytes (data: object): boolean {
  return ArrayBuffer.isView(data) || data instanceof ArrayBuffer || data instanceof SharedArrayBuffer
}

function isThenable (value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as PromiseLike<unknown>).then === 'function' &&
    typeof (value as { toJSON?: unknown }).toJSON !== 'function'
}

/** The problem of a value that JSON has reached; undefined when there is none. */
export function problemOf (key: string, value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return
  const found = hollowOf(value)
  if (found === undefined) return
  disregard(value)
  const [what, instead] = found
  return `${what}${key === '' ? '' : ` in ${JSON.stringify(key)}`} would arrive as {}. ${instead}`
}

/** Names what lies outside of the fields that JSON looks at, and says what to do with it. */
function hollowOf (value: object): [what: string, instead: string] | undefined {
  if (isThenable(value)) return ['a promise', 'Await it first']
  if (typeof (value as AsyncIterable<unknown>)[Symbol.asyncIterator] === 'function') return ['an async iterator', 'Send what it gives one by one, with yield * it, or collect it first']
  if (Array.isArray(value) || Object.keys(value).length > 0) return
  if (value instanceof Map) return ['a Map', 'Send Object.fromEntries(map), or [...map]']
  if (value instanceof Set) return ['a Set', 'Send [...set]']
  if (value instanceof Error) return ['an error', 'Send its message, if everyone may read it']
  const kind = Object.prototype.toString.call(value)
  // Boxed texts, which JSON takes for what is in them, can be iterated too.
  if (BOXED.has(kind)) return
  if (typeof (value as Iterable<unknown>)[Symbol.iterator] === 'function') return ['an iterator', 'Send [...values]']
  return kind === '[object Object]' ? undefined : [describe(value), 'Send what is in it']
}

const BOXED = new Set(['[object String]', '[object Number]', '[object Boolean]'])
