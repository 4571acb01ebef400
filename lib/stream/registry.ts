// The streams of one app: counts and limits them, and ends them: those of a key, or all when the app is drained or closes.
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import { FST_CHIRP_OPTION } from '../errors.js'
import { closedFrame, closingFrame } from '../sse/own.js'
import { RecentBlocks } from '../transport/blocks.js'
import { Clock } from '../transport/clock.js'
import { describe } from '../util/describe.js'
import { List, unlink, type Linked } from '../util/list.js'
import { MAX_TIME } from '../util/options.js'
import { isPromise } from '../util/promise.js'
import { Drain } from './drain.js'
import { StreamControls } from './event-streams.js'
import { Gaps } from './gaps.js'
import { Keys } from './keys.js'
import type { Settings } from './settings.js'

/** The methods of a stream that the registry calls. */
export interface RegisteredStream extends Linked {
  /** Sends a last frame and ends; false when it has ended before. */
  leave (reason: 'shutdown' | 'closed', frame: string): boolean
  /** Cuts the connection. */
  destroy (): void
  /** Releases everything, as if the response had closed. */
  closed (): void
}

// A cut connection closes at once; one that does not is given up.
const CLOSE_MARGIN = 500

export class Registry {
  readonly clock = new Clock()
  readonly blocks = new RecentBlocks()
  readonly counters: StreamControls
  readonly maxBuffer: number
  readonly writeTimeout: number
  /** Whether no stream may start any more. */
  isEnding = false
  readonly gaps = new Gaps()
  readonly #settings: Settings
  readonly #streams = new List<RegisteredStream>()
  readonly #perClient = new Map<string, number>()
  readonly #keys = new Keys<RegisteredStream>()
  readonly #drain = new Drain<RegisteredStream>()
  #onEmpty: Array<() => void> = []

  constructor (settings: Settings, log: FastifyBaseLogger) {
    this.#settings = settings
    this.maxBuffer = settings.maxBuffer
    this.writeTimeout = Clock.ticks(settings.writeTimeout)
    this.counters = new StreamControls(this, log)
  }

  /** The key that a stream of this request is counted under; undefined when clients are not told apart. */
  clientOf (request: FastifyRequest): string | undefined {
    if (this.#settings.maxStreamsPerClient === 0) return undefined
    const client: unknown = this.#settings.clientKey(request)
    // Nothing awaits this promise, and it may fail.
    if (isPromise(client)) client.then(undefined, () => {})
    if (typeof client !== 'string') throw new FST_CHIRP_OPTION(`option "clientKey" must return a string, not ${describe(client)}`)
    return client
  }

  /** Whether one more stream, for `client`, would be over a limit. */
  isFull (client: string | undefined): boolean {
    const { maxStreams, maxStreamsPerClient } = this.#settings
    if (maxStreams !== 0 && this.counters.open >= maxStreams) return true
    return client !== undefined && (this.#perClient.get(client) ?? 0) >= maxStreamsPerClient
  }

  /** Takes a place, until {@link remove} gives it back. */
  add (stream: RegisteredStream, client: string | undefined, keys: readonly string[] | undefined): void {
    this.#streams.add(stream)
    if (keys !== undefined) this.#keys.add(stream, keys)
    this.counters.open++
    if (client !== undefined) this.#perClient.set(client, (this.#perClient.get(client) ?? 0) + 1)
  }

  remove (stream: RegisteredStream, client: string | undefined, keys: readonly string[] | undefined): void {
    if (!unlink(stream)) return
    if (keys !== undefined) this.#keys.remove(stream, keys)
    this.counters.open--
    if (client !== undefined) {
      const left = this.#perClient.get(client)! - 1
      if (left === 0) this.#perClient.delete(client)
      else this.#perClient.set(client, left)
    }
    if (this.counters.open === 0) for (const resolve of this.#onEmpty.splice(0)) resolve()
  }

  /** Ends the streams that have a key now; resolves to how many there were. */
  async closeKey (key: string): Promise<number> {
    const streams = this.#keys.of(key)
    // Earlier events go out at the end of the tick, and the clients do not return for them.
    if (streams.length > 0) await new Promise(setImmediate)
    return streams.filter(stream => stream.leave('closed', closedFrame())).length
  }

  /**
   * Lets no stream start any more, and ends those that are open one after the other, spread over so many milliseconds.
   * Resolves when every client took its last frame, or had its time.
   */
  async drain (milliseconds: number): Promise<void> {
    this.#end(milliseconds)
    await this.#whenEmpty(Math.min(milliseconds + this.#settings.shutdownGrace, MAX_TIME))
  }

  /** The same at once. */
  async close (): Promise<void> {
    this.#end(0)
    await this.#whenEmpty(this.#settings.shutdownGrace)
  }

  #end (milliseconds: number): void {
    this.isEnding = true
    const { shutdownGrace } = this.#settings
    // A copy, because what one does may take others out of the list.
    this.#drain.start([...this.#streams], milliseconds, stream => stream.leave('shutdown', closingFrame(shutdownGrace)))
  }

  async #whenEmpty (patience: number): Promise<void> {
    const streams = this.#streams
    const isEmpty = await this.#isEmptyWithin(patience)
    this.#drain.finish()
    if (isEmpty) return
    for (const stream of [...streams]) stream.destroy()
    // The app closes, with any behaviour of a response.
    if (await this.#isEmptyWithin(CLOSE_MARGIN)) return
    for (const stream of [...streams]) stream.closed()
  }

  async #isEmptyWithin (milliseconds: number): Promise<boolean> {
    if (this.counters.open === 0) return true
    await new Promise<void>(resolve => {
      // When the loop was busy, clients may have taken all of it: that is handled before the immediate.
      const timer = setTimeout(() => setImmediate(resolve), milliseconds)
      this.#onEmpty.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
    return this.counters.open === 0
  }
}
