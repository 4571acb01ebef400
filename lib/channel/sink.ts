// Brings the events of a reader to a stream.
import type { Entry } from '../message/entry.js'
import { MAX_ID_BYTES } from '../sse/field.js'
import { encodeFrame } from '../sse/frame.js'
import { OWN_EVENTS } from '../sse/own.js'
import type { FeedTarget } from '../stream/feed.js'
import { encodeEntries, type Batch, type Composer } from './batch.js'
import type { ReaderTarget } from './reader.js'

// Bytes in memory: a page of small events, or few large ones.
const WINDOW = 65536

export class StreamSink implements ReaderTarget {
  readonly window = WINDOW
  readonly #target: FeedTarget
  readonly #composer: Composer | undefined

  constructor (target: FeedTarget, composer?: Composer) {
    this.#target = target
    this.#composer = composer
  }

  get isBlocked (): boolean {
    return this.#target.isBlocked
  }

  flush (): void {
    this.#target.flush()
  }

  whenDrained (): Promise<void> {
    return this.#target.whenDrained()
  }

  pass (entries: readonly Entry[], batch?: Batch): void {
    const { dialect } = this.#target
    if (batch === undefined) this.#target.send(encodeEntries(entries, dialect, this.#composer), entries.length)
    else this.#target.share(batch.frames(dialect, this.#composer), entries.length)
  }

  tell (position: string): void {
    this.#target.send(encodeFrame({ id: this.#id(position) }), 0)
  }

  gap (requested: string, position: string): void {
    this.#target.send(encodeFrame(gapFields(requested, this.#id(position))), 1)
  }

  ended (): void {
    this.#target.ended()
  }

  failed (error: unknown): void {
    this.#target.failed(error)
  }

  #id (position: string): string | undefined {
    return this.#composer === undefined ? position : this.#composer.compose(position)
  }
}

/** The event that tells of a gap. What a client asked for may be anything of any length, so it is cut, and stands in JSON alone. */
export function gapFields (requested: string, id: string | undefined): { event: string, id: string | undefined, data: string } {
  return { event: OWN_EVENTS.gap, id, data: JSON.stringify({ requested: requested.slice(0, MAX_ID_BYTES), resumedFrom: id }) }
}
