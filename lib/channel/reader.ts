// One reader of a channel: replays what it missed, then passes on what comes,
// with nothing lost, doubled or out of order in between.
import { FST_CHIRP_OPTION } from '../errors.js'
import type { Attachment } from '../stream/feed.js'
import { isPromise } from '../stream/source.js'
import type { Batch } from './batch.js'
import type { Page } from './engine.js'
import type { Entry } from './entry.js'

/** Whether an event that was published for an audience may be seen. */
export type AudienceFilter = (audience: unknown) => boolean

/** What a reader needs of its channel. */
export interface ReaderHost {
  /** The newest value of each key, for a channel of values. */
  readonly latest: ReadonlyMap<string, Entry> | undefined
  read (after: string, limit: number): Page | Promise<Page>
  last (): string | Promise<string>
  /** Passes on what was published in this tick, so that a reader who comes now does not get it too. */
  flush (): void
  add (reader: Reader): void
  remove (reader: Reader): void
}

/** Where a reader sends its events. */
export interface ReaderTarget {
  /** Whether what was sent last still waits to be taken. */
  readonly isBlocked: boolean
  /** Writes what was passed on. */
  flush (): void
  whenDrained (): Promise<void>
  /** Passes on events; `batch`, if it is given, holds the same events for all readers. */
  pass (entries: readonly Entry[], batch?: Batch): void
  /** Lets the reader remember a position without noticing. */
  tell (position: string): void
  /** The reader goes on after `position`, for which the client has a cursor already. */
  resume (position: string): void
  /** Says that events between `requested` and `position` cannot be replayed. */
  gap (requested: string, position: string): void
  ended (): void
  failed (error: unknown): void
}

// Events that are replayed in one go.
const PAGE = 100

export class Reader implements Attachment {
  /** Its place in the channel's list. Kept by the channel. */
  index = -1
  /** The last event that it has passed on or left out. */
  position = ''
  readonly #host: ReaderHost
  readonly #target: ReaderTarget
  readonly #filter: AudienceFilter | undefined
  // The position that the client knows of.
  #told = ''
  // What came while history was still being read; undefined once it is live.
  #queue: Batch[] | undefined
  // Keys whose newest value a slow client has yet to get.
  #stale: Set<string> | undefined
  /** Whether nothing more is wanted of it, or comes. */
  isDetached = false

  constructor (host: ReaderHost, target: ReaderTarget, filter: AudienceFilter | undefined) {
    this.#host = host
    this.#target = target
    this.#filter = filter
  }

