// How long to wait before something that fails is tried again: 0.5, 1, 2 ... 30 s, if the first is not given.

const FIRST = 500
const LONGEST = 30000

export class Backoff {
  readonly #first: number
  #failures = 0

  constructor (first = FIRST) {
    this.#first = first
  }

  /** Milliseconds to wait after one more failure. */
  next (): number {
    return Math.min(this.#first * 2 ** this.#failures++, LONGEST)
  }

  /** It works again. */
  reset (): void {
    this.#failures = 0
  }
}

/** A run of so many milliseconds counts as working, even if it fails then. */
export const WELL = LONGEST
