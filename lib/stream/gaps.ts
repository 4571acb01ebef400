// Counts the gaps that an app tells, so that pages which load themselves anew
// after one do not all do so at once.

/** Gaps in about a second that are answered at once. */
const FEW = 20
/** Milliseconds for each gap. */
const SHARE = 10
const MOST = 60_000

export class Gaps {
  readonly #now: () => number
  // An average over about a second, which needs no list of times.
  #rate = 0
  #last = 0

  /** @param now Milliseconds, as of a clock that never goes back. */
  constructor (now = () => performance.now()) {
    this.#now = now
  }

  /** Counts one more. The milliseconds over which clients spread what they do about it; undefined while they are few. */
  note (): number | undefined {
    const now = this.#now()
    this.#rate = this.#rate * Math.max(0, 1 - (now - this.#last) / 1000) + 1
    this.#last = now
    return this.#rate > FEW ? Math.min(Math.round(this.#rate * SHARE), MOST) : undefined
  }
}
