// Says what is missing in an engine that the app gave.
import { FST_CHIRP_OPTION } from '../errors.js'
import { describe } from '../util/describe.js'

const VERBS = ['publish', 'read', 'listen', 'close'] as const
const OPTIONAL_VERBS = ['open', 'latest', 'hold', 'beat', 'evict', 'forget', 'start'] as const
// What needs the others.
const HOLDING = ['hold', 'beat', 'evict', 'latest'] as const

/** @throws FST_CHIRP_OPTION for a value that is not an engine. */
export function checkEngine (engine: unknown): void {
  if (engine === undefined) return
  if (typeof engine !== 'object' || engine === null) throw new FST_CHIRP_OPTION(`option "engine" must be an engine, not ${describe(engine)}`)
  const methods = engine as Record<string, unknown>
  const missing = [...VERBS.filter(verb => typeof methods[verb] !== 'function'),
    ...OPTIONAL_VERBS.filter(verb => methods[verb] !== undefined && typeof methods[verb] !== 'function')]
  if (missing.length === 0) {
    const absent = HOLDING.filter(verb => methods[verb] === undefined)
    if (absent.length === 0 || HOLDING.every(verb => verb === 'latest' || methods[verb] === undefined)) return
    throw new FST_CHIRP_OPTION(`option "engine" must be an engine, and what has one of hold(), beat() and evict() needs all of them, and latest(): ${absent.join(', ')} is missing. docs/internals/engines.md says what they do`)
  }
  throw new FST_CHIRP_OPTION(`option "engine" must be an engine, and ${missing.map(verb => `${verb}()`).join(', ')} of it is not a method. docs/internals/engines.md shows one`)
}
