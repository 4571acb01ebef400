// The attributes and events by which the client script tells the page of its streams.

/** The attribute `data-sse-state` of an element with a stream. */
export type StreamState =
  /** The first connection is being made. */
  | 'connecting'
  /** Events can arrive. */
  | 'connected'
  /** Not connected. The client will try again, at the latest when the page is shown. */
  | 'reconnecting'
  /** Over for good. */
  | 'closed'

/** Why a stream is not connected any more. */
export type DisconnectReason =
  /** The connection ended or could not be made. */
  | 'lost'
  /** The page has been hidden for long, or is in the back/forward cache. */
  | 'hidden'
  /** The server sent `chirp:busy`: it has too many streams. */
  | 'busy'
  /** The server sent `chirp:closing`: it is about to stop. */
  | 'closing'
  /** The server sent `chirp:gap`, and the content of the element is fetched again. */
  | 'gap'
  /**
   * The element was removed, its close event came, the server sent `chirp:closed` or `chirp:gone`, or it answered with
   * 204, 401, 403, a redirect to another page, `HX-Redirect`, or `HX-Refresh: true`.
   */
  | 'closed'

/** Detail of the event `chirp:connected`. */
export interface ConnectedDetail {
  /** The stream's address as the element has it. */
  url: string
}

/** Detail of the event `chirp:disconnected`. */
export interface DisconnectedDetail extends ConnectedDetail {
  /** Why the stream is not connected. */
  reason: DisconnectReason
  /** The status of an answer that was not a stream; for a redirect, that of the page. */
  status?: number | undefined
  /** Where that answer leads: its `HX-Redirect`, the page itself for an `HX-Refresh`, or the page that a redirect led to. Absolute. */
  location?: string | undefined
}

/** Detail of the event `chirp:refused`. */
export interface RefusedDetail extends ConnectedDetail {
  /** As in `DisconnectedDetail`. */
  status: number
  /** As in `DisconnectedDetail`. The browser goes there unless it is of another origin, or `preventDefault()` was called. */
  location?: string | undefined
}

/** Detail of the event `chirp:stale`. */
export type StaleDetail = ConnectedDetail

declare global {
  // Elements, the document and the window take their events from here.
  interface GlobalEventHandlersEventMap {
    /** Bubbles from an element whose `data-sse-state` becomes `connected`. */
    'chirp:connected': CustomEvent<ConnectedDetail>
    /** Bubbles from an element whose `data-sse-state` becomes `reconnecting` or `closed`. */
    'chirp:disconnected': CustomEvent<DisconnectedDetail>
    /** Bubbles from an element whose stream was refused for good, before the page is left. Can be cancelled, which keeps the page. */
    'chirp:refused': CustomEvent<RefusedDetail>
    /** Bubbles from an element that gets `data-sse-stale`: its page was loaded again after a gap, and has another gap. */
    'chirp:stale': CustomEvent<StaleDetail>
  }
}
