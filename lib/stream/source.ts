// Gives every kind of source one shape: pull the next value, close once.
import type { Readable } from 'node:stream'
import type { ReadableStream, ReadableStreamDefaultReader } from 'node:stream/web'
import { FST_CHIRP_SOURCE } from '../errors.js'
import { describe } from '../util/describe.js'
import { hasMethod } from '../util/kind.js'
import { isPromise } from '../util/promise.js'

type MaybePromise<T> = T | Promise<T>

/** A source that values are pulled from, one at a time. */
export interface OpenSource {
  /** The next value, or a promise of it; may throw. */
  next (): MaybePromise<IteratorResult<unknown>>
  /**
   * Asks the source to stop, whether it waits or not. Never throws; the
   * promise, if there is one, settles when the source has finished, which may
   * be never, and is rejected with an error of its cleanup. `late` is called with
   * an error after that.
   */
  close (late?: (error: unknown) => void): Promise<unknown> | undefined
}

// Classes, not closures: there is one for each open stream.

class AsyncSource implements OpenSource {
  readonly #iterator: AsyncIterator<unknown>

  constructor (iterator: AsyncIterator<unknown>) {
    this.#iterator = iterator
  }

  next (): Promise<IteratorResult<unknown>> {
    return this.#iterator.next()
  }

  // Not awaited by the caller: a generator that awaits something answers only
  // when that settles, which may be never.
  close (): Promise<unknown> | undefined {
    return attempt(() => this.#iterator.return?.())
  }
}

class SyncSource implements OpenSource {
  readonly #iterator: Iterator<unknown>
  #isRunning = false
  #isClosed = false

  constructor (iterator: Iterator<unknown>) {
    this.#iterator = iterator
  }

  next (): MaybePromise<IteratorResult<unknown>> {
    this.#isRunning = true
    try {
      const result = this.#iterator.next()
      return !result.done && isPromise(result.value)
        ? Promise.resolve(result.value).then(value => ({ done: false, value }), this.#failed)
        : result
    } finally {
      this.#isRunning = false
    }
  }

  close (): Promise<unknown> | undefined {
    if (this.#isClosed) return undefined
    this.#isClosed = true
    // A generator that runs cannot be closed, and may itself have ended what it is the source of.
    return this.#isRunning ? Promise.resolve().then(this.#return) : attempt(this.#return)
  }

  readonly #return = (): void => { this.#iterator.return?.() }

  // The iterator gave a promise and knows nothing of how that ended.
  readonly #failed = (error: unknown): never => {
    this.close()?.catch(ignore)
    throw error
  }
}

class ReadableSource implements OpenSource {
  readonly #readable: Readable
  readonly #iterator: AsyncIterator<unknown>
  #isClosed = false

  constructor (readable: Readable) {
    // It may fail before the first pull or after the last, and without a listener that would end the process.
    readable.on('error', ignore)
    this.#readable = readable
    this.#iterator = readable[Symbol.asyncIterator]()
  }

  async next (): Promise<IteratorResult<unknown>> {
    try {
      return await this.#iterator.next()
    } catch (error) {
      // A Readable that this code destroyed fails the pending pull, as expected.
      if (this.#isClosed) return { done: true, value: undefined }
      throw error
    }
  }

  close (late: (error: unknown) => void = ignore): Promise<unknown> {
    this.#isClosed = true
    const readable = this.#readable
    return new Promise<void>((resolve, reject) => {
      let failed = reject
      readable.on('error', error => { failed(error) })
      readable.on('close', () => {
        resolve()
        failed = late
      })
      readable.destroy()
    })
  }
}

class WebSource implements OpenSource {
  readonly #reader: ReadableStreamDefaultReader<unknown>

  constructor (stream: ReadableStream) {
    if (stream.locked) throw new FST_CHIRP_SOURCE('a ReadableStream that is locked to another reader')
    this.#reader = stream.getReader()
  }

  next (): Promise<IteratorResult<unknown>> {
    return this.#reader.read() as Promise<IteratorResult<unknown>>
  }

  close (): Promise<unknown> | undefined {
    return attempt(() => this.#reader.cancel())
  }
}

/**
 * Opens `source` without pulling from it.
 *
 * @throws FST_CHIRP_SOURCE when nothing can be pulled from it.
 */
export function openSource (source: unknown): OpenSource {
  if (isNodeReadable(source)) return new ReadableSource(source)
  if (isWebStream(source)) return new WebSource(source)
  // A string is iterable too, but its characters are not meant one by one.
  if (typeof source === 'object' && source !== null && !ArrayBuffer.isView(source)) {
    if (hasMethod(source, Symbol.asyncIterator)) return new AsyncSource(toIterator((source as AsyncIterable<unknown>)[Symbol.asyncIterator]()))
    if (hasMethod(source, Symbol.iterator)) return new SyncSource(toIterator((source as Iterable<unknown>)[Symbol.iterator]()))
  }
  throw new FST_CHIRP_SOURCE(describe(source))
}

/** Releases a source that will not be pulled from. */
export function discardSource (source: unknown): void {
  if (typeof source === 'function') return
  openSource(source).close()?.catch(ignore)
}

// A throw during cleanup becomes a rejection, so that there is one way to catch it.
function attempt (cleanup: () => unknown): Promise<unknown> | undefined {
  try {
    const result = cleanup()
    // A promise made here: the then() or catch() of one from the app may throw.
    return isPromise(result) ? new Promise(resolve => { resolve(result) }) : undefined
  } catch (error) {
    return Promise.reject(error)
  }
}

function toIterator<T extends { next: unknown }> (iterator: T): T {
  if (typeof iterator !== 'object' || iterator === null || !hasMethod(iterator, 'next')) {
    throw new FST_CHIRP_SOURCE('an iterable whose iterator has no next()')
  }
  return iterator
}

function isNodeReadable (source: unknown): source is Readable {
  return typeof source === 'object' && source !== null && hasMethod(source, 'destroy') && hasMethod(source, 'read') && hasMethod(source, 'on')
}

function isWebStream (source: unknown): source is ReadableStream {
  return typeof source === 'object' && source !== null && hasMethod(source, 'getReader') && hasMethod(source, 'cancel')
}

function ignore (): void {}
