// Several sources in one stream. The stream has one cursor, which holds a
// position of every feed that can find one.
import { FST_CHIRP_LIVE, FST_CHIRP_SOURCE } from '../errors.js'
import { Entry } from '../message/entry.js'
import { Fragment } from '../message/fragment.js'
import { Fragments } from '../message/fragments.js'
import type { PageSignals } from '../render/renderer.js'
import { SSEEvent } from '../sse/event.js'
import { attachFeed, detachFeed, discardFeed, isFeed, kAttach, type Attachment, type Feed, type Ids, type LocatableFeed, type Outlet } from '../stream/feed.js'
import { toFeed } from '../stream/pulled.js'
import { Relay } from '../stream/relay.js'
import type { StreamSource } from '../stream/types.js'
import { isOf } from '../util/kind.js'
import { isPromise } from '../util/promise.js'
import { composeCursor } from './cursor.js'
import { cursorOf, cursorOfAll, findPlaces, goOnFrom, type Place } from './place.js'
import { StreamSink } from './sink.js'
import { TickOutlet } from './tick.js'

// Each event brings the places of all, and servers refuse ids of more than a kilobyte.
const MAX_CHANNELS = 50

/**
 * Joins several sources in one: each value is sent as soon as it is there. It ends
 * when all have ended, and fails when one fails. Ids of events from other sources than
 * channels are left out, because a client remembers only one. A merge of
 * merges is the merge of all their sources.
 *
 * @throws FST_CHIRP_SOURCE when an argument is not a source, or there are too many channels.
 */
export function merge (...sources: Array<Feed | StreamSource>): Merged {
  return new Merged(sources)
}

/** The sources of an inner merge, which an outer one takes instead of it, so that all have one cursor. */
const kParts = Symbol.for('fastify-chirp.parts')

/** Several sources as one, made by {@link merge}. */
export class Merged implements Feed {
  /** @internal */
  readonly [kParts]: readonly Feed[]

  /** Made by {@link merge}. @internal */
  constructor (sources: Array<Feed | StreamSource>) {
    if (sources.length === 0) throw new FST_CHIRP_SOURCE('nothing: merge() was called without a source')
    const { length } = sources.flatMap<unknown>(source => partsOf(source) ?? [source]).filter(isLocatable)
    if (length > MAX_CHANNELS) {
      throw new FST_CHIRP_SOURCE(`${length} channels in one stream: merge() takes ${MAX_CHANNELS}, because each id holds a position of each`)
    }
    this[kParts] = sources.flatMap(source => partsOf(source) ?? [toFeed(source)])
  }

  /** Of the first of them that has signals. @internal */
  get signals (): PageSignals | undefined {
    return this[kParts].find(({ signals }) => signals !== undefined)?.signals
  }

  /** Releases what was never streamed. @internal */
  discard (): void {
    for (const part of this[kParts]) discardFeed(part, () => {})
  }

  /**
   * The position of all of them: one cursor for the stream, with the position of each that has a place in its ids.
   *
   * @throws FST_CHIRP_LIVE (as a rejection) when none of them has a position.
   */
  async cursor (): Promise<string> {
    return await cursorOfAll(this.#located())
  }

  /** Where a page of all of them goes on: each job from its first event. @internal */
  async pagePosition (): Promise<string> {
    return await cursorOfAll(this.#located(), part => part.pagePosition?.() ?? cursorOf(part))
  }

  /**
   * The id of an event of one of them as a cursor of all: the others go on from where they were at `before`. The id
   * itself where none of them knows it. @internal
   */
  async cursorFrom (id: string, before: string): Promise<string> {
    return await goOnFrom(this[kParts].filter(isLocatable), id, before)
  }

  #located (): LocatableFeed[] {
    const located = this[kParts].filter(isLocatable)
    if (located.length === 0) throw new FST_CHIRP_LIVE('nothing in this merge() has a position. Merge it with a channel')
    return located
  }

  [kAttach] (outlet: Outlet, lastEventId: string): Attachment {
    const located = this[kParts].filter(isLocatable)
    const others = this[kParts].filter(part => !isLocatable(part))
    // One feed sends once in a tick by itself.
    const merged = new MergedAttachment(located.length > 1 ? new TickOutlet(outlet) : outlet, this[kParts].length, this.signals !== undefined)
    if (located.length > 0) merged.locate(located, lastEventId)
    for (const part of others) merged.attach(part, located.length > 0 ? undefined : lastEventId)
    return merged
  }
}

function partsOf (source: Feed | StreamSource): readonly Feed[] | undefined {
  return isFeed(source) ? (source as Feed & { [kParts]?: readonly Feed[] })[kParts] : undefined
}

function isLocatable (part: unknown): part is LocatableFeed {
  return isFeed(part) && typeof part.locate === 'function'
}

class MergedAttachment implements Attachment {
  readonly #outlet: Outlet
  readonly #located: Array<{ n: number, part: Attachment }> = []
  readonly #others: Attachment[] = []
  // Of those that have signals; undefined where none of the feeds has.
  readonly #renewing: Attachment[] | undefined
  // Where each feed is; empty for what is not known, or has no place in an id.
  #positions: string[] = []
  // Feeds that start at the live position, and have not told it yet.
  #untold = 0
  #left: number
  // Located feeds that still send what was before.
  #starting = 0
  #isDetached = false

  constructor (outlet: Outlet, parts: number, hasSignals: boolean) {
    this.#outlet = outlet
    this.#left = parts
    this.#renewing = hasSignals ? [] : undefined
  }

