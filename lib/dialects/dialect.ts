// The differences between the pages that read a stream. A dialect is one object;
// list.ts names them all.
import type { EventRecord, Placed } from './record.js'

/** The attributes of an element, in the order in which they are printed. */
export type Attributes = ReadonlyArray<readonly [name: string, value: string]>

/** The form of a record that is written as every client of event streams reads it, by `encodeFrame()`. */
export const PLAIN = 'plain'

/** The way in which one kind of page asks for streams, reads them, and places HTML. */
export interface Dialect {
  /** As the option `dialect` names it. */
  readonly name: string
  /** The value of `?htmx=` that asks for it. */
  readonly query: string
  /** Whether a request comes from a page of this kind. */
  detect (header: (name: string) => string | undefined): boolean
  /** The request headers that {@link detect} looks at. */
  readonly vary: readonly string[]
  /** Names how a record is written; dialects that give the same name write the same, which is then done once. */
  form (record: EventRecord): string
  /** The text of a record's frame. */
  encode (record: EventRecord): string
  /** HTML that says itself where it goes; without a target it is left as it is. */
  place (placed: Placed, html: string): string
  /** The attributes that the template functions print. */
  readonly attributes: {
    /** Opens the stream of an address. */
    connect (url: string): Attributes
    /** Takes the events of a target; `message` is for events without one. */
    swap (target: string): Attributes
    /** Takes the values of a signal, in as many elements as there are. */
    signal (name: string): Attributes
    /** Ends the stream at an event. */
    close (event: string): Attributes
  }
  /** The words for how HTML can get into a page, without their modifiers. */
  readonly swaps: ReadonlySet<string>
}
