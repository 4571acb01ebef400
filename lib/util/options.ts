// Checks of options, wherever an object of them is taken.
import { FST_CHIRP_OPTION } from '../errors.js'
import { describe } from './describe.js'

/** @throws FST_CHIRP_OPTION for an option that is not `known`. */
export function refuseUnknown (options: object, known: readonly string[], listed: readonly string[] = known): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new FST_CHIRP_OPTION(`there is no option "${name}" here. The options are ${listed.join(', ')}`)
    }
  }
}

export function refuse (option: string, wanted: string, value: unknown): never {
  throw new FST_CHIRP_OPTION(`option "${option}" must be ${wanted}, not ${describe(value)}`)
}

export function integer (option: string, value: unknown, min: number, max: number): number | undefined {
  if (value === undefined) return
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    const upTo = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
    refuse(option, `a whole number ${upTo}`, value)
  }
  return value
}

export function time (option: string, value: unknown, min: number, max: number): number | undefined {
  if (value === false) return 0
  if (value === true || value === 0) refuse(option, `milliseconds from ${min} to ${max}, or false to switch it off`, value)
  return integer(option, value, min, max)
}

// Node.js timers overflow above this.
export const MAX_TIME = 2147483647
