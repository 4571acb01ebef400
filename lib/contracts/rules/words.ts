// Names of things in messages.
import { HOLE } from '../scan/pattern.js'

/** A text with holes, for a message. */
export function show (text: string): string {
  return text.replaceAll(HOLE, '{{ }}')
}

/** Words of a list that are named; of more there is the number. */
const MOST_NAMED = 30

/** `"a", "b" and "c"`. */
export function enumerate (words: readonly string[]): string {
  const known = new Set(words)
  const quoted = [...known].slice(0, MOST_NAMED).map(word => `"${word}"`)
  if (known.size > MOST_NAMED) quoted.push(`${known.size - MOST_NAMED} more`)
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1)}`
}
