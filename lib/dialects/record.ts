// The content of an event as plain data: what values become, what travels
// through an engine, and what a dialect writes.
import type { FrameFields } from '../sse/frame.js'

/** HTML, and where in the page it goes. */
export interface Placed {
  /** An element's id, or a selector. Some dialects send it as the event's name. */
  target?: string | undefined
  /** How the HTML gets into the page, in the words of htmx. */
  swap?: string | undefined
}

/** One of several fragments of a message. */
export interface Part extends Placed {
  data: string
}

/** What is sent, before it is known to whom. */
export interface EventRecord extends FrameFields, Placed {
  /** The fragments of a message that has several; such a record has no data of its own. */
  parts?: readonly Part[] | undefined
  /** The format of a record that travels through an engine. Set where it is published. */
  version?: number | undefined
  /** What a value that has no one target is known by, where values replace each other. */
  key?: string | undefined
  /** It is no event for clients: it takes the value of its key out of what a channel keeps. */
  removes?: true | undefined
}
