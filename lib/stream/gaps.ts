// Counts the gaps that an app sends, so that pages which reload after a gap
// do not all do so at once.

/** Clients with a gap in about a second that need not wait. */
const FEW = 20
/** Milliseconds for each client. */
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

  /**
   * Counts one more client that has a gap, unless it `isKnown`. The milliseconds over which clients spread what they
   * do about it; 0 while they are few.
   */
  note (isKnown: boolean): number {
    const now = this.#now()
    this.#rate = this.#rate * Math.max(0, 1 - (now - this.#last) / 1000) + (isKnown ? 0 : 1)
    this.#last = now
    return this.#rate > FEW ? Math.min(Math.round(this.#rate * SHARE), MOST) : 0
  }
}
