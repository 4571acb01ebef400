// One reader of a channel: replays missed events, then passes on new ones, with nothing lost, doubled or out of order.
import { keyOf, type Entry } from '../message/entry.js'
import type { Attachment } from '../stream/feed.js'
import type { Connection } from '../transport/connection.js'
import { isPromise } from '../util/promise.js'
import { maySee, type AudienceFilter } from './audience.js'
import type { Batch } from './batch.js'
import { sliceOf, type EntryPage } from './entries.js'
import { History } from './history.js'
import type { Direct, ReaderTarget } from './target.js'
import { nextTurn } from './turns.js'
import type { Values } from './values.js'

/** The parts of its channel that a reader needs. */
export interface ReaderHost {
  /** The newest value of each key, for a channel of values. */
  readonly latest: Values | undefined
  /** The values of now, for a reader that is about to be added. */
  snapshot (reader: Reader): readonly Entry[]
  /** The values of some keys, for a reader that has left them out. */
  missed (keys: ReadonlySet<string>): readonly Entry[]
  read (after: string, limit: number): EntryPage | Promise<EntryPage>
  last (): string | Promise<string>
  /** Reads on from the reader's position, as if it had come back. */
  restart (reader: Reader): void
  /** Passes on what was published in this tick, so that a new reader does not get it too. */
  flush (): void
  add (reader: Reader): void
  remove (reader: Reader): void
  /** It is over. */
  left (): void
}

// Events that are read in one go.
const PAGE = 100

export class Reader implements Attachment {
  /** Its place in the channel's list. Kept by the channel. */
  index = -1
  /** Takes the batches while the reader need not look at them. */
  connection: Connection | undefined
  /** The last event that it has passed on or left out. */
  position = ''
  readonly #host: ReaderHost
  readonly #target: ReaderTarget
  readonly #filter: AudienceFilter | undefined
  // The position that the client knows of.
  #told = ''
  // Events that arrived while history was still being read; undefined once it is live.
  #queue: Batch[] | undefined
  // Events were lost since it began to queue.
  #isSkipped = false
  // Undefined while it is not read.
  #history: History | undefined
  // Keys whose newest value a slow client has yet to get.
  #stale: Set<string> | undefined
  /** Whether nothing more is wanted of it, or comes. */
  isDetached = false

  constructor (host: ReaderHost, target: ReaderTarget, filter: AudienceFilter | undefined) {
    this.#host = host
    this.#target = target
    this.#filter = filter
  }

