// Reports at an interval that this process is alive: one timer for all its holdings.

/** Milliseconds between two beats. */
export const BEAT = 3000

/** Milliseconds without a beat after which an owner is gone: with the beats of the observers within 15 seconds. */
export const SILENCE = 11000

/** What beats. */
export interface Beating { beat (): void }

export class Pulse {
  readonly #beating = new Set<Beating>()
  #timer: NodeJS.Timeout | undefined

  add (beating: Beating): void {
    this.#beating.add(beating)
    this.#timer ??= setInterval(() => { for (const beating of this.#beating) beating.beat() }, BEAT).unref()
  }

  remove (beating: Beating): void {
    this.#beating.delete(beating)
    if (this.#beating.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
