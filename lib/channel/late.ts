// Publications of an app that has closed are rejected, but must not end the
// process. Code that hands one on, as `async value => channel.publish(value)` does,
// makes a new promise, which may have no listener. Only the engine of
// JavaScript knows that promise; it takes ours over by calling its then(), which
// `await` does not.
import { isNative, withoutNotice } from '../transport/private.js'

const { then } = Promise.prototype

type Listener = ((value: unknown) => unknown) | null

/** Lets a promise that takes `promise` over be rejected without ending the process, when `isLate` says so. */
export function muteLate<T> (promise: Promise<T>, isLate: () => boolean): Promise<T> {
  const value = (fulfilled?: Listener, rejected?: Listener): Promise<unknown> => then.call(promise, fulfilled,
    typeof rejected === 'function' && isNative(rejected) ? error => isLate() ? withoutNotice(rejected, error) : rejected(error) : rejected)
  return Object.defineProperty(promise, 'then', { value, configurable: true })
}