  /** Replays what came after `cursor`, none if that is empty, and goes live. */
  async start (cursor: string): Promise<void> {
    try {
      if (this.#host.latest !== undefined) this.#sendSnapshot(this.#host.latest)
      else if (cursor === '') await this.#startNow()
      else await this.#replay(cursor)
    } catch (error) {
      if (!this.isDetached) this.#target.failed(error)
    }
  }

  cursor (): string | undefined {
    if (this.position === this.#told || this.#host.latest !== undefined) return undefined
    this.#told = this.position
    return this.position
  }

  detach (): void {
    this.isDetached = true
    this.#host.remove(this)
  }

  /** Events from one position to another are lost. */
  skip (from: string, to: string): void {
    if (this.#queue !== undefined || this.position !== from) return
    this.#resumeAt(to)
    this.#target.gap(from, to)
  }

  /** The channel is closed. */
  end (): void {
    this.detach()
    this.#target.ended()
  }

  /** Takes what was published in one tick. What fails, such as a filter, is the end of its own stream and of no other. */
  deliver (batch: Batch): void {
    try {
      this.#take(batch)
    } catch (error) {
      this.#target.failed(error)
    }
  }

  #take (batch: Batch): void {
    if (this.#queue !== undefined) {
      this.#queue.push(batch)
      return
    }
    if (this.#stale !== undefined || (this.#host.latest !== undefined && this.#target.isBlocked)) return this.#postpone(batch)
    if (this.#host.latest === undefined && batch.entries[0]!.previous !== this.position) return this.#follow(batch)
    this.position = batch.last.position
    if (batch.isRestricted) return this.#sendVisible(batch.entries)
    this.#told = this.position
    this.#target.pass(batch.entries, batch)
  }

  /** Starts with what comes, and tells the client where that is, so that it can come back. */
  async #startNow (): Promise<void> {
    this.#join()
    const last = this.#host.last()
    this.#resumeAt(typeof last === 'string' ? last : await last)
    if (this.isDetached) return
    this.#target.tell(this.position)
    this.#goLive()
  }

  async #replay (cursor: string): Promise<void> {
    let after = cursor
    let hasJoined = false
    for (;;) {
      const reading = this.#host.read(after, PAGE)
      const isAsync = isPromise(reading)
      const page = isAsync ? await reading as Page : reading as Page
      if (this.isDetached) return
      if (page.from === undefined) {
        let { last } = page
        if (!hasJoined) {
          this.#join()
          // More may have come since it was read.
          if (isAsync) last = await this.#host.last()
          if (this.isDetached) return
        }
        this.#resumeAt(last)
        this.#target.gap(after, last)
        return this.#goLive()
      }
      if (after === cursor) {
        this.#resumeAt(page.from)
        this.#target.resume(page.from)
      }
      if (page.entries.length > 0) {
        this.position = after = page.entries[page.entries.length - 1]!.position
        this.#sendVisible(page.entries)
        // Else nobody could tell whether the client keeps up.
        this.#target.flush()
        if (this.#target.isBlocked) {
          await this.#target.whenDrained()
          if (this.isDetached) return
          continue
        }
      }
      if (page.entries.length < PAGE) {
        // Nothing can have come since a read that did not wait; after one that
        // did, what comes from now on is kept while the rest is read.
        const isDone = !isAsync || hasJoined
        if (!hasJoined) this.#join()
        hasJoined = true
        if (isDone) return this.#goLive()
      }
    }
  }

  #join (): void {
    this.#host.flush()
    this.#queue = []
    this.#host.add(this)
  }

  #goLive (): void {
    const queue = this.#queue!
    this.#queue = undefined
    for (const batch of queue) this.#follow(batch)
  }

  /** Passes on what comes after the last event; what was read from history already comes before that. */
  #follow ({ entries, last }: Batch): void {
    const next = entries.findIndex(({ previous }) => previous === this.position)
    if (next === -1 || this.isDetached) return
    this.position = last.position
    this.#sendVisible(entries.slice(next))
  }

  #resumeAt (position: string): void {
    this.position = this.#told = position
  }

  #sendVisible (entries: readonly Entry[]): void {
    const visible = entries.filter(entry => this.#isVisible(entry))
    if (visible.length === 0) return
    this.#told = visible[visible.length - 1]!.position
    this.#target.pass(visible)
  }

  #isVisible ({ audience }: Entry): boolean {
    if (audience === undefined) return true
    const answer: unknown = this.#filter?.(audience)
    if (!isPromise(answer)) return answer === true
    // Nobody will wait for it, and it may fail.
    answer.then(undefined, () => {})
    throw new FST_CHIRP_OPTION('option "filter" of channel.subscribe() must answer at once, not with a promise. Look up before what it needs to know')
  }

  #sendSnapshot (latest: ReadonlyMap<string, Entry>): void {
    this.#host.flush()
    this.#sendVisible([...latest.values()])
    this.#host.add(this)
  }

  /** Remembers which values a slow client has to get, instead of the values. */
  #postpone (batch: Batch): void {
    const isWaiting = this.#stale !== undefined
    this.#stale ??= new Set()
    for (const entry of batch.entries) this.#stale.add(keyOf(entry))
    if (!isWaiting) this.#catchUp().catch(error => this.#target.failed(error))
  }

  async #catchUp (): Promise<void> {
    await this.#target.whenDrained()
    const names = this.#stale!
    this.#stale = undefined
    if (this.isDetached) return
    const latest = this.#host.latest!
    this.#sendVisible([...latest.values()].filter(entry => names.has(keyOf(entry))))
  }
}

/** Values with the same key replace each other: those of one name for one audience. */
export function keyOf ({ record: { key, target, event }, audience }: Entry): string {
  const name = key ?? target ?? event ?? ''
  return audience === undefined ? name : `${name}\r${JSON.stringify(audience)}`
}
