// What is published within one tick goes to every connection in one write, and
// that write is put together once for all of them.
import type { Dialect } from '../dialects/dialect.js'
import type { Entry } from '../message/entry.js'
import type { SharedFrames } from '../sse/frame.js'
import { maySee, type AudienceFilter } from './audience.js'

/** How a position reads in a stream of several channels; undefined in a stream of one. */
export interface Composer {
  /** The same for all readers whose composed ids are the same. */
  key (): string
  /** Undefined where nothing in the stream has a position. */
  compose (position: string): string | undefined
}

/** Events that go out together. */
export class Batch {
  readonly entries: readonly Entry[]
  /** Whether some of them are for an audience, so that not everyone gets the same bytes. */
  readonly isRestricted: boolean
  // What different readers see of it, by a hash of which entries these are.
  #parts: Map<number, Batch[]> | undefined
  #frames: Map<string, SharedFrames> | undefined

  constructor (entries: readonly Entry[]) {
    this.entries = entries
    this.isRestricted = entries.some(({ audience }) => audience !== undefined)
  }

  get last (): Entry {
    return this.entries[this.entries.length - 1]!
  }

  /** What a reader with this filter sees: the same object, and so the same bytes, for all who see the same. Undefined is nothing. */
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

  /** The frames of all events, made once for each dialect and composer key. */
  frames (dialect: Dialect, composer: Composer | undefined): SharedFrames {
    const key = composer === undefined ? dialect.name : `${dialect.name} ${composer.key()}`
    this.#frames ??= new Map()
    let frames = this.#frames.get(key)
    if (frames === undefined) {
      frames = toShared(encodeEntries(this.entries, dialect, composer))
      this.#frames.set(key, frames)
    }
    return frames
  }
}

/** The text of events. */
export function encodeEntries (entries: readonly Entry[], dialect: Dialect, composer: Composer | undefined): string {
  let text = ''
  for (const entry of entries) {
    text += composer === undefined ? entry.frame(dialect) : entry.frameWith(composer.compose(entry.position), dialect)
  }
  return text
}

// What was joined last with what, as all streams of the same channels do it alike.
const joined = new WeakMap<SharedFrames, { next: SharedFrames, both: SharedFrames }>()

/** Frames that go out together. */
export function joinFrames (first: SharedFrames, next: SharedFrames): SharedFrames {
  const known = joined.get(first)
  if (known?.next === next) return known.both
  const both = toShared(first.text + next.text)
  joined.set(first, { next, both })
  return both
}

function toShared (text: string): SharedFrames {
  const size = Buffer.byteLength(text)
  // https://www.rfc-editor.org/rfc/rfc9112#section-7.1
  return { text, size, chunk: Buffer.from(`${size.toString(16)}\r\n${text}\r\n`) }
}
