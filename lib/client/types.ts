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
  /** The element was removed, its close event came, or the server answered with 204, 401, 403, or a redirect to another page. */
  | 'closed'

/** Detail of the event `chirp:connected`. */
export interface ConnectedDetail {
  /** The stream's address as the element has it. */
  url: string
}

/** Detail of the event `chirp:disconnected`. */
export interface DisconnectedDetail extends ConnectedDetail {
  reason: DisconnectReason
  /** That of the answer, when it was no stream; for a redirect, that of the page. */
  status?: number | undefined
}

declare global {
  // Elements, the document and the window take their events from here.
  interface GlobalEventHandlersEventMap {
    /** Bubbles from an element whose `data-sse-state` becomes `connected`. */
    'chirp:connected': CustomEvent<ConnectedDetail>
    /** Bubbles from an element whose `data-sse-state` becomes `reconnecting` or `closed`. */
    'chirp:disconnected': CustomEvent<DisconnectedDetail>
  }
}
