// The result of app.signals(): the newest values, for one stream and its page.
import type { AudienceFilter } from '../../channel/audience.js'
import type { Batch } from '../../channel/batch.js'
import type { Channel } from '../../channel/channel.js'
import { DirectSink, StreamSink } from '../../channel/sink.js'
import type { Entry } from '../../message/entry.js'
import type { PageSignals } from '../../render/renderer.js'
import { kAttach, type Attachment, type Feed, type Location, type Outlet } from '../../stream/feed.js'
import type { MaybePromise } from '../../util/promise.js'

/** The parts of its app that a feed needs. */
export interface FeedHost {
  /** Takes the values to streams of this process. */
  readonly channel: Channel
  /** A stream follows these signals, all if undefined, until the function is called that this gives. */
  follow (only: ReadonlySet<string> | undefined): () => void
  html (name: string, filter: AudienceFilter | undefined): string
  ready (only: ReadonlySet<string> | undefined, filter: AudienceFilter | undefined): Promise<unknown> | undefined
}

/** The result of `app.signals()`: a source for a stream, a page, or a merge. */
export class SignalFeed implements Feed {
  /** A client that comes back needs the newest values alone. */
  readonly keepsLatest = true
  /** The HTML of signals on a page with this as its stream. @internal */
  readonly signals: PageSignals
  readonly #host: FeedHost
  readonly #only: ReadonlySet<string> | undefined
  readonly #filter: AudienceFilter | undefined

  /** Made by `app.signals()`. @internal */
  constructor (host: FeedHost, only: ReadonlySet<string> | undefined, filter: AudienceFilter | undefined) {
    this.#host = host
    this.#only = only
    this.#filter = filter
    this.signals = {
      html: name => host.html(name, filter),
      ready: () => host.ready(only, filter)
    }
  }

  /** Empty: a new stream gets the newest values, with any cursor. */
  cursor (): string {
    return ''
  }

  /** @internal */
  locate (cursor: string): MaybePromise<Location> {
    return this.#host.channel.locate(cursor, this.#filter)
  }

  [kAttach] (outlet: Outlet): Attachment {
    const leave = this.#host.follow(this.#only)
    const sink = this.#only === undefined ? new DirectSink(outlet) : new SelectingSink(outlet, this.#only)
    const reader = this.#host.channel.attach(sink, '', this.#filter)
    let isDetached = false
    return {
      detach () {
        reader.detach()
        if (!isDetached) leave()
        isDetached = true
      }
    }
  }
}

/** Passes on some of the values. */
class SelectingSink extends StreamSink {
  readonly #only: ReadonlySet<string>
  readonly #key: string

  constructor (outlet: Outlet, only: ReadonlySet<string>) {
    super(outlet)
    this.#only = only
    this.#key = [...only].sort().join()
  }

  override pass (entries: readonly Entry[], batch?: Batch): void {
    // The same object, and so the same bytes, for all that chose the same.
    const part = batch?.seenBy(this.#key, () => this.#chosen(entries)) as Batch | undefined
    const chosen = part?.entries ?? this.#chosen(entries)
    if (chosen.length > 0) super.pass(chosen, part)
  }

  #chosen (entries: readonly Entry[]): readonly Entry[] {
    return entries.filter(({ record: { key } }) => this.#only.has(key!))
  }
}
