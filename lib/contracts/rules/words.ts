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

/** ` Did you mean "x"?`, or nothing when nothing is near. */
export function suggest (word: string, candidates: Iterable<string>): string {
  let best: string | undefined
  let least = Math.min(3, Math.ceil(word.length / 3)) + 1
  for (const candidate of new Set(candidates)) {
    if (Math.abs(candidate.length - word.length) >= least) continue
    const steps = distance(word, candidate)
    if (steps < least) [best, least] = [candidate, steps]
  }
  return best === undefined ? '' : ` Did you mean "${best}"?`
}

// How many characters have to be added, removed or replaced.
function distance (a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