  /** Replays the events after `cursor`, none if that is empty, and goes live. */
  async start (cursor: string): Promise<void> {
    try {
      if (this.#host.latest !== undefined) await this.#startWithValues(this.#host.latest)
      else if (cursor === '') await this.#startNow()
      else await this.#replay(cursor)
    } catch (error) {
      this.fail(error)
    }
  }

  cursor (): string | undefined {
    if (this.connection !== undefined || this.position === this.#told || this.#host.latest !== undefined) return undefined
    this.#told = this.position
    return this.position
  }

  detach (): void {
    const wasHere = !this.isDetached
    this.isDetached = true
    this.#host.remove(this)
    if (wasHere) this.#host.left()
  }

  /** Where the batches after this one may go without it. */
  directAfter (batch: Batch): Direct | undefined {
    const isBehind = this.index === -1 || this.#queue !== undefined || this.#stale !== undefined || this.position !== batch.last.position
    return isBehind || batch.isRestricted ? undefined : this.#target.direct
  }

  /** The client has all up to a position, or was told of what it has not. */
  passedTo (position: string): void {
    this.position = this.#told = position
  }

  /** Events from one position to another are lost. */
  skip (from: string, to: string): void {
    if (this.#queue !== undefined) {
      // A read that is under way may end before the hole, inside of it or after it.
      this.#queue = []
      this.#isSkipped = true
    } else if (this.#host.latest !== undefined || this.position === from) {
      this.passedTo(to)
      this.#target.gap(from, to)
    } else if (this.position !== to) {
      // It has read further than the events that it was passed.
      this.#host.restart(this)
    }
  }

  /** Its target failed. */
  fail (error: unknown): void {
    if (!this.isDetached) this.#target.failed(error)
  }

  /** The channel is closed. */
  end (): void {
    this.detach()
    this.#target.ended()
  }

  /** Takes what was published in one tick. What fails, such as a filter, is the end of its own stream and of no other. */
  deliver (batch: Batch): void {
    const { latest } = this.#host
    try {
      if (this.#queue !== undefined) this.#queue.push(batch)
      else if (this.#stale !== undefined || (latest !== undefined && this.#target.isBlocked)) this.#postpone(batch)
      else if (latest === undefined && batch.entries[0]!.previous !== this.position) this.#follow(batch)
      else {
        this.position = batch.last.position
        this.#pass(batch)
      }
    } catch (error) {
      this.#target.failed(error)
    }
  }

  #pass (batch: Batch): void {
    const visible = batch.visibleTo(this.#filter)
    if (visible === undefined) return
    this.#told = visible.last.position
    this.#target.pass(visible.entries, visible)
  }

  /** Starts at the live position, and tells the client that position, so that it can come back. */
  async #startNow (): Promise<void> {
    this.#join()
    const last = this.#host.last()
    this.passedTo(typeof last === 'string' ? last : await this.#newest(last))
    if (this.isDetached) return
    this.#target.tell(this.position)
    this.#goLive()
  }

  async #replay (cursor: string): Promise<void> {
    const history = this.#history = new History(cursor, (after, limit) => this.#host.read(after, limit))
    let after = cursor
    // The newest event when it began; what is newer was published meanwhile.
    let goal: string | undefined
    let isBehind = true
    for (;;) {
      const reading = history.read(after, PAGE)
      const isAsync = isPromise(reading)
      const page: EntryPage = isAsync ? await (reading as Promise<EntryPage>) : reading as EntryPage
      if (this.isDetached) return
      // No client learns of an event for others by trying its id.
      if (page.from === undefined || !maySee(this.#filter, page.audience)) {
        let { last } = page
        if (this.#queue === undefined) {
          this.#join()
          // More may have come since it was read.
          if (isAsync) last = await this.#newest(this.#host.last())
        } else if (this.#isSkipped) {
          last = await this.#newest(this.#host.last())
        }
        if (this.isDetached) return
        this.passedTo(last)
        this.#target.gap(after, last)
        return this.#goLive()
      }
      if (after === cursor) {
        goal = page.last
        this.passedTo(page.from)
      }
      // No event can have come since a read that did not wait, until other code has its turn.
      let isNewest = !isAsync
      const isLastPage = page.entries.length < PAGE
      for (let start = 0; start < page.entries.length;) {
        const slice = sliceOf(page.entries, start, this.#target.window)
        start += slice.length
        this.position = after = slice[slice.length - 1]!.position
        this.#sendVisible(slice)
        // Else there is no sign of whether the client keeps up.
        this.#target.flush()
        if (this.#target.isBlocked) {
          // The events of that time may be more than memory should hold. They are in the log.
          this.#queue = undefined
          this.#host.remove(this)
          await this.#target.whenDrained()
        } else if (!isBehind || (isLastPage && start === page.entries.length)) {
          // A publisher as fast as this reader must not keep it from the end.
          continue
        } else {
          await nextTurn()
        }
        if (this.isDetached) return
        isNewest = false
      }
      if (page.entries.some(({ position }) => position === goal)) isBehind = false
      if (!isLastPage) continue
      const isDone = isNewest || this.#queue !== undefined
      // After a read that waited, new events are queued while the rest is read.
      if (this.#queue === undefined && (isDone || isAsync)) this.#join()
      if (this.isDetached) return
      if (!isDone) continue
      if (!this.#isSkipped) return this.#goLive()
      this.#isSkipped = false
    }
  }

  /** The channel is closed, with `last` as its newest event, and its history goes. A promise where reading the rest takes time. */
  keepRest (last: string | undefined): Promise<unknown> | undefined {
    return this.#history?.keepRest(last)
  }

  /** The position of the newest event, read since everything after it is queued. */
  async #newest (reading: string | Promise<string>): Promise<string> {
    for (;;) {
      const last = await reading
      if (!this.#isSkipped) return last
      this.#isSkipped = false
      reading = this.#host.last()
    }
  }

  #join (): void {
    this.#host.flush()
    this.#queue = []
    this.#isSkipped = false
    this.#host.add(this)
  }

  #goLive (): void {
    const queue = this.#queue!
    this.#queue = this.#history = undefined
    for (const batch of queue) this.#follow(batch)
    if (!this.isDetached) this.#target.live?.()
  }

  /** Passes on the events after the last one; those already read from history come before it. */
  #follow (batch: Batch): void {
    const { entries, last } = batch
    const next = entries.findIndex(({ previous }) => previous === this.position)
    if (next === -1 || this.isDetached) return
    this.position = last.position
    if (next === 0) this.#pass(batch)
    else this.#sendVisible(entries.slice(next))
  }

  #sendVisible (entries: readonly Entry[]): void {
    const visible = entries.filter(({ audience }) => maySee(this.#filter, audience))
    if (visible.length === 0) return
    this.#told = visible[visible.length - 1]!.position
    this.#target.pass(visible)
  }

  async #startWithValues (values: Values): Promise<void> {
    const loading = values.ready()
    if (loading !== undefined) await loading
    if (this.isDetached) return
    this.#host.flush()
    this.#sendVisible(this.#host.snapshot(this))
    // The last write may have been too much for it.
    if (this.isDetached) return
    this.#host.add(this)
    this.#target.live?.()
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
    this.#sendVisible(this.#host.missed(names))
  }
}
