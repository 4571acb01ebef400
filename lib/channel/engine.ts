// Where the events of channels live. An engine keeps and gives plain data, so
// anything outside of this package can be one: docs/internals/engines.md says how, and
// fastify-chirp/testing/engine proves that it does what channels need.
import type { EventRecord } from '../dialects/record.js'
import type { MaybePromise } from '../util/promise.js'

/** One event as an engine keeps it and gives it: plain data, which JSON gives back as it is. */
export interface StoredEvent {
  /** Its place in the topic, `<epoch>-<sequence>`: unique, and a cursor that says nothing about its content. */
  readonly position: string
  /** The position of the event before it, or of the start of the topic. */
  readonly previous: string
  /** The content, as it was published, with fields that the engine does not know. */
  readonly record: EventRecord
  /** The audience that it was published with; undefined is everyone. */
  readonly audience?: unknown
  /**
   * When it was published, in milliseconds since 1970, by one clock for all events of the topic, so that it never
   * decreases. Needed where {@link Publication.ttl} was given.
   */
  readonly time?: number | undefined
}

/** Events of a topic after a cursor. */
export interface Page {
  /** The position that the cursor stands for; undefined when it is unknown, or history no longer reaches back to it. */
  from: string | undefined
  /** At most as many events as asked for, oldest first, none left out; empty when the cursor is unknown. */
  entries: StoredEvent[]
  /** The position of the newest event, or of the start of a topic that has none yet. */
  last: string
  /** Where the cursor is an id that an event brought, the audience of that event: to all other readers the cursor is unknown. */
  audience?: unknown
}

/** A publication. */
export interface Publication {
  /** The content. The engine keeps it whole, and reads `id` alone. One that takes a value out of a `latest` topic has `removes`. */
  record: EventRecord
  /** Its audience; undefined is everyone. Plain data, so that it can travel. */
  audience: unknown
  /** Number of events of this topic that are kept for replay. */
  history: number
  /** The values replace each other and are never replayed, so an event may bring an id a second time. */
  latest?: boolean | undefined
  /**
   * Milliseconds after which an event of this topic is forgotten, as if it had left the history. `history` and `ttl`
   * of the newest publication hold for the whole topic. Undefined is no limit.
   */
  ttl?: number | undefined
  /** The key in a `latest` topic: the event replaces the value with the same key. */
  key?: string | undefined
  /** From now on a `latest` topic has no value of this key. Listeners get the event as any other. */
  removes?: true | undefined
}

/** A value of a topic that lasts no longer than the process that holds it: a member of a channel, a job. */
export interface Holding {
  /** Names the process, in letters, digits and `-`. */
  owner: string
  /** It replaces the value that this owner holds with the same key. */
  key: string
  /** The value, as an event. */
  record: EventRecord
  /** From now on the owner has no value of this key. */
  removes?: true | undefined
}

/** The result of {@link Engine.beat}. */
export interface Beat {
  /** The owners of the topic that were not heard of for so long. */
  silent: string[]
  /** Whether the topic has values of the owner that was named. */
  isKnown: boolean
}

/** Reports of an engine on its own state, which also reach an app that publishes nothing. */
export interface EngineStatus {
  /** It is out of reach. Logged once, until it works again. */
  failed (error: unknown): void
  /** It works again. */
  works (): void
}

/** Keeps the events of topics and passes them on, in one order for all readers. */
export interface Engine {
  /** Whether it can be reached: what `app.eventStreams.ready` says. Without it, it always can. */
  readonly ready?: boolean | undefined
  /**
   * Names the topic of a channel that is made now, so that a closed channel and a
   * new one of its name share nothing. Without it the name is the topic.
   */
  open? (channel: string): string
  /**
   * Adds an event to a topic, and gives it once it is kept.
   *
   * @throws an error with the code FST_CHIRP_ID for an id that an event of the
   *   history has, or that reads like a position of the topic. Nothing is added then.
   */
  publish (topic: string, publication: Publication): MaybePromise<StoredEvent>
  /** Reads at most `limit` events after a cursor: a position, or an id that an event brought. */
  read (topic: string, after: string, limit: number): MaybePromise<Page>
  /**
   * Calls `listener` for each event from now on, in order, each once; gives a
   * function that stops it. Where it gives a promise, "now" is when that resolves.
   * `lost` reports a loss of the events between two positions, where no later event shows it by its `previous` one.
   */
  listen (topic: string, listener: (event: StoredEvent) => void, lost?: (from: string, to: string) => void): MaybePromise<() => void>
  /**
   * The newest value of each key of a `latest` topic, oldest first, without what was removed or is older than
   * `ttl`: for a process that starts later. When it answers, listeners of this process have heard each event that it
   * takes into account, if they listened when that event was published.
   */
  latest? (topic: string): MaybePromise<StoredEvent[]>
  /**
   * Adds an event to a topic without history, as {@link publish} does, and keeps it as the value of its owner and key.
   * `latest()` gives it with the others. The owner is heard of by that.
   */
  hold? (topic: string, holding: Holding): MaybePromise<StoredEvent>
  /**
   * An owner is alive; without one only the answer is wanted. Gives the owners of the topic that were not heard of for
   * `silence` ms by the engine's own clock. After a time without a beat of any owner, all count as heard of now: the engine was
   * away itself.
   */
  beat? (topic: string, silence: number, owner?: string): MaybePromise<Beat>
  /**
   * Takes out all values of an owner that is still silent, and adds one event that says so. Undefined when it is not, or
   * has none. Of several processes that do it one alone adds the event.
   */
  evict? (topic: string, silence: number, owner: string, record: EventRecord): MaybePromise<StoredEvent | undefined>
  /** The app starts. What it throws or rejects with is the failure of `app.ready()`. */
  start? (status: EngineStatus): MaybePromise<void>
  /** This process has closed the channel of the topic. */
  forget? (topic: string): MaybePromise<void>
  /** The app has closed. */
  close (): MaybePromise<void>
}

/** The methods that an engine with `hold()` has besides. */
export type Holdings = Required<Pick<Engine, 'hold' | 'beat' | 'evict' | 'latest'>>

/** An engine as channels use it: its promises are native ones, and listening begins at once. */
export interface ChannelEngine extends Omit<Engine, 'start' | 'hold' | 'beat' | 'evict'> {
  /** For what does not outlive its process; undefined where the engine has no such thing, or is of one process. */
  readonly holdings?: Holdings | undefined
  open (channel: string, hasViewers?: boolean): string
  listen (topic: string, listener: (event: StoredEvent) => void, lost?: (from: string, to: string) => void): () => void
  start? (): Promise<void>
}
