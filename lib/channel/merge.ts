// Several sources in one stream: channels are followed, all else is pulled.
// The stream has one cursor, which holds a position of every channel.
import { FST_CHIRP_SOURCE } from '../errors.js'
import { Entry } from '../message/entry.js'
import { Fragment } from '../message/fragment.js'
import { Fragments } from '../message/fragments.js'
import { SSEEvent } from '../sse/event.js'
import { kAttach, type Attachment, type Feed, type FeedTarget, type PumpTarget } from '../stream/feed.js'
import { Pump } from '../stream/pump.js'
import { openSource, type OpenSource } from '../stream/source.js'
import type { StreamSource } from '../stream/types.js'
import { isOf } from '../util/kind.js'
import { isPromise } from '../util/promise.js'
import type { Batch, Composer } from './batch.js'
import { Channel } from './channel.js'
import { composeCursor } from './cursor.js'
import { findPlaces, type Place } from './place.js'
import { StreamSink } from './sink.js'
import { Subscription } from './subscription.js'
import { TickTarget } from './tick.js'

type Followed = Channel | Subscription

// Each event brings the places of all, and servers refuse ids of more than a kilobyte.
const MAX_CHANNELS = 50

/**
 * One source of several: what any of them has is sent as it comes. It ends
 * when all have ended, and fails when one fails. Ids that other sources than
 * channels bring are left out, because a client remembers only one.
 *
 * @throws FST_CHIRP_SOURCE when something is no source, or there are too many channels.
 */
export function merge (...sources: Array<Followed | StreamSource>): Merged {
  return new Merged(sources)
}

export class Merged implements Feed {
  readonly #followed: readonly Followed[]
  readonly #pulled: OpenSource[] = []

  /** Made by {@link merge}. @internal */
  constructor (sources: Array<Followed | StreamSource>) {
    if (sources.length === 0) throw new FST_CHIRP_SOURCE('nothing: merge() was called without a source')
    this.#followed = sources.filter(isFollowed)
    const { length } = this.#followed
    if (length > MAX_CHANNELS) {
      throw new FST_CHIRP_SOURCE(`${length} channels in one stream: merge() takes ${MAX_CHANNELS}, because each id holds the places of all`)
    }
    for (const source of sources) {
      if (!isFollowed(source)) this.#pulled.push(openSource(source))
    }
  }

