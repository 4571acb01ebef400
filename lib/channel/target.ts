// The target of a reader of a channel: a stream, or the queue of an iterator.
import type { Dialect } from '../dialects/dialect.js'
import type { Entry } from '../message/entry.js'
import type { Attachment } from '../stream/feed.js'
import type { Connection } from '../transport/connection.js'
import type { Batch } from './batch.js'

/** A connection, and the form of the frames that go to it. */
export interface Direct {
  readonly dialect: Dialect
  readonly connection: Connection
}

/** Where a reader sends its events. */
export interface ReaderTarget {
  /** Whether what was sent last still waits to be taken. */
  readonly isBlocked: boolean
  /** How many bytes of a replay it takes in one go. */
  readonly window: number
  /** Where a batch that all see may go without the target. Default: it looks at every batch. */
  readonly direct?: Direct | undefined
  /** Writes what was passed on. */
  flush (): void
  whenDrained (): Promise<void>
  /** Passes on events; `batch`, if it is given, holds the same events for all readers. */
  pass (entries: readonly Entry[], batch?: Batch): void
  /** Lets the reader remember a position without noticing. */
  tell (position: string): void
  /** Says that events between `requested` and `position` cannot be replayed. */
  gap (requested: string, position: string): void
  /** Says that all that came before has been passed on; for telemetry. Default: nothing. */
  live? (): void
  ended (): void
  failed (error: unknown): void
}

/** A reader of a channel that writes to a target. */
export interface Following extends Attachment {
  /** Whether nothing more is wanted of it, or comes. */
  readonly isDetached: boolean
  cursor (): string | undefined
}
