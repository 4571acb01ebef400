// The content of an event as plain data. Values become records, records travel
// through an engine, and a dialect writes them.
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

/** The end of a job. */
export interface JobEnd {
  /** The state that it ended in. */
  state: 'ended' | 'failed' | 'stopped'
  /** The message of a failure, for clients. */
  message?: string | undefined
}

/** A fragment that is rendered later, in the process of each viewer. */
export interface Unrendered extends Placed {
  template: string
  block: string
  /** JSON of the values by name, so that each render has a copy of its own. */
  context: string
}

/** The content of an event, before its readers are known. */
export interface EventRecord extends FrameFields, Placed {
  /** The fragments of a message that has several; such a record has no data of its own. */
  parts?: readonly Part[] | undefined
  /** The fragment that is rendered for each viewer. Such a record has no data, and its place is its own. */
  fragment?: Unrendered | undefined
  /** The same for a message of several, each with its place. */
  fragments?: readonly Unrendered[] | undefined
  /** The format of a record that travels through an engine. Set where it is published. */
  version?: number | undefined
  /** The key of a value without a single target, where values replace each other. */
  key?: string | undefined
  /** The signal of which it is a value, HTML that every place of that signal shows. The event's name says it too. */
  signal?: string | undefined
  /** Makes it the last record of a job, which says what became of it, and is not sent. */
  end?: JobEnd | undefined
  /** The trace that it was published in (https://www.w3.org/TR/trace-context/), with tracing on. Any text: it comes from other processes. */
  traceparent?: string | undefined
  /** The time of its publication, in milliseconds since 1970, with metrics or tracing on. */
  published?: number | undefined
  /** Not an event for clients: it takes the value of its key out of what a channel keeps. */
  removes?: true | undefined
}
