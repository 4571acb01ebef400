// Feeds, which push, and outlets, which they push to: all that a stream and its source know of
// each other. A stream that is fed is not pulled, so that one event costs one
// write for each connection and nothing else.
import type { Dialect } from '../dialects/dialect.js'
import type { EventRecord } from '../dialects/record.js'
import { FST_CHIRP_SOURCE } from '../errors.js'
import type { Entry } from '../message/entry.js'
import type { PageSignals } from '../render/renderer.js'
import { SSEEvent } from '../sse/event.js'
import { encodeFrame, type SharedFrames } from '../sse/frame.js'
import type { Connection } from '../transport/connection.js'
import { describe } from '../util/describe.js'
import { hasMethod } from '../util/kind.js'
import { isPromise, type MaybePromise } from '../util/promise.js'

/** Where a feed sends what it has: a stream, or a merge that passes it on. */
export interface Outlet {
  /** The dialect of the client. */
  readonly dialect: Dialect
  /** Whether bytes still wait for the client. */
  readonly isBlocked: boolean
  /** The form of positions as ids, where the stream has several feeds; undefined where a position is an id. */
  readonly ids?: Ids | undefined
  /** The connection that {@link share} goes to as it is. Default: there is something in between. @internal */
  readonly connection?: Connection | undefined
  /**
   * The frame of a value, as a source function may yield it. Never fails: a value that cannot be sent is logged,
   * and its frame is `''`, nothing to send. A promise where something asynchronous is rendered. Leaves out the id
   * of a value where the id belongs to other feeds.
   */
  encode (value: unknown): string | Promise<string>
  /** Whether one more frame would make the next write too large. */
  isFull (frame: string): boolean
  /** Sends frames of this stream alone; `events` of them are events. */
  send (frames: string, events: number): void
  /** Sends frames that many streams get. */
  share (frames: SharedFrames, events: number): void
  /** Writes all that was sent so far, before the end of the tick. */
  flush (): void
  /** Resolves when the client can take more, or is gone. To be called while it is blocked. */
  whenDrained (): Promise<void>
  /** There will be nothing more. */
  ended (): void
  /** There will be nothing more because of `error`: the client gets an event, and comes back. */
  failed (error: unknown): void
  /** Reports a failure after {@link Attachment.detach}. */
  failedLate (error: unknown): void
  /**
   * Ends the whole stream with a last frame, also where other feeds have part in it: the app has closed it. Default:
   * there is nothing but {@link send} and {@link ended}.
   */
  leave? (reason: 'closed', frame: string): unknown
  /** To be called for each gap, before it is sent: gives additional fields of its event. Default: nothing. */
  noteGap? (): GapNotes | undefined
  /** To be called before events of a replay are sent; for telemetry. Default: nothing. */
  noteReplayed? (entries: readonly Entry[]): void
  /** To be called behind what may show signals: those that have other values now are sent again. Default: nothing. */
  noteShown? (sent: ReadonlyArray<{ readonly record: EventRecord }>): void
  /** To be called once the client has all that came before now; for telemetry. Default: nothing. */
  noteLive? (): void
}

/** Additional fields of the event of a gap. */
export interface GapNotes {
  /** The page was loaded because of a gap and has another one: loading it again has not helped. */
  again?: true
  /** Milliseconds, of which the client waits a random part before it loads anything: many have a gap at this moment. */
  spread?: number
}

/** The form of one feed's positions as ids in a stream that several feeds share. */
export interface Ids {
  /** The same for all outlets where positions read the same, so that their frames can be shared. */
  key (): string
  /** The id of the event at a position; undefined where nothing in the stream has one. */
  of (position: string): string | undefined
  /** The feed has come to this position. */
  note (position: string): void
  /**
   * Notes where a feed starts that was given no cursor. True: send this id to the client, without an event. False:
   * another feed does that later.
   */
  noteStart (position: string): boolean
}

/** An attached feed. */
export interface Attachment {
  /** The cursor that a heartbeat gives to the client; undefined when the client has it already. */
  cursor? (): string | undefined
  /** Sends those of its signals again that were shown with other values. @internal */
  renew? (sent: ReadonlyArray<{ readonly record: EventRecord }>): void
  /** Stops: the feed may send nothing more. Called once, also after the feed has ended or failed. */
  detach (): void
}

