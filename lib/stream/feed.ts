// A source that pushes: what a stream and a channel know of each other. A
// stream that is fed is not pulled, so that one event costs one write for each
// connection and nothing else.
import type { Dialect } from '../dialects/dialect.js'
import type { SharedFrames } from '../sse/frame.js'
import { hasMethod } from '../util/kind.js'

/** Where a feed sends its frames. */
export interface FeedTarget {
  readonly dialect: Dialect
  /** Whether the client still has to take what it was sent. */
  readonly isBlocked: boolean
  /** Sends frames of this reader's own; `events` of them are events. */
  send (frames: string, events: number): void
  /** Sends frames that many readers get. */
  share (frames: SharedFrames, events: number): void
  /** Writes what was sent so far. */
  flush (): void
  /** Resolves when the client can take more, or is gone; for while it is blocked. */
  whenDrained (): Promise<void>
  /** There will be nothing more. */
  ended (): void
  /** There will be nothing more because of `error`. */
  failed (error: unknown): void
}

/** Where a pump sends what it pulls. */
export interface PumpTarget {
  readonly isBlocked: boolean
  /** The frame of a value; never fails, `''` is nothing to send. */
  encode (value: unknown): string | Promise<string>
  /** Whether one more frame would make the next write too large. */
  isFull (frame: string): boolean
  send (frames: string, events: number): void
  /** Writes what was sent so far. */
  flush (): void
  /** As {@link FeedTarget.whenDrained}. */
  whenDrained (): Promise<void>
  ended (): void
  failed (error: unknown): void
  /** The source failed after it was closed. */
  failedLate (error: unknown): void
}

/** What was attached. */
export interface Attachment {
  /** What a heartbeat tells the client to remember; undefined when it knows. */
  cursor (): string | undefined
  detach (): void
}

/** Marks what a stream can be fed by. */
export const kAttach = Symbol('fastify-chirp.attach')

export interface Feed {
  /** Replays what came after `lastEventId`, if that is not empty, and goes on with what comes. */
  [kAttach] (target: FeedTarget & PumpTarget, lastEventId: string): Attachment
  /** Lets go of what will not be attached, if there is anything. */
  discard? (): void
}

export function isFeed (source: unknown): source is Feed {
  return typeof source === 'object' && source !== null && hasMethod(source, kAttach)
}
