// Promises of any kind.

export function isPromise (value: unknown): value is Promise<unknown> {
  if (typeof value !== 'object' || value === null) return false
  try {
    return typeof (value as Promise<unknown>).then === 'function'
  } catch {
    // A getter that throws makes no promise.
    return false
  }
}

export type MaybePromise<T> = T | Promise<T>

/** Calls `next` with a value, at once where it is there. */
export function whenDone<T, R> (value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return isPromise(value) ? (value as Promise<T>).then(next) : next(value as T)
}
