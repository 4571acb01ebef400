// Ends streams one after the other, spread evenly over a time, so that their
// clients do not all come back at once.

export class Drain<T> {
  #streams: readonly T[] = []
  #next = 0
  #leave: ((stream: T) => unknown) | undefined
  #interval = 0
  #started = 0
  #until = Infinity
  #timer: NodeJS.Timeout | undefined

  /** Calls `leave` with each stream. One that is under way goes on, unless the new one is through sooner. */
  start (streams: readonly T[], milliseconds: number, leave: (stream: T) => unknown): void {
    const now = performance.now()
    if (now + milliseconds > this.#until) return
    this.#streams = streams
    this.#next = 0
    this.#leave = leave
    this.#interval = milliseconds / streams.length
    this.#started = now
    this.#until = now + milliseconds
    this.#goOn()
  }

  /** The rest at once. */
  finish (): void {
    this.#interval = 0
    this.#goOn()
  }

  #goOn (): void {
    clearTimeout(this.#timer)
    // Read each time: the end of a stream may start or finish another drain.
    for (let wait = this.#wait(); wait <= 0; wait = this.#wait()) this.#leave!(this.#streams[this.#next++]!)
    if (this.#next < this.#streams.length) this.#timer = setTimeout(() => this.#goOn(), this.#wait())
    else this.#streams = []
  }

  /** Milliseconds until the next one's turn; NaN when none is left. */
  #wait (): number {
    return this.#next < this.#streams.length ? this.#next * this.#interval + this.#started - performance.now() : NaN
  }
}
