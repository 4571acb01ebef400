// The newest value of each key of a channel with `latest`: the values that this process
// has heard of, and those that the engine keeps from before.
import { keyOf, type Entry } from '../message/entry.js'
import { OWN_EVENTS } from '../sse/own.js'
import { Backoff } from './backoff.js'
import type { StoredEvent } from './engine.js'
import { toEntry } from './entries.js'
import { Forgetting } from './forgetting.js'

/** The parts of their channel that values need. */
export interface ValuesHost {
  /** Milliseconds that a value is kept; undefined is no limit. */
  ttl?: number | undefined
  /** Asks the engine for what it knows, if it can be asked. */
  load?: (() => Promise<StoredEvent[]>) | undefined
  /** Passes on values that are new to all readers. */
  found (entries: readonly Entry[]): void
  isFollowed (): boolean
  failed (error: unknown): void
}

export class Values {
  readonly #host: ValuesHost
  // In the order of the events.
  readonly #entries = new Map<string, Entry>()
  // When they were published; only where they grow old.
  readonly #times = new Map<string, number>()
  readonly #forgetting: Forgetting | undefined
  #newest = 0
  // Keys that were heard of since the engine has to be asked: that is newer than what it says. Undefined once it was asked.
  #heard: Set<string> | undefined
  #loading: Promise<void> | undefined
  #retry: NodeJS.Timeout | undefined
  readonly #backoff = new Backoff()

  constructor (host: ValuesHost) {
    this.#host = host
    if (host.ttl !== undefined) this.#forgetting = new Forgetting(() => this.#forgetOld())
    if (host.load !== undefined) this.#heard = new Set()
  }

  /** Notes an event, published at `time` if that is known; false when it only removes a value and is not sent. */
  take (entry: Entry, time: number | undefined): boolean {
    // A gap is for the readers of now.
    if (entry.record.event === OWN_EVENTS.gap) return true
    const key = keyOf(entry)
    this.#heard?.add(key)
    // Put last again, so that a snapshot is in the order of the events.
    this.#delete(key)
    if (entry.record.removes === true) return false
    this.#set(key, entry, time)
    return true
  }

  /** Whether it is the value of its key, or a gap, which has none. */
  isCurrent (entry: Entry): boolean {
    return entry.record.event === OWN_EVENTS.gap || this.#entries.get(keyOf(entry)) === entry
  }

  /** The values of now, oldest first. */
  list (): Entry[] {
    if (this.#forgetting !== undefined) this.#forgetOld()
    return [...this.#entries.values()]
  }

  /** A promise that lasts until a snapshot is whole; never rejects. */
  ready (): Promise<void> | undefined {
    if (this.#heard === undefined) return undefined
    this.#loading ??= this.#load(this.#heard)
    return this.#loading
  }

  /** Events were lost; true when the engine can tell what they have changed. */
  reload (): boolean {
    if (this.#host.load === undefined) return false
    this.#heard = new Set()
    this.#loading = undefined
    if (this.#host.isFollowed()) this.ready()
    return true
  }

  close (): void {
    this.#heard = undefined
    this.#forgetting?.stop()
    clearTimeout(this.#retry)
  }

  async #load (heard: Set<string>): Promise<void> {
    clearTimeout(this.#retry)
    try {
      const events = await this.#host.load!()
      // More was lost meanwhile, or the channel is closed.
      if (this.#heard !== heard) return this.ready()
      this.#heard = this.#loading = undefined
      this.#backoff.reset()
      const found = this.#merge(events, heard)
      if (found.length > 0) this.#host.found(found)
    } catch (error) {
      if (this.#heard !== heard) return this.ready()
      this.#loading = undefined
      this.#host.failed(error)
      this.#retry = setTimeout(() => { if (this.#host.isFollowed()) this.ready() }, this.#backoff.next()).unref()
    }
  }

  /** Takes over the values of the engine, and returns those that are new. */
  #merge (events: readonly StoredEvent[], heard: ReadonlySet<string>): Entry[] {
    const before = [...this.#entries].map(([key, entry]) => ({ key, entry, time: this.#times.get(key) }))
    const known = new Map(this.#entries)
    this.#entries.clear()
    this.#times.clear()
    this.#newest = 0
    const found: Entry[] = []
    for (const event of events) {
      const entry = toEntry(event)
      const key = keyOf(entry)
      if (heard.has(key)) continue
      if (known.get(key)?.position !== entry.position) found.push(entry)
      this.#set(key, entry, event.time)
    }
    for (const { key, entry, time } of before) if (heard.has(key)) this.#set(key, entry, time)
    return found
  }

  #set (key: string, entry: Entry, time: number | undefined): void {
    this.#entries.set(key, entry)
    if (this.#forgetting === undefined) return
    // Never before the one before it, so that what is old comes first.
    this.#newest = Math.max(this.#newest, time ?? Date.now())
    this.#times.set(key, this.#newest)
    this.#forgetting.after(this.#host.ttl!)
  }

  #delete (key: string): void {
    this.#entries.delete(key)
    if (this.#forgetting !== undefined) this.#times.delete(key)
  }

  #forgetOld (): number | undefined {
    const end = Date.now() - this.#host.ttl!
    for (const [key, time] of this.#times) {
      if (time > end) return time - end
      this.#delete(key)
    }
    return undefined
  }
}