/** The place of a cursor in a feed. */
export interface Location {
  /** The position that the cursor stands for; undefined when it is unknown. */
  from: string | undefined
  /** The position of the newest event, `<epoch>-<sequence>`; empty when the feed is over. */
  last: string
}

/** The name of the method that makes an object a {@link Feed}. The same in every copy of this package. */
export const kAttach: unique symbol = Symbol.for('fastify-chirp.attach') as never

/** A source that pushes its events, as a channel does: `reply.eventStream()` and `merge()` take it. */
export interface Feed {
  /**
   * Sends the events after `lastEventId` to `outlet`, if that is not empty, then live events. Called once
   * for each stream. `lastEventId` comes from the client and can be any text.
   */
  [kAttach] (outlet: Outlet, lastEventId: string): Attachment
  /** Releases a feed that will not be attached. A rejection is logged. */
  discard? (): unknown
  /**
   * Finds a cursor, so that the feed has a place in the ids of a merged stream. There, `lastEventId` is a position
   * of this feed, or empty, and each event's id is `outlet.ids.of(position)`. Without this method the feed is sent
   * in a merge without ids.
   */
  locate? (cursor: string): MaybePromise<Location>
  /**
   * The position of its newest event, as a cursor to go on from later. Empty when it is over, or keeps no
   * history. `reply.page()` with `live` asks for it, and where it is not there for `locate('').last`.
   */
  cursor? (): MaybePromise<string>
  /** The cursor of a page without a cursor of its own. Default: that of {@link cursor}. @internal */
  readonly pageCursor?: string
  /** The same for a page of a merge: the position of this part. @internal */
  pagePosition? (): MaybePromise<string>
  /** The cursor that it goes on after. Default: the one of the client. @internal */
  cursorFor? (lastEventId: string): string
  /** Whether it needs no gap: after an unknown position it sends all that there is. @internal */
  readonly catchesUp?: boolean
  /** The signals that a page of it shows. @internal */
  readonly signals?: PageSignals | undefined
  /** Whether it keeps values, which have no place in an id. @internal */
  readonly keepsLatest?: boolean
}

/** A feed that has a place in the ids of a merged stream. */
export type LocatableFeed = Feed & Required<Pick<Feed, 'locate'>>

export function isFeed (source: unknown): source is Feed {
  return typeof source === 'object' && source !== null && hasMethod(source, kAttach)
}

/** Attaches a feed. One that throws instead has failed. */
export function attachFeed (feed: Feed, outlet: Outlet, lastEventId: string): Attachment {
  try {
    const attachment: unknown = feed[kAttach](outlet, lastEventId)
    if (typeof (attachment as Partial<Attachment> | null | undefined)?.detach === 'function') return attachment as Attachment
    throw new FST_CHIRP_SOURCE(`a feed that gave ${describe(attachment)} when it was attached, and no object with detach()`)
  } catch (error) {
    outlet.failed(error)
    return { detach () {} }
  }
}

/** Stops what was attached. One that fails must not keep others from being stopped. */
export function detachFeed (attachment: Attachment, outlet: Pick<Outlet, 'failedLate'>): void {
  try {
    // Feeds of apps may be asynchronous.
    const result: unknown = attachment.detach()
    if (isPromise(result)) result.then(undefined, error => { outlet.failedLate(error) })
  } catch (error) {
    outlet.failedLate(error)
  }
}

/** The cursor of a heartbeat, as a frame; `failed` gets the error for a value that is not a cursor. */
export function cursorFrame (attachment: Attachment | undefined, failed: (error: unknown) => void): string | undefined {
  try {
    const cursor = attachment?.cursor?.()
    // Checked, because feeds of apps have cursors too.
    return cursor === undefined ? undefined : encodeFrame(SSEEvent.fields(new SSEEvent({ id: cursor })))
  } catch (error) {
    failed(error)
  }
}

/** Releases a feed that will not be attached; `failed` hears what that throws. */
export function discardFeed (feed: Feed, failed: (error: unknown) => void): void {
  try {
    const result = feed.discard?.()
    if (isPromise(result)) result.then(undefined, failed)
  } catch (error) {
    failed(error)
  }
}
