// The variables of one render.
import { types } from 'node:util'
import { hearFailure } from '../../util/promise.js'
import { Fault } from './fault.js'

/**
 * A copy of `context`, and of what it can see beneath it: templates set
 * variables of their own. One that cannot be read fails where a template reads
 * it, so that the error has a place.
 *
 * @throws Fault when the names cannot be read.
 */
export function variablesOf (context: object, beneath: object | undefined): object {
  const variables = layered(context, beneath)
  // Nunjucks would assign an own `__proto__` when it copies variables.
  if (Object.hasOwn(variables, '__proto__')) Reflect.deleteProperty(variables, '__proto__')
  return variables
}

/** Hears of the promises in a context: no code waits for them, and a rejection would end the process. */
export function hearPromisesIn (context: object, failed: (name: string, error: unknown) => void): void {
  for (const name of Object.keys(context)) {
    const value = ownValue(context, name)
    if (typeof value === 'object' && types.isPromise(value)) hearFailure(value, error => { failed(name, error) })
  }
}

// What cannot be read is not a promise.
function ownValue (context: object, name: string): unknown {
  try {
    return (context as Record<string, unknown>)[name]
  } catch {
    return undefined
  }
}

/** A copy of both; what cannot be read fails when it is read from the copy. */
export function layered (context: object, beneath: object | undefined): object {
  try {
    return beneath === undefined ? { ...context } : { ...beneath, ...context }
  } catch {
    try {
      return Object.defineProperties({}, { ...readable(beneath), ...readable(context) })
    } catch (error) {
      throw new Fault(error, undefined)
    }
  }
}

function readable (source: object = {}): PropertyDescriptorMap {
  return Object.fromEntries(Object.keys(source).map(name => [name, descriptor(source, name)]))
}

function descriptor (source: object, name: string): PropertyDescriptor {
  const own = { writable: true, enumerable: true, configurable: true }
  try {
    return { ...own, value: (source as Record<string, unknown>)[name] }
  } catch (error) {
    return {
      enumerable: true,
      configurable: true,
      get () { throw error },
      set (value) { Object.defineProperty(this, name, { ...own, value }) }
    }
  }
}