  /** Attaches feeds that have a place in the ids. */
  locate (feeds: readonly LocatableFeed[], lastEventId: string): void {
    try {
      const places = findPlaces(feeds, lastEventId)
      if (!isPromise(places)) return this.#start(feeds, places as Place[])
      ;(places as Promise<Place[]>).then(places => { this.#start(feeds, places) }).catch(error => this.#fail(error))
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Attaches a feed that has none; `lastEventId` is undefined where others have one. */
  attach (feed: Feed, lastEventId: string | undefined): void {
    const dropsIds = lastEventId === undefined
    const ids = dropsIds ? this.#ids(-1, false, false) : this.#outlet.ids
    this.#others.push(attachFeed(feed, this.#part(ids, dropsIds), lastEventId ?? ''))
  }

  cursor (): string | undefined {
    let isNews = false
    for (const { n, part } of this.#located) {
      const position = part.cursor?.()
      if (position === undefined) continue
      isNews = true
      this.#positions[n] = position
    }
    return isNews ? composeCursor(this.#positions) : undefined
  }

  detach (): void {
    this.#isDetached = true
    for (const { part } of this.#located) detachFeed(part, this.#outlet)
    for (const part of this.#others) detachFeed(part, this.#outlet)
  }

  /**
   * Gaps are told first, and feeds without a cursor start before anything
   * is replayed: an id that holds the place of a feed says that the client
   * knows what was before it.
   */
  #start (feeds: readonly LocatableFeed[], places: readonly Place[]): void {
    if (this.#isDetached) return
    this.#positions = places.map(({ position }) => position)
    this.#starting = places.length
    const starts = places.map((place, n) => {
      const isFresh = place.isNoted && place.after === ''
      if (isFresh) this.#untold++
      const outlet = this.#part(this.#ids(n, place.isNoted, isFresh), false, this.#partLive)
      if (place.lost !== undefined) new StreamSink(outlet).gap(place.lost, place.position)
      return { n, outlet, after: place.after, isFresh }
    })
    for (const { n, outlet, after } of [...starts.filter(({ isFresh }) => isFresh), ...starts.filter(({ isFresh }) => !isFresh)]) {
      // One that fails at once takes the others with it.
      if (this.#isDetached) return
      const part = attachFeed(feeds[n]!, outlet, after)
      this.#located.push({ n, part })
      if (part.renew !== undefined) this.#renewing?.push(part)
    }
  }

  #part (ids: Ids | undefined, dropsIds: boolean, live?: () => void): PartOutlet {
    const renewing = this.#renewing
    // Those that follow are attached with the newest values.
    const shown = renewing && ((sent: Parameters<Required<Outlet>['noteShown']>[0]) => { for (const part of renewing) part.renew!(sent) })
    return new PartOutlet(this.#outlet, ids, dropsIds, { ended: this.#partEnded, live, shown })
  }

  #fail (error: unknown): void {
    if (!this.#isDetached) this.#outlet.failed(error)
  }

  // The end of one part is not the end of all.
  readonly #partEnded = (): void => {
    if (--this.#left === 0) this.#outlet.ended()
  }

  readonly #partLive = (): void => {
    if (--this.#starting === 0) this.#outlet.noteLive?.()
  }

  #ids (n: number, isNoted: boolean, isFresh: boolean): Ids {
    // Inside of a feed of the app around the merge: that feed decides on the ids.
    if (this.#outlet.ids !== undefined) return this.#outlet.ids
    // Asked for each time: the places may be found later.
    const note = (position: string): void => { if (isNoted) this.#positions[n] = position }
    return {
      // Its own place is marked, because the order counts.
      key: () => this.#positions.map((position, m) => m === n ? '*' : position).join(),
      of: position => composeCursor(this.#positions.map((other, m) => m === n && isNoted ? position : other)) || undefined,
      note,
      noteStart: position => {
        note(position)
        return isFresh && --this.#untold === 0
      }
    }
  }
}

/** The outlet for one part. */
class PartOutlet extends Relay {
  readonly #ids: Ids | undefined
  readonly #dropsIds: boolean
  readonly #ended: () => void
  readonly #live: (() => void) | undefined
  readonly noteShown: Outlet['noteShown']

  constructor (
    outlet: Outlet, ids: Ids | undefined, dropsIds: boolean,
    { ended, live, shown }: { ended: () => void, live: (() => void) | undefined, shown: Outlet['noteShown'] }
  ) {
    super(outlet)
    this.#ids = ids
    this.#dropsIds = dropsIds
    this.#ended = ended
    this.#live = live
    this.noteShown = shown
  }

  override get ids (): Ids | undefined {
    return this.#ids
  }

  override encode (value: unknown): string | Promise<string> {
    return this.#dropsIds ? encodeWithoutId(this.outlet, value) : super.encode(value)
  }

  override ended (): void {
    this.#ended()
  }

  override noteLive (): void {
    this.#live?.()
  }
}

// A client remembers one id, and that is the cursor.
function encodeWithoutId (outlet: Outlet, value: unknown): string | Promise<string> {
  if (isOf(value, Fragment) && value.id !== undefined) {
    const { template, block, context, target: place, retry, swap } = value
    return outlet.encode(new Fragment(template, block, context, { target: place, retry, swap }))
  }
  if (isOf(value, Fragments) && value.id !== undefined) return outlet.encode(new Fragments(value.fragments, { retry: value.retry }))
  if (isOf(value, Entry)) return outlet.dialect.encode({ ...value.record, id: undefined })
  if (isOf(value, SSEEvent) && value.id !== undefined) {
    const { data, event, retry } = value
    return data === undefined && event === undefined && retry === undefined ? '' : outlet.encode(new SSEEvent({ data, event, retry }))
  }
  return outlet.encode(value)
}
