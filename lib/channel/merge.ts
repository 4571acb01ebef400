// Several sources in one stream: channels are followed, all else is pulled.
// The stream has one cursor, which holds a position of every channel.
import { FST_CHIRP_SOURCE } from '../errors.js'
import { encodeRecord } from '../html/dialect.js'
import { Fragment } from '../html/fragment.js'
import { Fragments } from '../html/fragments.js'
import { SSEEvent } from '../sse/event.js'
import { kAttach, type Attachment, type Feed, type FeedTarget, type PumpTarget } from '../stream/feed.js'
import { Pump } from '../stream/pump.js'
import { openSource, type OpenSource } from '../stream/source.js'
import type { StreamSource } from '../types.js'
import type { Batch, Composer } from './batch.js'
import { Channel } from './channel.js'
import { composeCursor, parseCursor, SEPARATOR } from './cursor.js'
import { Entry } from './entry.js'
import { StreamSink } from './sink.js'
import { Subscription } from './subscription.js'
import { TickTarget } from './tick.js'

type Followed = Channel | Subscription

/**
 * One source of several: what any of them has is sent as it comes. It ends
 * when all have ended, and fails when one fails. Ids that other sources than
 * channels bring are left out, because a client remembers only one.
 *
 * @throws FST_CHIRP_SOURCE when something is no source.
 */
export function merge (...sources: Array<Followed | StreamSource>): Merged {
  return new Merged(sources)
}

export class Merged implements Feed {
  readonly #followed: Followed[] = []
  readonly #pulled: OpenSource[] = []

  /** Made by {@link merge}. @internal */
  constructor (sources: Array<Followed | StreamSource>) {
    if (sources.length === 0) throw new FST_CHIRP_SOURCE('nothing: merge() was called without a source')
    for (const source of sources) {
      if (source instanceof Channel || source instanceof Subscription) this.#followed.push(source)
      else this.#pulled.push(openSource(source))
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

class MergedAttachment implements Attachment {
  readonly #target: FeedTarget & PumpTarget
  // The same, where frames are sent.
  readonly #out: FeedTarget
  readonly #parts: Attachment[] = []
  readonly #positions: string[] = []
  #left: number

  constructor (target: FeedTarget & PumpTarget, out: FeedTarget, parts: number) {
    this.#target = target
    this.#out = out
    this.#left = parts
  }

  follow (followed: readonly Followed[], lastEventId: string): void {
    const cursors = parseCursor(lastEventId, followed.length)
    this.#positions.push(...cursors.map(cursor => cursor === SEPARATOR ? '' : cursor))
    for (const [n, part] of followed.entries()) {
      const sink = new PartSink(this.#partTarget(), this.#composer(n), lastEventId, position => { this.#positions[n] = position })
      this.#parts.push(part.attach(sink, cursors[n]!))
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
    this.#parts.push(pump)
    pump.run()
  }

  cursor (): string | undefined {
    let isNews = false
    for (const [n, part] of this.#parts.entries()) {
      const position = part.cursor()
      if (position === undefined) continue
      isNews = true
      this.#positions[n] = position
    }
    return isNews ? composeCursor(this.#positions) : undefined
  }

  detach (): void {
    for (const part of this.#parts) part.detach()
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

  #composer (n: number): Composer {
    const positions = this.#positions
    return {
      key: () => positions.map((position, m) => m === n ? '' : position).join(SEPARATOR),
      compose: position => composeCursor(positions.map((other, m) => m === n ? position : other))
    }
  }
}

/** Passes on the events of one channel, and notes how far it has come. */
class PartSink extends StreamSink {
  readonly #requested: string
  readonly #note: (position: string) => void

  constructor (target: FeedTarget, composer: Composer, requested: string, note: (position: string) => void) {
    super(target, composer)
    this.#requested = requested
    this.#note = note
  }

  override pass (entries: readonly Entry[], batch?: Batch): void {
    super.pass(entries, batch)
    this.#note(entries[entries.length - 1]!.position)
  }

  override tell (position: string): void {
    this.#note(position)
    super.tell(position)
  }

  override resume (position: string): void {
    this.#note(position)
  }

  override gap (requested: string, position: string): void {
    this.#note(position)
    super.gap(this.#requested === '' ? requested : this.#requested, position)
  }
}

// A client remembers one id, and that is the cursor.
function encodeWithoutId (target: FeedTarget & PumpTarget, value: unknown): string | Promise<string> {
  if (value instanceof Fragment && value.id !== undefined) {
    const { template, block, context, target: place, retry, swap } = value
    return target.encode(new Fragment(template, block, context, { target: place, retry, swap }))
  }
  if (value instanceof Fragments && value.id !== undefined) return target.encode(new Fragments(value.fragments, { retry: value.retry }))
  if (value instanceof Entry) return encodeRecord({ ...value.record, id: undefined }, target.dialect)
  if (value instanceof SSEEvent && value.id !== undefined) {
    const { data, event, retry } = value
    return data === undefined && event === undefined && retry === undefined ? '' : target.encode(new SSEEvent({ data, event, retry }))
  }
  return target.encode(value)
}
