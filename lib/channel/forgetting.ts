// Calls what frees memory when something in it has come of age, with one timer
// that holds no process, and none while there is nothing to free.

// Entries that expire soon after the first are freed with it, not one by one.
const COARSE = 8

export class Forgetting {
  readonly #forget: () => number | undefined
  #timer: NodeJS.Timeout | undefined

  /** @param forget frees what is old, and gives the milliseconds until there is more; undefined is never. */
  constructor (forget: () => number | undefined) {
    this.#forget = forget
  }

  /** There is something that comes of age in `ttl` ms. */
  after (ttl: number): void {
    if (this.#timer === undefined) this.#sleep(ttl, ttl)
  }

  #sleep (delay: number, ttl: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      const rest = this.#forget()
      // The clock of the machine may have been set back.
      if (rest !== undefined) this.#sleep(Math.min(Math.max(rest, Math.ceil(ttl / COARSE)), ttl), ttl)
    }, delay).unref()
  }

  stop (): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
