// Names values in messages.
import { disregard } from './promise.js'

/**
 * Names a value in an error message without printing what may be long or secret. What is described is refused, so
 * that nothing will await a promise.
 */
export function describe (value: unknown): string {
  switch (typeof value) {
    case 'number': case 'boolean': return String(value)
    case 'undefined': return 'undefined'
    case 'string': return `the string ${quote(value)}`
    case 'object': break
    default: return `a ${typeof value}`
  }
  if (value === null) return 'null'
  disregard(value)
  const name = classOf(value as object)
  if (typeof name !== 'string' || name === 'Object' || name === '') return 'an object'
  return name === 'Array' ? 'an array' : `an object of class ${name}`
}

function classOf (value: object): unknown {
  try {
    return Object.getPrototypeOf(value)?.constructor?.name
  } catch {
    // A revoked Proxy does not tell.
    return undefined
  }
}

/** At most 40 characters of a string, with its control characters escaped. */
export function quote (text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}...` : text)
}

/** `'a', 'b' or 'c'`. */
export function choices (values: readonly string[]): string {
  const quoted = values.map(value => `'${value}'`)
  return `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`
}
