// One published event. It is rendered when it is published, and encoded once
// for each dialect that has a reader, for any number of streams.
import { PLAIN, type Dialect } from '../dialects/dialect.js'
import type { EventRecord } from '../dialects/record.js'
import { encodeFrame } from '../sse/frame.js'

// The bytes of an event without any text: the object, its record, positions.
const OVERHEAD = 256

/** An event of a channel, with its place in the history. Iterating a subscription gives these. */
export class Entry {
  /** Its place in the topic: unique, ordered, and a cursor that says nothing about its content. */
  readonly position: string
  /** The position of the event before it. */
  readonly previous: string
  /** The id that clients see and send back. */
  readonly id: string
  /** The `audience` that it was published with. */
  readonly audience: unknown
  /** Its content, as plain data. */
  readonly record: EventRecord
  #size = 0
  #plain: string | undefined
  #frames: Map<string, string> | undefined

  constructor (position: string, previous: string, record: EventRecord, audience: unknown) {
    this.position = position
    this.previous = previous
    this.record = record
    this.audience = audience
    this.id = record.id ?? position
  }

  /** About how many bytes it takes while it waits to be taken. */
  get size (): number {
    if (this.#size === 0) {
      const { parts = [], ...whole } = this.record
      this.#size = OVERHEAD + sizeOf(whole)
      for (const part of parts) this.#size += sizeOf(part)
    }
    return this.#size
  }

  /** The text of its frame. */
  frame (dialect: Dialect): string {
    const form = dialect.form(this.record)
    if (form === PLAIN) {
      this.#plain ??= encodeFrame({ ...this.record, id: this.id })
      return this.#plain
    }
    this.#frames ??= new Map()
    let frame = this.#frames.get(form)
    if (frame === undefined) {
      frame = this.frameWith(this.id, dialect)
      this.#frames.set(form, frame)
    }
    return frame
  }

  /** The same with another id, for a stream of several channels. */
  frameWith (id: string | undefined, dialect: Dialect): string {
    return dialect.encode({ ...this.record, id })
  }
}

function sizeOf ({ data, event, id, target, swap, key }: EventRecord): number {
  let size = 0
  for (const text of [data, event, id, target, swap, key]) if (text !== undefined) size += Buffer.byteLength(text)
  return size
}

/** Values with the same key replace each other: those of one name for one audience. */
export function keyOf ({ record: { key, target, event }, audience }: Pick<Entry, 'record' | 'audience'>): string {
  const name = key ?? target ?? event ?? ''
  return audience === undefined ? name : `${name}\r${JSON.stringify(audience)}`
}