  /** Lets go of what was never streamed. @internal */
  discard (): void {
    for (const source of this.#pulled) source.close()?.catch(() => {})
  }

  [kAttach] (target: FeedTarget & PumpTarget, lastEventId: string): Attachment {
    const parts = this.#followed.length + this.#pulled.length
    // One channel sends once in a tick by itself.
    const merged = new MergedAttachment(target, this.#followed.length > 1 ? new TickTarget(target) : target, parts)
    merged.follow(this.#followed, lastEventId)
    for (const source of this.#pulled) merged.pull(source, this.#followed.length > 0)
    return merged
  }
}

function isFollowed (source: Followed | StreamSource): source is Followed {
  return isOf(source, Channel) || isOf(source, Subscription)
}

class MergedAttachment implements Attachment {
  readonly #target: FeedTarget & PumpTarget
  // The same, where frames are sent.
  readonly #out: FeedTarget
  readonly #followed: Array<{ n: number, part: Attachment }> = []
  readonly #pulled: Attachment[] = []
  // Where each channel is; empty for what is not known, or has no place in an id.
  #positions: string[] = []
  // Channels that start with what comes, and have not told where that is.
  #untold = 0
  #left: number
  #isDetached = false

  constructor (target: FeedTarget & PumpTarget, out: FeedTarget, parts: number) {
    this.#target = target
    this.#out = out
    this.#left = parts
  }

  follow (followed: readonly Followed[], lastEventId: string): void {
    try {
      const places = findPlaces(followed, lastEventId)
      if (!isPromise(places)) return this.#start(followed, places as Place[])
      ;(places as Promise<Place[]>).then(places => { this.#start(followed, places) }).catch(error => this.#fail(error))
    } catch (error) {
      this.#fail(error)
    }
  }

  pull (source: OpenSource, hasCursor: boolean): void {
    const target = this.#target
    const pump = new Pump(source, {
      ...this.#partTarget(),
      get isBlocked () { return target.isBlocked },
      encode: value => hasCursor ? encodeWithoutId(target, value) : target.encode(value),
      isFull: frame => target.isFull(frame),
      failedLate: error => { target.failedLate(error) }
    })
    this.#pulled.push(pump)
    pump.run()
  }

  cursor (): string | undefined {
    let isNews = false
    for (const { n, part } of this.#followed) {
      const position = part.cursor()
      if (position === undefined) continue
      isNews = true
      this.#positions[n] = position
    }
    return isNews ? composeCursor(this.#positions) : undefined
  }

  detach (): void {
    this.#isDetached = true
    for (const { part } of this.#followed) part.detach()
    for (const part of this.#pulled) part.detach()
  }

  /**
   * Gaps are told first, and what starts with what comes does so before anything
   * is replayed: an id that holds the place of a channel says that the client
   * knows what was before it.
   */
  #start (followed: readonly Followed[], places: readonly Place[]): void {
    if (this.#isDetached) return
    this.#positions = places.map(({ position }) => position)
    const isLast = (): boolean => --this.#untold === 0
    const starts = places.map((place, n) => {
      const sink = new PartSink(this.#partTarget(), this.#composer(n, place.isNoted), isLast)
      if (place.lost !== undefined) sink.gap(place.lost, place.position)
      const isFresh = place.isNoted && place.after === ''
      if (isFresh) this.#untold++
      return { n, sink, after: place.after, isFresh }
    })
    for (const { n, sink, after } of [...starts.filter(({ isFresh }) => isFresh), ...starts.filter(({ isFresh }) => !isFresh)]) {
      // One that fails at once takes the others with it.
      if (this.#isDetached) return
      this.#followed.push({ n, part: followed[n]!.attach(sink, after) })
    }
  }

  #fail (error: unknown): void {
    if (!this.#isDetached) this.#out.failed(error)
  }

  /** The stream for one part, whose end is not the end of all. */
  #partTarget (): FeedTarget {
    const out = this.#out
    return {
      dialect: out.dialect,
      get isBlocked () { return out.isBlocked },
      send: (frames, events) => { out.send(frames, events) },
      flush: () => { out.flush() },
      share: (frames, events) => { out.share(frames, events) },
      whenDrained: () => out.whenDrained(),
      ended: () => { if (--this.#left === 0) out.ended() },
      failed: error => { out.failed(error) }
    }
  }

  #composer (n: number, isNoted: boolean): PartComposer {
    const positions = this.#positions
    return {
      // Its own place is marked, because the order counts.
      key: () => positions.map((position, m) => m === n ? '*' : position).join(),
      compose: position => composeCursor(positions.map((other, m) => m === n && isNoted ? position : other)) || undefined,
      note (position) { if (isNoted) positions[n] = position }
    }
  }
}

interface PartComposer extends Composer {
  /** The channel has come to this position. */
  note (position: string): void
}

/** Passes on the events of one channel, and notes how far it has come. */
class PartSink extends StreamSink {
  readonly #composer: PartComposer
  readonly #isLast: () => boolean

  /** @param isLast asked when it tells where it starts: whether all have. */
  constructor (target: FeedTarget, composer: PartComposer, isLast: () => boolean) {
    super(target, composer)
    this.#composer = composer
    this.#isLast = isLast
  }

  override pass (entries: readonly Entry[], batch?: Batch): void {
    super.pass(entries, batch)
    this.#composer.note(entries[entries.length - 1]!.position)
  }

  override tell (position: string): void {
    this.#composer.note(position)
    if (this.#isLast()) super.tell(position)
  }

  override gap (requested: string, position: string): void {
    this.#composer.note(position)
    super.gap(requested, position)
  }
}

// A client remembers one id, and that is the cursor.
function encodeWithoutId (target: FeedTarget & PumpTarget, value: unknown): string | Promise<string> {
  if (isOf(value, Fragment) && value.id !== undefined) {
    const { template, block, context, target: place, retry, swap } = value
    return target.encode(new Fragment(template, block, context, { target: place, retry, swap }))
  }
  if (isOf(value, Fragments) && value.id !== undefined) return target.encode(new Fragments(value.fragments, { retry: value.retry }))
  if (isOf(value, Entry)) return target.dialect.encode({ ...value.record, id: undefined })
  if (isOf(value, SSEEvent) && value.id !== undefined) {
    const { data, event, retry } = value
    return data === undefined && event === undefined && retry === undefined ? '' : target.encode(new SSEEvent({ data, event, retry }))
  }
  return target.encode(value)
}
