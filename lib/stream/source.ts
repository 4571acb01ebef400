// Gives every kind of source one shape: pull the next value, close once.
import type { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { FST_CHIRP_SOURCE } from '../errors.js'
import { describe } from '../sse/field.js'

type MaybePromise<T> = T | Promise<T>

/** A source that values are pulled from, one at a time. */
export interface OpenSource {
  /** The next value, or a promise of it; may throw. */
  next (): MaybePromise<IteratorResult<unknown>>
  /**
   * Asks the source to stop, whether it waits or not. Never throws; the
   * promise, if there is one, settles when the source has finished, which may
   * be never, and is rejected with what its cleanup threw.
   */
  close (): Promise<unknown> | undefined
}

/**
 * Opens `source` without pulling from it.
 *
 * @throws FST_CHIRP_SOURCE when nothing can be pulled from it.
 */
export function openSource (source: unknown): OpenSource {
  if (isNodeReadable(source)) return openReadable(source)
  if (isWebStream(source)) return openWebStream(source)
  // A string is iterable too, but nobody wants its characters one by one.
  if (typeof source === 'object' && source !== null && !ArrayBuffer.isView(source)) {
    const iterate = (source as AsyncIterable<unknown>)[Symbol.asyncIterator]
    if (typeof iterate === 'function') return openAsync(iterate.call(source))
    const iterateSync = (source as Iterable<unknown>)[Symbol.iterator]
    if (typeof iterateSync === 'function') return openSync(iterateSync.call(source))
  }
  throw new FST_CHIRP_SOURCE(describe(source))
}

/** Lets go of a source that is not going to be pulled from. */
export function discardSource (source: unknown): void {
  if (typeof source === 'function') return
  openSource(source).close()?.catch(() => {})
}

export function isPromise (value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as Promise<unknown>).then === 'function'
}

function openAsync (iterator: AsyncIterator<unknown>): OpenSource {
  return {
    next: () => iterator.next(),
    // Not awaited by the caller: a generator that awaits something answers
    // only when that settles, which may be never.
    close: () => attempt(() => iterator.return?.())
  }
}

function openSync (iterator: Iterator<unknown>): OpenSource {
  return {
    next () {
      const result = iterator.next()
      return result.done !== true && isPromise(result.value)
        ? result.value.then(value => ({ done: false, value }))
        : result
    },
    close: () => attempt(() => { iterator.return?.() })
  }
}

function openReadable (readable: Readable): OpenSource {
  // It may fail before the first pull, and without a listener that would end the process.
  readable.on('error', ignore)
  const iterator = readable[Symbol.asyncIterator]()
  let closed = false
  return {
    // What was destroyed by us fails the pending pull; that is no news.
    next: () => iterator.next().catch(error => {
      if (closed) return { done: true, value: undefined }
      throw error
    }),
    close () {
      closed = true
      readable.destroy()
      return undefined
    }
  }
}

function openWebStream (stream: ReadableStream): OpenSource {
  if (stream.locked) throw new FST_CHIRP_SOURCE('a ReadableStream that is locked to another reader')
  const reader = stream.getReader()
  return {
    next: () => reader.read() as Promise<IteratorResult<unknown>>,
    close: () => reader.cancel()
  }
}

// A throw during cleanup becomes a rejection, so that there is one way to hear of it.
function attempt (cleanup: () => unknown): Promise<unknown> | undefined {
  try {
    const result = cleanup()
    return isPromise(result) ? result : undefined
  } catch (error) {
    return Promise.reject(error)
  }
}

function isNodeReadable (source: unknown): source is Readable {
  const readable = source as Readable
  return typeof source === 'object' && source !== null && typeof readable.destroy === 'function' &&
    typeof readable.read === 'function' && typeof readable.on === 'function'
}

function isWebStream (source: unknown): source is ReadableStream {
  const stream = source as ReadableStream
  return typeof source === 'object' && source !== null && typeof stream.getReader === 'function' &&
    typeof stream.cancel === 'function'
}

function ignore (): void {}
