// One published event. It is rendered when it is published, and encoded once
// for each dialect that somebody reads, however many streams it goes to.
import { encodeRecord, isDialectal, type Dialect, type TargetedFields } from '../dialects/list.js'

/** The content of an event, without what depends on the reader. */
export type EventRecord = TargetedFields

// What an event without any text takes: the object, its record, positions.
const OVERHEAD = 256

export class Entry {
  /** Its place in the topic: unique, ordered, and a cursor that says nothing about its content. */
  readonly position: string
  /** The position of the event before it. */
  readonly previous: string
  /** The id that clients see and send back. */
  readonly id: string
  readonly audience: unknown
  readonly record: EventRecord
  #size = 0
  #htmx2: string | undefined
  #htmx4: string | undefined

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
      const { data, event, id, target, swap, key } = this.record
      this.#size = OVERHEAD
      for (const text of [data, event, id, target, swap, key]) if (text !== undefined) this.#size += Buffer.byteLength(text)
    }
    return this.#size
  }

  /** The text of its frame. */
  frame (dialect: Dialect): string {
    if (dialect === 'htmx4' && isDialectal(this.record)) {
      this.#htmx4 ??= this.frameWith(this.id, dialect)
      return this.#htmx4
    }
    this.#htmx2 ??= this.frameWith(this.id, 'htmx2')
    return this.#htmx2
  }

  /** The same with another id, for a stream of several channels. */
  frameWith (id: string | undefined, dialect: Dialect): string {
    return encodeRecord({ ...this.record, id }, dialect)
  }
}

/** Values with the same key replace each other: those of one name for one audience. */
export function keyOf ({ record: { key, target, event }, audience }: Entry): string {
  const name = key ?? target ?? event ?? ''
  return audience === undefined ? name : `${name}\r${JSON.stringify(audience)}`
}
