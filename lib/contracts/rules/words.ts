// How messages name things.
import { HOLE } from '../scan/pattern.js'

/** A text with holes, for a message. */
export function show (text: string): string {
  return text.replaceAll(HOLE, '{{ }}')
}

/** `"a", "b" and "c"`. */
export function enumerate (words: readonly string[]): string {
  const quoted = [...new Set(words)].map(word => `"${word}"`)
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1)}`
}
