// Passes the events that an engine tells of one topic to all readers in this process.
import { keyOf, type Entry } from '../message/entry.js'
import type { Location } from '../stream/feed.js'
import { isPromise, type MaybePromise } from '../util/promise.js'
import { maySee, type AudienceFilter } from './audience.js'
import { Batch } from './batch.js'
import { epochOf, isCursor, partOf } from './cursor.js'
import type { ChannelEngine, Page } from './engine.js'
import { toEntries, toEntry, type EntryPage } from './entries.js'
import { Lanes } from './lanes.js'
import { Pace, type Known } from './pace.js'
import type { Producer } from './producer.js'
import { Reader, type ReaderHost } from './reader.js'
import type { ReaderTarget } from './target.js'
import { reportDelivery, type ChannelAbout } from './telemetry.js'
import { Values } from './values.js'

/** The settings that a channel gives to its hub. */
export interface HubOptions {
  about: ChannelAbout
  latest: boolean
  /** Milliseconds that values are kept. */
  ttl?: number | undefined
  /** Milliseconds from one batch of values to the next. */
  every?: number | undefined
  /** The source that runs while there is a reader. */
  producer?: Producer | undefined
  /** The engine did not tell of values from before. */
  notLoaded (error: unknown): void
}

/** A batch that is to be passed on, and the values of it that readers have. */
type Due = [batch: Batch, known?: Known]

export class Hub implements ReaderHost {
  readonly latest: Values | undefined
  readonly #about: ChannelAbout
  readonly #topic: string
  readonly #engine: ChannelEngine
  // While it is listened to.
  #stopListening: (() => void) | undefined
  // Readers that have not left, also those that still read history.
  #followers = 0
  // Those that look at each batch, and those that need not.
  readonly #readers: Reader[] = []
  readonly #lanes = new Lanes(reader => { this.#list(reader) })
  #batch: Entry[] = []
  // What a pace lets out.
  readonly #paced: Due[] = []
  #isFlushing = false
  #endsLater = false
  // The last event that the engine told of.
  #last: string | undefined
  // Readers that still read history.
  readonly #starting = new Set<Reader>()
  readonly #pace: Pace | undefined
  readonly #producer: Producer | undefined
  #isClosed = false

