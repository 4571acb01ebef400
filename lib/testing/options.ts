// The options of the test client, checked: what Node.js says of a bad one names neither the option nor the call.
import { isList } from '../util/kind.js'
import { MAX_TIME, refuse, refuseUnknown } from '../util/options.js'

/** The test of each option, and a description of what passes it. */
const RULES: Record<string, [wanted: string, isGood: (value: unknown) => boolean]> = {
  listen: ['true or false', value => typeof value === 'boolean'],
  method: ['the name of a method, such as "POST"', value => typeof value === 'string' && /^[a-z-]+$/i.test(value)],
  headers: ['an object of names and values', value => typeof value === 'object' && value !== null && !isList(value)],
  lastEventId: ['a string', value => typeof value === 'string'],
  payload: ['a string or an object', value => typeof value === 'string' || (typeof value === 'object' && value !== null)],
  timeout: [`milliseconds from 0 to ${MAX_TIME}`, value => typeof value === 'number' && value >= 0 && value <= MAX_TIME],
  maxEvents: ['a whole number of at least 0', value => value === Infinity || (Number.isSafeInteger(value) && value as number >= 0)]
}

/**
 * Checks the options of a call, `where`.
 *
 * @throws FST_CHIRP_OPTION for an unknown option, and a value that it cannot take.
 */
export function checkOptions (where: string, options: object, known: readonly string[]): void {
  refuseUnknown(where, options, known)
  for (const [option, value] of Object.entries(options)) {
    const [wanted, isGood] = RULES[option]!
    if (value !== undefined && !isGood(value)) refuse(option, wanted, value, where)
  }
}
