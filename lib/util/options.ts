// Checks of options, wherever an object of them is taken.
import { FST_CHIRP_OPTION } from '../errors.js'
import { suggest } from './closest.js'
import { describe } from './describe.js'
import { isList } from './kind.js'
import { isPromise } from './promise.js'
import { messageOf } from './thrown.js'

/**
 * Says what is wrong with options that have one that is not `known`; `where`
 * takes them, such as `of publish()`. What is `overlooked` does no harm.
 */
export function unknownOption (where: string, options: object, known: readonly string[], overlooked?: string): string | undefined {
  // Its methods would pass for options.
  if (isList(options)) return `the options ${where} must be an object, not an array`
  let names: string[]
  try {
    // Read as well, so that an option that cannot be read fails here and with this message.
    names = Object.entries(options).map(([name]) => name)
  } catch (error) {
    return `the options ${where} cannot be read (${messageOf(error)}). Give a plain object`
  }
  for (const name of names) {
    if (known.includes(name) || name === overlooked) continue
    const list = known.length === 1 ? `The option is ${known[0]}` : `The options are ${known.join(', ')}`
    const hint = suggest(name, known)
    return `there is no option "${name}" ${where}. ${list}${hint === '' ? '' : `.${hint}`}`
  }
}

/** @throws FST_CHIRP_OPTION for options that are not an object. */
export function requireObject (where: string, options: unknown): asserts options is object {
  // A promise has no fields, and would be taken for no options.
  if (typeof options !== 'object' || options === null || isList(options) || isPromise(options)) {
    throw new FST_CHIRP_OPTION(`the options ${where} must be an object, not ${describe(options)}`)
  }
}

/** @throws FST_CHIRP_OPTION for options that are not an object, or have one that is not `known`. */
export function refuseUnknown (where: string, options: unknown, known: readonly string[]): asserts options is object {
  requireObject(where, options)
  const problem = unknownOption(where, options, known)
  if (problem !== undefined) throw new FST_CHIRP_OPTION(problem)
}

/** @param where takes it, such as `of app.job()`; left out where the message names nothing but the plugin. */
export function refuse (option: string, wanted: string, value: unknown, where?: string): never {
  throw new FST_CHIRP_OPTION(`${named(option, where)} must be ${wanted}, not ${describe(value)}`)
}

/** An option in a message. */
export function named (option: string, where?: string): string {
  return where === undefined ? `option "${option}"` : `option "${option}" ${where}`
}

export function integer (option: string, value: unknown, min: number, max: number, where?: string): number | undefined {
  if (value === undefined) return
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    const upTo = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
    refuse(option, `a whole number ${upTo}`, value, where)
  }
  return value
}

export function time (option: string, value: unknown, min: number, max: number, where?: string): number | undefined {
  if (value === false) return 0
  if (value === true || value === 0) refuse(option, `milliseconds from ${min} to ${max}, or false to switch it off`, value, where)
  return integer(option, value, min, max, where)
}

// Node.js timers overflow above this.
export const MAX_TIME = 2147483647
