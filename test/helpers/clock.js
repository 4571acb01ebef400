// Time that stands still until a test lets it pass. Immediates and promises go on.
import { mock } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'

/** Stops the clock for a test; gives what lets so many milliseconds pass, and what follows from it happen. */
export function stopClock (t) {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1e12 })
  // What was set and not cleared.
  const timers = new Set()
  const { setTimeout: set, clearTimeout: clear } = globalThis
  globalThis.setTimeout = (callback, delay) => {
    const timer = set(() => {
      timers.delete(timer)
      callback()
    }, delay)
    timers.add(timer)
    return timer
  }
  globalThis.clearTimeout = timer => {
    timers.delete(timer)
    if (timer !== undefined) clear(timer)
  }
  t.teardown(() => {
    globalThis.setTimeout = set
    globalThis.clearTimeout = clear
    mock.timers.reset()
  })
  const pass = async milliseconds => {
    mock.timers.tick(milliseconds)
    await settle()
  }
  return { pass, timers }
}

/** Lets promises and ticks come to rest. */
export async function settle () {
  for (let n = 0; n < 10; n++) await turn()
}