  constructor (topic: string, engine: ChannelEngine, { about, latest, ttl, every, producer, notLoaded }: HubOptions) {
    this.#about = about
    this.#topic = topic
    this.#engine = engine
    this.#producer = producer
    if (latest) {
      const values = this.latest = new Values({
        ttl,
        load: engine.latest === undefined ? undefined : async () => engine.latest!(topic),
        found: entries => { for (const entry of entries) this.#pass(entry) },
        isFollowed: () => this.size > 0,
        failed: notLoaded
      })
      if (every !== undefined) this.#pace = new Pace({ every, isCurrent: entry => values.isCurrent(entry), deliver: (entries, known) => this.#deliverPaced([new Batch(entries), known]) })
    }
    // No other process knows the values.
    if (latest && engine.latest === undefined) this.#listen()
  }

  get size (): number {
    return this.#readers.length + this.#lanes.size
  }

  attach (target: ReaderTarget, lastEventId: string, filter: AudienceFilter | undefined): Reader {
    const reader = new Reader(this, target, filter)
    if (this.#isClosed) {
      reader.end()
    } else {
      this.#followers++
      if (this.#stopListening === undefined) this.#listen()
      // A reader that starts at the live position must not miss the first values of a source.
      this.#producer?.come(() => lastEventId === '' ? started : undefined)
      const started = this.#start(reader, lastEventId)
    }
    return reader
  }

  restart (reader: Reader): void {
    this.remove(reader)
    this.#start(reader, reader.position)
  }

  /** Ends every reader, after what was published. */
  close (): void {
    this.flush()
    this.#pace?.send()
    this.#isClosed = true
    this.#producer?.close()
    this.latest?.close()
    this.#stopListening?.()
    // A filter may have closed the channel, before all readers have had their batch.
    if (this.#isFlushing) this.#endsLater = true
    else this.#end()
  }

  #end (): void {
    for (const reader of this.#all()) reader.end()
    // History is not kept for readers that are still replaying: they may be slow, or never continue.
    const rests = [...this.#starting].map(reader => reader.keepRest(this.#last)).filter(isPromise)
    this.#starting.clear()
    if (rests.length === 0) this.#engine.forget?.(this.#topic)
    else Promise.all(rests).then(() => this.#engine.forget?.(this.#topic))
  }

  read (after: string, limit: number): EntryPage | Promise<EntryPage> {
    const page = this.#read(after, limit)
    return isPromise(page) ? (page as Promise<Page>).then(toEntries) : toEntries(page as Page)
  }

  /** The place of a cursor, for a reader with that filter. */
  locate (cursor: string, filter: AudienceFilter | undefined): MaybePromise<Location> {
    // The engine may have dropped the topic.
    if (this.#isClosed) return { from: undefined, last: '' }
    const page = this.#read(cursor, 0)
    return isPromise(page) ? (page as Promise<Page>).then(page => locationOf(page, filter)) : locationOf(page as Page, filter)
  }

  last (): string | Promise<string> {
    const page = this.#read('', 0)
    return isPromise(page) ? (page as Promise<Page>).then(({ last }) => last) : (page as Page).last
  }

  add (reader: Reader): void {
    // It was closed while the reader still read history.
    if (this.#isClosed) return reader.end()
    this.#list(reader)
  }

  snapshot (reader: Reader): readonly Entry[] {
    this.#pace?.joins(reader)
    return this.latest!.list()
  }

  missed (keys: ReadonlySet<string>): readonly Entry[] {
    return this.latest!.list().filter(entry => keys.has(keyOf(entry)) && this.#pace?.isWaiting(entry) !== true)
  }

  left (): void {
    this.#producer?.leave()
    if (--this.#followers > 0 || this.#isClosed || (this.latest !== undefined && this.#engine.latest === undefined)) return
    this.#stopListening!()
    this.#stopListening = this.#last = undefined
  }

  remove (reader: Reader): void {
    this.#pace?.leaves(reader)
    if (reader.connection !== undefined) this.#lanes.remove(reader)
    if (reader.index === -1) return
    this.#unlist(reader)
    if (this.size === 0) this.#pace?.stop()
  }

  flush (): void {
    // A filter or a listener of the app may come back here before all have had their batch.
    if (this.#isFlushing) return
    this.#isFlushing = true
    try {
      for (let due = this.#nextDue(); due !== undefined; due = this.#nextDue()) this.#deliver(...due)
    } finally {
      this.#isFlushing = false
      if (this.#endsLater) this.#end()
    }
  }

  #deliverPaced (due: Due): void {
    this.#paced.push(due)
    this.flush()
  }

  #nextDue (): Due | undefined {
    if (this.#batch.length === 0) return this.#paced.shift()
    const batch = new Batch(this.#batch)
    this.#batch = []
    return [batch]
  }

  /** Passes on a batch; no value twice to a reader that has it. */
  #deliver (batch: Batch, known?: Known): void {
    const outcomes = this.#lanes.pass(batch)
    // A copy, because any of them may leave or join meanwhile. Those that wait have got it.
    const readers = [...this.#readers]
    for (const { full, failed } of outcomes) {
      for (const { connection, socket } of full) connection?.block(socket)
      for (const [reader, error] of failed) reader.fail(error)
    }
    for (const reader of readers) {
      if (reader.index === -1) continue
      const seen = known?.get(reader)
      const rest = seen === undefined ? batch.entries : batch.entries.filter(entry => !seen.has(entry))
      if (rest.length > 0) reader.deliver(seen === undefined ? batch : new Batch(rest))
      const direct = reader.directAfter(batch)
      if (direct === undefined) continue
      this.#unlist(reader)
      this.#lanes.add(reader, direct)
    }
    reportDelivery(this.#about, batch.entries, this.size)
  }

  /** All readers, each of which looks at the next batch. */
  #all (): Reader[] {
    this.#lanes.clear()
    return [...this.#readers]
  }

  #list (reader: Reader): void {
    reader.index = this.#readers.push(reader) - 1
  }

  #unlist (reader: Reader): void {
    const { index } = reader
    reader.index = -1
    // A dense list is the fastest to walk; its order does not matter.
    const last = this.#readers.pop()!
    if (last === reader) return
    this.#readers[index] = last
    last.index = index
  }

  /** A topic without readers needs no listener. */
  #listen (): void {
    // Values may have changed since it was listened to last.
    this.latest?.reload()
    this.#stopListening = this.#engine.listen(this.#topic, event => this.#receive(toEntry(event), event.time), (from, to) => this.#lose(from, to))
  }

  #start (reader: Reader, cursor: string): Promise<void> {
    this.#starting.add(reader)
    return reader.start(cursor).finally(() => this.#starting.delete(reader))
  }

  #read (after: string, limit: number): MaybePromise<Page> {
    const page = this.#engine.read(this.#topic, isCursor(after) ? after : '', limit)
    return isPromise(page) ? (page as Promise<Page>).then(page => this.#orPart(page, after, limit)) : this.#orPart(page as Page, after, limit)
  }

  /** A page may have followed several channels before, and this one alone now. */
  #orPart (page: Page, after: string, limit: number): MaybePromise<Page> {
    const part = page.from === undefined ? partOf(after, epochOf(page.last)) : undefined
    return part === undefined ? page : this.#engine.read(this.#topic, part, limit)
  }

  /** The engine has lost events: readers that have not read them from history get a gap. */
  #skip (from: string, to: string): void {
    this.flush()
    if (this.latest?.reload() === true) return
    for (const reader of this.#all()) reader.skip(from, to)
  }

  #lose (from: string, to: string): void {
    this.#skip(this.#last ?? from, to)
    this.#last = to
  }

  #receive (entry: Entry, time: number | undefined): void {
    if (this.#last !== undefined && entry.previous !== this.#last) this.#skip(this.#last, entry.previous)
    this.#last = entry.position
    if (this.latest === undefined || this.latest.take(entry, time)) this.#pass(entry)
  }

  #pass (entry: Entry): void {
    if (this.#pace !== undefined) {
      if (this.size > 0) this.#pace.add(entry)
    } else if (this.#batch.push(entry) === 1) {
      process.nextTick(flush, this)
    }
  }
}

function locationOf ({ from, last, audience }: Page, filter: AudienceFilter | undefined): Location {
  return { from: maySee(filter, audience) ? from : undefined, last }
}

function flush (hub: Hub): void {
  hub.flush()
}
