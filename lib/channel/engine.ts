// Where a channel's events live. The in-memory engine is for one process; an
// engine over Redis fits the same four verbs, and test/helpers/engine.js holds
// what each of them must do.
import type { EventRecord } from '../dialects/record.js'
import type { Entry } from '../message/entry.js'
import type { MaybePromise } from '../util/promise.js'

/** Events of a topic that came after a cursor. */
export interface Page {
  /** The position that the cursor stands for; undefined when it is unknown, or history no longer reaches back to it. */
  from: string | undefined
  /** At most as many events as asked for, oldest first, none left out; empty when the cursor is unknown. */
  entries: Entry[]
  /** The position of the newest event, or of the start of a topic that has none yet. */
  last: string
  /** Where the cursor is an id that an event brought, whom that event is for: to all others the cursor is unknown. */
  audience?: unknown
}

/** What is published. */
export interface Publication {
  record: EventRecord
  /** Whom it is for; undefined is everyone. Plain data, so that it can travel. */
  audience: unknown
  /** How many events of this topic are kept for replay. */
  history: number
  /** Its values replace each other, and nobody replays them: ids that events bring may come again. */
  latest?: boolean
}

/** Keeps and passes on the events of topics, in one order for all. */
export interface Engine {
  /**
   * Names the topic of a channel that is made now, so that one that was closed
   * and a new one of its name share nothing. Without it the name is the topic.
   */
  open? (channel: string): string
  /**
   * Adds an event to a topic, and resolves to it once it is kept.
   *
   * @throws FST_CHIRP_ID for an id that an event of the history has, or that
   *   reads like a position of the topic. Nothing is added then.
   */
  publish (topic: string, publication: Publication): MaybePromise<Entry>
  /** Reads what came after a cursor: a position, or an id that an event brought. */
  read (topic: string, after: string, limit: number): MaybePromise<Page>
  /** Calls `listener` for each event from now on, in order, each once; gives a function that stops it. */
  listen (topic: string, listener: (entry: Entry) => void): () => void
  /** Lets go of a topic that was closed. */
  forget? (topic: string): void
  /** Lets go of everything. */
  close (): MaybePromise<void>
}
