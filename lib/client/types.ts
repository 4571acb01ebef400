// What the client script says to the page.

/** The attribute `data-sse-state` of an element with a stream. */
export type StreamState =
  /** The first connection is being made. */
  | 'connecting'
  /** Events come. */
  | 'connected'
  /** It was connected, or could not be; the client will try, or waits until somebody looks. */
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
  /** The server sent `chirp:gap`, and the element is fetched anew. */
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
  /** That of the answer, when it was not a stream; for a redirect, that of the page. */
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
    /** Bubbles from an element that gets `data-sse-stale`: its page was loaded anew after a gap, and has a gap again. */
    'chirp:stale': CustomEvent<StaleDetail>
  }
}
