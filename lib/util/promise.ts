// Promises of any kind.
import { types } from 'node:util'

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

/** What `next` makes of the result of `start`, or `failed` of an error of either, at once where the result is there. */
export function attempt<T, R> (start: () => MaybePromise<T>, next: (value: T) => R, failed: (error: unknown) => R): MaybePromise<R> {
  try {
    const value = start()
    return isPromise(value) ? (value as Promise<T>).then(next).catch(failed) : next(value as T)
  } catch (error) {
    return failed(error)
  }
}

/** All values, at once where all are there. */
export function allDone<T> (values: Array<MaybePromise<T>>): MaybePromise<T[]> {
  return values.some(isPromise) ? Promise.all(values) : values as T[]
}

/** Catches the failure of a promise that nothing awaits, so that it does not end the process. */
export function disregard (value: unknown): void {
  // A promise of another kind, such as a query, may begin its work when it is asked, and ends no process.
  if (types.isPromise(value)) hear(value)
}

async function hear (promise: Promise<unknown>): Promise<void> {
  try {
    await promise
  } catch {
    // Its failure is handled elsewhere.
  }
}

/** The result of a promise, or the error of `late` when that takes more than some milliseconds. */
export async function within<T> (milliseconds: number, promise: Promise<T>, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_resolve, reject) => { timer = setTimeout(() => { reject(late()) }, milliseconds).unref() })
  try {
    return await Promise.race([promise, limit])
  } finally {
    clearTimeout(timer)
  }
}

/** Waits until a promise is settled in either way, at most some milliseconds. */
export async function settled (promise: Promise<unknown>, milliseconds: number): Promise<void> {
  await hear(within(milliseconds, promise, () => new Error('late')))
}

const heard = new WeakSet<Promise<unknown>>()

/** Has `failed` called when a promise is rejected for which no code waits. Only the first call for a promise counts, so one failure is one report. */
export function hearFailure (promise: Promise<unknown>, failed: (error: unknown) => void): void {
  if (heard.has(promise)) return
  heard.add(promise)
  promise.then(undefined, failed)
}
