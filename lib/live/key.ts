// One key of a live view in this process: listens to changes of all processes,
// and passes them on to its streams.
import type { ChannelEngine, Page, StoredEvent } from '../channel/engine.js'
import { epochOf, isCursor, partOf } from '../channel/cursor.js'
import type { Location } from '../stream/feed.js'
import { isPromise, whenDone, type MaybePromise } from '../util/promise.js'
import { Changed, fromRecord, type Change } from './change.js'
import type { Follower, Since } from './follower.js'
import { Group, type GroupHost } from './group.js'

/** The parts of its view that a key needs. */
export interface KeyHost {
  readonly engine: ChannelEngine
  /** Names this process in what it publishes. */
  readonly id: string
  /** The other parts that a group needs. */
  group (key: LiveKey): Omit<GroupHost, 'position' | 'emptied'>
  /** There are so many different viewers. */
  viewers (count: number): void
  /** It has a stream. */
  joined (key: LiveKey): void
  /** Its last stream has closed. */
  emptied (key: LiveKey): void
  /** Changes do not reach it. */
  failed (key: LiveKey): void
  report (error: unknown, message: string): void
}

/** Number of changes that are kept for clients that come back. */
export const HISTORY = 1000

export class LiveKey {
  readonly name: string
  readonly topic: string
  /** Number of rechecks of the rights of readers. */
  rechecks = 0
  /** Resolves when changes reach it; undefined when they do. Rejected when they cannot. */
  ready: Promise<void> | undefined
  readonly #host: KeyHost
  readonly #groups = new Map<string | undefined, Group>()
  readonly #stopListening: () => void
  #position: string | undefined

  constructor (name: string, topic: string, host: KeyHost) {
    this.name = name
    this.topic = topic
    this.#host = host
    this.#stopListening = host.engine.listen(topic, event => { this.#receive(event) })
    const first = host.engine.read(topic, '', 0)
    if (isPromise(first)) this.ready = this.#begin(first as Promise<Page>)
    else this.#position = (first as Page).last
    // Its waiters get the error too.
    this.ready?.catch(error => {
      host.failed(this)
      this.#end(follower => { follower.failed(error) })
    })
  }

  get isFollowed (): boolean {
    return this.#groups.size > 0
  }

  /** Adds a follower to the group of its viewer. */
  join (follower: Follower, viewer: string | undefined): void {
    let group = this.#groups.get(viewer)
    if (group === undefined) {
      group = new Group(viewer, {
        ...this.#host.group(this),
        position: () => this.#position!,
        emptied: group => { this.#emptied(group) }
      })
      this.#groups.set(viewer, group)
      this.#host.viewers(this.#groups.size)
    }
    this.#host.joined(this)
    group.join(follower)
    follower.joined(group, viewer)
  }

  /** The changes after a cursor. */
  since (cursor: string): MaybePromise<Since> {
    return whenDone(this.#read(cursor, HISTORY), ({ from, entries, last }) => {
      const changed = new Changed()
      const isWhole = from !== undefined && (entries.at(-1)?.position ?? from) === last
      changed.add(isWhole ? [] : undefined)
      for (const { record } of entries) changed.addAll(changedBy(fromRecord(record)))
      return { from, last, changed }
    })
  }

  locate (cursor: string): MaybePromise<Location> {
    return whenDone(this.#read(cursor, 0), ({ from, last }) => ({ from, last }))
  }

  /** Tells of a change in this process alone. */
  hear (change: Change): void {
    const changed = changedBy(change)
    if (!changed.isEmpty) for (const group of [...this.#groups.values()]) group.changed(changed)
    if (change.recheck !== undefined && change.recheck !== this.#host.id) this.recheck()
  }

  /** Asks for each stream again whether it may be open; resolves to how many were closed. Never rejects. */
  async recheck (): Promise<number> {
    this.rechecks++
    const closed = await Promise.all(this.#followers.map(async follower => follower.recheck()))
    return closed.filter(isClosed => isClosed).length
  }

  close (): void {
    this.#end(follower => { follower.ended() })
  }

  #end (tell: (follower: Follower) => void): void {
    this.#stopListening()
    for (const follower of this.#followers) tell(follower)
  }

  get #followers (): Follower[] {
    return [...this.#groups.values()].flatMap(group => group.followers)
  }

  async #begin (first: Promise<Page>): Promise<void> {
    const { last } = await first
    this.#position ??= last
    this.ready = undefined
  }

  #receive ({ position, previous, record }: StoredEvent): void {
    // A lost change may have been one of everything.
    const change = this.#position === undefined || previous === this.#position ? fromRecord(record) : { recheck: '' }
    this.#position = position
    this.hear(change)
  }

  #emptied (group: Group): void {
    this.#groups.delete(group.viewer)
    if (!this.isFollowed) this.#host.emptied(this)
  }

  /** A page may have followed several things before, and this one alone now. */
  #read (cursor: string, limit: number): MaybePromise<Page> {
    const { engine } = this.#host
    return whenDone(engine.read(this.topic, isCursor(cursor) ? cursor : '', limit), page => {
      const part = page.from === undefined ? partOf(cursor, epochOf(page.last)) : undefined
      return part === undefined ? page : engine.read(this.topic, part, limit)
    })
  }
}

/** None for a message that asks only for a recheck. */
function changedBy ({ paths, recheck, traceparent }: Change): Changed {
  return new Changed().add(paths ?? (recheck === undefined || recheck === '' ? undefined : []), traceparent)
}
