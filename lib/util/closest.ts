// The known word that a misspelt one probably means.

/** A longer word is not a name, and the cost of comparing two is the product of their lengths. */
const LONGEST_WORD = 200
/** Words that one is compared with. */
const MOST_COMPARED = 300

/** ` Did you mean "x"?`, or nothing when nothing is near. */
export function suggest (word: string, candidates: Iterable<string>): string {
  const best = nearest(word, candidates)
  return best === undefined ? '' : ` Did you mean "${best}"?`
}

/** The word that a misspelt one probably means, within `most` slips. */
export function nearest (word: string, candidates: Iterable<string>, most = 3): string | undefined {
  let best: string | undefined
  let least = Math.min(most, Math.floor(word.length / 2.5)) + 1
  let left = word.length > LONGEST_WORD ? 0 : MOST_COMPARED
  // Words that are near begin or end alike.
  const part = Math.ceil(word.length / 4)
  const [start, end] = [word.slice(0, part), word.slice(-part)]
  for (const candidate of candidates) {
    if (left === 0) break
    if (candidate === word || Math.abs(candidate.length - word.length) >= least || !(candidate.startsWith(start) || candidate.endsWith(end))) continue
    left--
    const steps = distance(word, candidate, least)
    if (steps < least) [best, least] = [candidate, steps]
  }
  return best
}

// How many characters have to be added, removed, replaced, or swapped with the
// next; `limit` if it is that or more. Only what is that near the diagonal counts.
function distance (a: string, b: string, limit: number): number {
  const far = limit - 1
  const steps = Array.from({ length: 2 * far + 1 }, (_, index) => index)
  let before: number[] = []
  let above = steps.map(index => index < far ? limit : index - far)
  for (let i = 1; i <= a.length; i++) {
    const row: number[] = []
    for (const index of steps) {
      const j = i + index - far
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const replaced = (above[index] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const least = Math.min(replaced, (above[index + 1] ?? limit) + 1, (row[index - 1] ?? limit) + 1, isSwapped ? (before[index] as number) + 1 : limit)
      if (j < 0 || j > b.length) row.push(limit)
      else row.push(j === 0 ? i : least)
    }
    if (row.every(steps => steps >= limit)) return limit
    before = above
    above = row
  }
  return above[b.length - a.length + far] as number
}
