// What channel.subscribe() gives: something to stream, or to iterate.
import { FST_CHIRP_BEHIND, FST_CHIRP_OPTION } from '../errors.js'
import { Entry } from '../message/entry.js'
import { kAttach, type Attachment, type Feed, type Location, type Outlet } from '../stream/feed.js'
import { describe } from '../util/describe.js'
import { isSignal } from '../util/kind.js'
import { refuseUnknown } from '../util/options.js'
import type { MaybePromise } from '../util/promise.js'
import type { AudienceFilter } from './audience.js'
import type { Reader } from './reader.js'
import { onAbort } from './signals.js'
import { gapFields, StreamSink } from './sink.js'
import type { ReaderTarget } from './target.js'

/** Options of `channel.subscribe()`. */
export interface SubscribeOptions<Audience = unknown> {
  /**
   * Give what came after this id first. Default: where it is streamed, the id
   * that the client saw last; where it is iterated, none. Off: `''`.
   */
  lastEventId?: string | undefined
  /** Ends the subscription. A stream ends its subscription by itself. Default: none. */
  signal?: AbortSignal | undefined
  /**
   * Whether an event that was published for an audience may be seen; events
   * without one are for everyone. Default: events with an audience are left out.
   */
  filter?: AudienceFilter<Audience> | undefined
}

/** The channel of a subscription. @internal */
export interface Subscribable {
  readonly name: string
  /** Bytes that may wait for a consumer that iterates. */
  readonly maxBuffer: number
  readonly keepsLatest: boolean
  locate (cursor: string, filter?: AudienceFilter): MaybePromise<Location>
  attach (target: ReaderTarget, lastEventId: string, filter?: AudienceFilter): Reader
}

export class Subscription implements Feed, AsyncIterable<Entry> {
  readonly #channel: Subscribable
  readonly #options: SubscribeOptions

  /**
   * Made by `channel.subscribe()`.
   *
   * @throws FST_CHIRP_OPTION for a bad option.
   * @internal
   */
  constructor (channel: Subscribable, options: SubscribeOptions) {
    refuseUnknown('of channel.subscribe()', options, ['lastEventId', 'signal', 'filter'])
    const { lastEventId, signal, filter } = options
    if (lastEventId !== undefined && typeof lastEventId !== 'string') bad('lastEventId', 'a string', lastEventId)
    if (signal !== undefined && !isSignal(signal)) bad('signal', 'an AbortSignal', signal)
    if (filter !== undefined && typeof filter !== 'function') bad('filter', 'a function of an audience', filter)
    this.#channel = channel
    // A copy, which stays as it was checked.
    this.#options = { lastEventId, signal, filter }
  }

  [kAttach] (outlet: Outlet, lastEventId: string): Attachment {
    // A merge has asked for the cursor and knows its place.
    return this.attach(new StreamSink(outlet), outlet.ids === undefined ? this.cursorFor(lastEventId) : lastEventId)
  }

  /** @internal */
  get keepsLatest (): boolean {
    return this.#channel.keepsLatest
  }

  /** @internal */
  cursorFor (lastEventId: string): string {
    return this.#options.lastEventId ?? lastEventId
  }

  /** @internal */
  locate (cursor: string): MaybePromise<Location> {
    const { signal, filter } = this.#options
    return signal?.aborted === true ? { from: undefined, last: '' } : this.#channel.locate(cursor, filter)
  }

  /** @internal */
  attach (target: ReaderTarget, cursor: string): Attachment {
    const { signal, filter } = this.#options
    if (signal?.aborted === true) {
      target.ended()
      return { cursor () { return undefined }, detach () {} }
    }
    const reader = this.#channel.attach(target, cursor, filter)
    if (signal === undefined) return reader
    const abort = (): void => {
      forget()
      // The channel may have been closed before.
      if (reader.isDetached) return
      reader.detach()
      target.ended()
    }
    const forget = onAbort(signal, abort)
    return {
      cursor: () => reader.cursor(),
      detach () {
        forget()
        reader.detach()
      }
    }
  }

  [Symbol.asyncIterator] (): AsyncIterator<Entry, undefined> {
    return new EntryQueue(this, this.#channel)
  }
}

/** Keeps what came until it is taken. */
class EntryQueue implements AsyncIterator<Entry, undefined>, ReaderTarget {
  readonly #channel: Subscribable
  readonly #attachment: Attachment
  readonly #entries: Entry[] = []
  #size = 0
  #isOver = false
  #error: { thrown: unknown } | undefined
  #waiting: Array<() => void> = []

  constructor (subscription: Subscription, channel: Subscribable) {
    this.#channel = channel
    this.#attachment = subscription.attach(this, subscription.cursorFor(''))
    if (this.#isOver) this.#attachment.detach()
  }

  async next (): Promise<IteratorResult<Entry, undefined>> {
    while (this.#entries.length === 0) {
      if (this.#error !== undefined) {
        const { thrown } = this.#error
        this.#error = undefined
        throw thrown
      }
      if (this.#isOver) return { done: true, value: undefined }
      await new Promise<void>(resolve => { this.#waiting.push(resolve) })
    }
    const value = this.#entries.shift()!
    this.#size -= value.size
    if (!this.isBlocked) this.#wake()
    return { done: false, value }
  }

  /** A replay waits when half of what may wait is there. */
  get isBlocked (): boolean {
    return !this.#isOver && this.#size > this.window
  }

  get window (): number {
    return this.#channel.maxBuffer / 2
  }

  async return (): Promise<IteratorResult<Entry, undefined>> {
    this.#entries.length = this.#size = 0
    this.ended()
    return { done: true, value: undefined }
  }

  flush (): void {}

  async whenDrained (): Promise<void> {
    while (this.isBlocked) await new Promise<void>(resolve => { this.#waiting.push(resolve) })
  }

  pass (entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#entries.push(entry)
      this.#size += entry.size
    }
    const { maxBuffer, name } = this.#channel
    if (this.#size > maxBuffer) this.failed(new FST_CHIRP_BEHIND(name, maxBuffer))
    this.#wake()
  }

  tell (): void {}

  gap (requested: string, position: string): void {
    this.pass([new Entry(position, position, gapFields(requested, position), undefined)])
  }

  ended (): void {
    this.#isOver = true
    this.#attachment?.detach()
    this.#wake()
  }

  #wake (): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  failed (error: unknown): void {
    this.#error = { thrown: error }
    this.ended()
  }
}

function bad (option: string, wanted: string, value: unknown): never {
  throw new FST_CHIRP_OPTION(`option "${option}" of channel.subscribe() must be ${wanted}, not ${describe(value)}`)
}
