// Medians, and ratios that are paired within a round: what slows the machine
// down for a moment then touches both sides.

export function median (values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** The results of a suite: a Map of contestant to what it gave in each round. */
export class Results extends Map {
  /** The median of `of` over the rounds. */
  typical (name, of) {
    return median(this.get(name).map(of))
  }

  /** The median of `of` here divided by `of` there; NaN without one of them. */
  ratio (name, base, of) {
    if (!this.has(name) || !this.has(base)) return NaN
    const there = this.get(base)
    return median(this.get(name).map((round, i) => of(round) / of(there[i])))
  }
}
