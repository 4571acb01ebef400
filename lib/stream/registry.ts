// The streams of one app: counts and limits them, and ends them when the app closes.
import type { FastifyRequest } from 'fastify'
import { FST_CHIRP_OPTION } from '../errors.js'
import { Clock } from '../transport/clock.js'
import { describe } from '../util/describe.js'
import { List, unlink, type Linked } from '../util/list.js'
import { isPromise } from '../util/promise.js'
import { Gaps } from './gaps.js'
import type { Settings } from './settings.js'

/** What the registry does with a stream. */
export interface RegisteredStream extends Linked {
  /** Sends the last frame and ends. */
  shutdown (): void
  /** Cuts the connection. */
  destroy (): void
  /** Lets everything go, as if the response had closed. */
  closed (): void
}

// What a cut connection needs to close takes no time; one that does not is given up.
const CLOSE_MARGIN = 500

export class Registry {
  readonly clock = new Clock()
  readonly counters = { open: 0, total: 0, events: 0, bytes: 0, dropped: 0, errors: 0 }
  readonly gaps = new Gaps()
  closing = false
  readonly #settings: Settings
  readonly #streams = new List<RegisteredStream>()
  readonly #perClient = new Map<string, number>()
  #onEmpty: (() => void) | undefined

  constructor (settings: Settings) {
    this.#settings = settings
  }

  /** The key that a stream of this request is counted under; undefined when clients are not told apart. */
  clientOf (request: FastifyRequest): string | undefined {
    if (this.#settings.maxStreamsPerClient === 0) return undefined
    const client: unknown = this.#settings.clientKey(request)
    // Nobody will wait for it, and it may fail.
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
  add (stream: RegisteredStream, client: string | undefined): void {
    this.#streams.add(stream)
    this.counters.open++
    if (client !== undefined) this.#perClient.set(client, (this.#perClient.get(client) ?? 0) + 1)
  }

  remove (stream: RegisteredStream, client: string | undefined): void {
    if (!unlink(stream)) return
    this.counters.open--
    if (client !== undefined) {
      const left = this.#perClient.get(client)! - 1
      if (left === 0) this.#perClient.delete(client)
      else this.#perClient.set(client, left)
    }
    if (this.counters.open === 0) this.#onEmpty?.()
  }

  /** Ends all streams; resolves when every client took its last frame, or had its time. */
  async close (): Promise<void> {
    this.closing = true
    const streams = this.#streams
    // Copies, because what one does may take others out of the list.
    for (const stream of [...streams]) stream.shutdown()
    if (await this.#isEmptyWithin(this.#settings.shutdownGrace)) return
    for (const stream of [...streams]) stream.destroy()
    // Whatever a response does, the app closes.
    if (await this.#isEmptyWithin(CLOSE_MARGIN)) return
    for (const stream of [...streams]) stream.closed()
  }

  async #isEmptyWithin (milliseconds: number): Promise<boolean> {
    if (this.counters.open === 0) return true
    let timer
    await new Promise<void>(resolve => {
      this.#onEmpty = resolve
      // When the loop was busy, clients may have taken all of it: that is heard before the immediate.
      timer = setTimeout(() => setImmediate(resolve), milliseconds)
    })
    clearTimeout(timer)
    return this.counters.open === 0
  }
}
