// Many waiters share one listener on a signal of the app, and it is removed
// with the last waiter.
const waiting = new WeakMap<AbortSignal, Waiting>()

class Waiting {
  readonly #signal: AbortSignal
  readonly #listeners = new Set<() => void>()

  constructor (signal: AbortSignal) {
    this.#signal = signal
    signal.addEventListener('abort', this.#abort, { once: true })
    waiting.set(signal, this)
  }

  add (listener: () => void): void {
    this.#listeners.add(listener)
  }

  delete (listener: () => void): void {
    if (!this.#listeners.delete(listener) || this.#listeners.size > 0) return
    this.#signal.removeEventListener('abort', this.#abort)
    waiting.delete(this.#signal)
  }

  readonly #abort = (): void => {
    for (const listener of this.#listeners) listener()
  }
}

/** Calls `listener` when `signal` aborts; gives a function that stops it. */
export function onAbort (signal: AbortSignal, listener: () => void): () => void {
  const all = waiting.get(signal) ?? new Waiting(signal)
  all.add(listener)
  return () => { all.delete(listener) }
}
