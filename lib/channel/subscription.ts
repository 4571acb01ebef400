// The result of channel.subscribe(): a source for a stream, or for `for await`.
import { FST_CHIRP_OPTION } from '../errors.js'
import type { Entry } from '../message/entry.js'
import { kAttach, type Attachment, type Feed, type Location, type Outlet } from '../stream/feed.js'
import { describe } from '../util/describe.js'
import { isSignal } from '../util/kind.js'
import { refuseUnknown } from '../util/options.js'
import type { MaybePromise } from '../util/promise.js'
import type { AudienceFilter } from './audience.js'
import { EntryQueue } from './entry-queue.js'
import { onAbort } from './signals.js'
import { DirectSink } from './sink.js'
import type { Following, ReaderTarget } from './target.js'
import { viewerKey } from './viewer.js'

/** Options of `channel.subscribe()`. */
export interface SubscribeOptions<Audience = unknown> {
  /**
   * Replays the events after this id first. Default: where it is streamed, the id
   * that the client saw last; where it is iterated, none. Off: `''`.
   */
  lastEventId?: string | undefined
  /** Ends the subscription. A stream ends its subscription by itself. Default: none. */
  signal?: AbortSignal | undefined
  /**
   * Whether this subscription gets an event that was published for an audience; events
   * without one are for everyone. Default: events with an audience are left out.
   */
  filter?: AudienceFilter<Audience> | undefined
  /**
   * On a channel with the option `viewer`: the viewer of the page, which its templates
   * read as `viewer`. Plain data, of at most 4096 characters as JSON; equal
   * viewers share what is rendered. Default: none, `viewer` is undefined.
   */
  viewer?: unknown
}

/** The channel of a subscription. @internal */
export interface Subscribable {
  readonly name: string
  /** Bytes that may wait for a consumer that iterates. */
  readonly maxBuffer: number
  readonly keepsLatest: boolean
  readonly hasViewers: boolean
  cursor (): Promise<string>
  locate (cursor: string, filter?: AudienceFilter): MaybePromise<Location>
  attach (target: ReaderTarget, lastEventId: string, filter?: AudienceFilter, viewer?: string): Following
}

/** A channel with options, made by `channel.subscribe()`: for a stream, a merge, or `for await`. */
export class Subscription implements Feed, AsyncIterable<Entry> {
  readonly #channel: Subscribable
  readonly #options: Omit<SubscribeOptions, 'viewer'>
  readonly #viewer: string | undefined

  /**
   * Made by `channel.subscribe()`.
   *
   * @throws FST_CHIRP_OPTION for a bad option.
   * @internal
   */
  constructor (channel: Subscribable, options: SubscribeOptions) {
    refuseUnknown('of channel.subscribe()', options, ['lastEventId', 'signal', 'filter', 'viewer'])
    const { lastEventId, signal, filter, viewer } = options
    if (lastEventId !== undefined && typeof lastEventId !== 'string') bad('lastEventId', 'a string', lastEventId)
    if (signal !== undefined && !isSignal(signal)) bad('signal', 'an AbortSignal', signal)
    if (filter !== undefined && typeof filter !== 'function') bad('filter', 'a function of an audience', filter)
    if (viewer !== undefined && !channel.hasViewers) {
      throw new FST_CHIRP_OPTION(`channel "${channel.name}" renders its events once for everyone, so option "viewer" of channel.subscribe() has no effect. Make it with app.channel('${channel.name}', { viewer: true })`)
    }
    this.#channel = channel
    this.#viewer = viewerKey(viewer)
    // A copy, which stays as it was checked.
    this.#options = { lastEventId, signal, filter }
  }

  [kAttach] (outlet: Outlet, lastEventId: string): Attachment {
    // A merge has asked for the cursor and knows its place.
    return this.attach(new DirectSink(outlet), outlet.ids === undefined ? this.cursorFor(lastEventId) : lastEventId)
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

  /** The position of its channel, as `channel.cursor()` gives it; empty when the subscription has ended. */
  async cursor (): Promise<string> {
    return this.#options.signal?.aborted === true ? '' : await this.#channel.cursor()
  }

  /** @internal */
  attach (target: ReaderTarget, cursor: string): Attachment {
    const { signal, filter } = this.#options
    if (signal?.aborted === true) {
      target.ended()
      return { cursor () { return undefined }, detach () {} }
    }
    const reader = this.#channel.attach(target, cursor, filter, this.#viewer)
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
    return new EntryQueue(this.#channel, queue => this.attach(queue, this.cursorFor('')))
  }
}

function bad (option: string, wanted: string, value: unknown): never {
  throw new FST_CHIRP_OPTION(`option "${option}" of channel.subscribe() must be ${wanted}, not ${describe(value)}`)
}
