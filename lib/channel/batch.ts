// All events of one tick go to every connection in one write, and
// that write is put together once for all of them.
import type { Dialect } from '../dialects/dialect.js'
import type { Entry } from '../message/entry.js'
import type { SharedFrames } from '../sse/frame.js'
import type { Ids } from '../stream/feed.js'
import { isPromise, type MaybePromise } from '../util/promise.js'
import { maySee, type AudienceFilter } from './audience.js'

/** Events that go out together. */
export class Batch {
  readonly entries: readonly Entry[]
  /** Whether some of them are for an audience, so that not everyone gets the same bytes. */
  readonly isRestricted: boolean
  // The parts of it that different readers see, by a hash of their entries.
  #parts: Map<number, Batch[]> | undefined
  #frames: Map<string, SharedFrames> | undefined
  // The renders of it, by viewer.
  #views: Map<string | undefined, MaybePromise<Batch>> | undefined

  constructor (entries: readonly Entry[]) {
    this.entries = entries
    this.isRestricted = entries.some(({ audience }) => audience !== undefined)
  }

  get last (): Entry {
    return this.entries[this.entries.length - 1]!
  }

  /** The part that a reader with this filter sees: the same object, and so the same bytes, for equal parts. Undefined is nothing. */
  visibleTo (filter: AudienceFilter | undefined): Batch | undefined {
    if (!this.isRestricted) return this
    const visible: Entry[] = []
    let hash = 0
    for (const [n, entry] of this.entries.entries()) {
      if (!maySee(filter, entry.audience)) continue
      visible.push(entry)
      hash = Math.imul(hash, 31) + n | 0
    }
    if (visible.length === 0) return undefined
    if (visible.length === this.entries.length) return this
    this.#parts ??= new Map()
    const known = this.#parts.get(hash) ?? []
    let part = known.find(({ entries }) => entries.length === visible.length && entries.every((entry, n) => entry === visible[n]))
    if (part === undefined) {
      part = new Batch(visible)
      this.#parts.set(hash, [...known, part])
    }
    return part
  }

  /** The batch as a viewer sees it, made once: the same object, and so the same bytes, for equal viewers. */
  seenBy (viewer: string | undefined, see: () => MaybePromise<readonly Entry[]>): MaybePromise<Batch> {
    this.#views ??= new Map()
    let view = this.#views.get(viewer)
    if (view === undefined) {
      const entries = see()
      view = isPromise(entries) ? (entries as Promise<readonly Entry[]>).then(entries => new Batch(entries)) : entries === this.entries ? this : new Batch(entries as readonly Entry[])
      this.#views.set(viewer, view)
    }
    return view
  }

  /** The frames of all events, made once for each dialect and key of the ids. */
  frames (dialect: Dialect, ids: Ids | undefined): SharedFrames {
    const key = ids === undefined ? dialect.name : `${dialect.name} ${ids.key()}`
    this.#frames ??= new Map()
    let frames = this.#frames.get(key)
    if (frames === undefined) {
      frames = toShared(encodeEntries(this.entries, dialect, ids))
      this.#frames.set(key, frames)
    }
    return frames
  }
}

/** The text of events. */
export function encodeEntries (entries: readonly Entry[], dialect: Dialect, ids: Ids | undefined): string {
  let text = ''
  for (const entry of entries) {
    text += ids === undefined ? entry.frame(dialect) : entry.frameWith(ids.of(entry.position), dialect)
  }
  return text
}

// The last two batches that were joined, as all streams of the same channels join the same two.
const joined = new WeakMap<SharedFrames, { next: SharedFrames, both: SharedFrames }>()

/** Frames that go out together. */
export function joinFrames (first: SharedFrames, next: SharedFrames): SharedFrames {
  const known = joined.get(first)
  if (known?.next === next) return known.both
  const both = toShared(first.text + next.text)
  joined.set(first, { next, both })
  return both
}

/** A text that many streams get. */
export function toShared (text: string): SharedFrames {
  const size = Buffer.byteLength(text)
  // https://www.rfc-editor.org/rfc/rfc9112#section-7.1
  return { text, size, chunk: Buffer.from(`${size.toString(16)}\r\n${text}\r\n`) }
}
