// Lets the server work while it is being checked.
import { setImmediate } from 'node:timers/promises'

/** Milliseconds that a check may hold the event loop. */
const SLICE = 10

/** To be awaited between two pieces of work. It rejects with the reason of `signal` once that has aborted. */
export type Pause = () => Promise<void>

export function createPause (signal?: AbortSignal): Pause {
  let last = performance.now()
  return async () => {
    if (performance.now() - last > SLICE) {
      await setImmediate()
      last = performance.now()
    }
    signal?.throwIfAborted()
  }
}
