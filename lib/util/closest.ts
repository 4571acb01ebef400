// What somebody may have meant.

/** ` Did you mean "x"?`, or nothing when nothing is near. */
export function suggest (word: string, candidates: Iterable<string>): string {
  const best = nearest(word, candidates)
  return best === undefined ? '' : ` Did you mean "${best}"?`
}

/** What a word was probably meant to be, by at most `most` slips. */
export function nearest (word: string, candidates: Iterable<string>, most = 3): string | undefined {
  let best: string | undefined
  let least = Math.min(most, Math.floor(word.length / 2.5)) + 1
  for (const candidate of new Set(candidates)) {
    if (candidate === word || Math.abs(candidate.length - word.length) >= least) continue
    const steps = distance(word, candidate, least)
    if (steps < least) [best, least] = [candidate, steps]
  }
  return best
}

// How many characters have to be added, removed, replaced, or swapped with the
// next; exactly so if that is below `limit`.
export function distance (a: string, b: string, limit: number): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, index) => index)]
  const at = (i: number, j: number) => rows[i]?.[j] as number
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    rows.push(row)
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row.push(Math.min(replaced, at(i - 1, j) + 1, at(i, j - 1) + 1, isSwapped ? at(i - 2, j - 2) + 1 : Infinity))
    }
    if (Math.min(...row) >= limit) return limit
  }
  return at(a.length, b.length)
}
