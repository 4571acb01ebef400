// The engine of one process: a log for each topic, as long as its history.
import { randomBytes } from 'node:crypto'
import { FST_CHIRP_ID } from '../errors.js'
import { quote } from '../util/describe.js'
import type { ChannelEngine, Page, Publication, StoredEvent } from './engine.js'
import { Forgetting } from './forgetting.js'

interface Topic {
  /** Tells its positions from those of every other topic, and of one of its name before a restart. */
  epoch: string
  /** The sequence number of the newest event; 0 is the start. */
  last: number
  /** Number of events that may be replayed. */
  history: number
  /** Milliseconds that an event may be replayed. */
  ttl: number | undefined
  /** The newest events, oldest first. */
  entries: StoredEvent[]
  /** The events that brought an id, by that id, oldest first. */
  brought: Map<string, { sequence: number, audience: unknown }>
  listeners: Set<(event: StoredEvent) => void>
  /** Frees what is older than `ttl`, also when nothing is published or read any more. */
  forgetting: Forgetting | undefined
}

export class MemoryEngine implements ChannelEngine {
  readonly #topics = new Map<string, Topic>()
  #opened = 0

  open (channel: string): string {
    return `${channel}\0${++this.#opened}`
  }

  publish (name: string, { record, audience, history, latest = false, ttl }: Publication): StoredEvent {
    const topic = this.#topic(name)
    topic.ttl = ttl
    if (ttl === undefined) topic.forgetting?.stop()
    else dropOld(topic, ttl)
    const { id } = record
    if (id !== undefined && !latest) remember(topic, id, history, audience)
    const previous = position(topic, topic.last)
    const stored: StoredEvent = { position: position(topic, ++topic.last), previous, record, audience }
    const event = ttl === undefined ? stored : { ...stored, time: timeAfter(topic.entries.at(-1)) }
    topic.history = history
    if (history > 0) {
      topic.entries.push(event)
      // Trimmed in batches, so that a long history costs no copy for each event.
      if (hasTooMany(topic.entries.length, history)) topic.entries.splice(0, topic.entries.length - history)
      if (ttl !== undefined) {
        topic.forgetting ??= new Forgetting(() => dropOld(topic, topic.ttl!))
        topic.forgetting.after(ttl)
      }
    }
    for (const listener of topic.listeners) listener(event)
    return event
  }

  read (name: string, after: string, limit: number): Page {
    const topic = this.#topic(name)
    if (topic.ttl !== undefined) dropOld(topic, topic.ttl)
    const last = position(topic, topic.last)
    const found = find(topic, after)
    if (found === undefined || found.sequence < oldestOf(topic, topic.history) || found.sequence > topic.last) return { from: undefined, entries: [], last }
    const { sequence, audience } = found
    const start = sequence - topic.last + topic.entries.length
    const page: Page = { from: position(topic, sequence), entries: topic.entries.slice(start, start + limit), last }
    return audience === undefined ? page : { ...page, audience }
  }

  listen (name: string, listener: (event: StoredEvent) => void): () => void {
    const { listeners } = this.#topic(name)
    listeners.add(listener)
    return () => { listeners.delete(listener) }
  }

  forget (name: string): void {
    this.#topics.get(name)?.forgetting?.stop()
    this.#topics.delete(name)
  }

  close (): void {
    for (const { forgetting } of this.#topics.values()) forgetting?.stop()
    this.#topics.clear()
  }

  #topic (name: string): Topic {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      topic = { epoch: createEpoch(), last: 0, history: 0, ttl: undefined, entries: [], brought: new Map(), listeners: new Set(), forgetting: undefined }
      this.#topics.set(name, topic)
    }
    return topic
  }
}

// 40 random bits: enough, because a cursor is compared with the topics of one stream only.
function createEpoch (): string {
  return randomBytes(5).readUIntBE(0, 5).toString(36).padStart(8, '0')
}

function position ({ epoch }: Topic, sequence: number): string {
  return `${epoch}-${sequence}`
}

function find ({ epoch, brought }: Topic, cursor: string): { sequence: number, audience?: unknown } | undefined {
  if (!cursor.startsWith(`${epoch}-`)) return brought.get(cursor)
  const digits = cursor.slice(epoch.length + 1)
  return /^(0|[1-9]\d{0,15})$/.test(digits) ? { sequence: Number(digits) } : undefined
}

/** The oldest place that one can go on from. More may be there than history promises; it is not used, so that the promise can be tested. */
function oldestOf ({ last, entries }: Topic, history: number): number {
  return last - Math.min(entries.length, history)
}

/** Notes the id of the next event, by which one can go on as long as history reaches back to it. */
function remember (topic: Topic, id: string, history: number, audience: unknown): void {
  const { epoch, last, brought } = topic
  if (id.startsWith(`${epoch}-`)) throw new FST_CHIRP_ID(quote(id), 'it reads like a position of this channel')
  const oldest = oldestOf(topic, history)
  const known = brought.get(id)
  if (known !== undefined && known.sequence >= oldest) throw new FST_CHIRP_ID(quote(id), 'an event of the history has it')
  // Put last again, where the newest are.
  brought.delete(id)
  brought.set(id, { sequence: last + 1, audience })
  if (hasTooMany(brought.size, history)) dropIds(brought, last - history)
}

/** Forgets the ids up to a place. */
function dropIds (brought: Topic['brought'], end: number): void {
  for (const [id, { sequence }] of brought) {
    if (sequence > end) break
    brought.delete(id)
  }
}

/** Forgets what is older than `ttl`; gives the milliseconds until there is more to forget. */
function dropOld ({ entries, brought, last }: Topic, ttl: number): number | undefined {
  const end = Date.now() - ttl
  let count = 0
  while (count < entries.length && isOld(entries[count]!, end)) count++
  if (count > 0) {
    entries.splice(0, count)
    dropIds(brought, last - entries.length - 1)
  }
  return entries.length === 0 ? undefined : entries[0]!.time! - end
}

// An event that was published without a time to live has no time, and is older.
function isOld ({ time = 0 }: StoredEvent, end: number): boolean {
  return time <= end
}

/** Now, also when the clock of the machine was set back. */
function timeAfter (event: StoredEvent | undefined): number {
  return event === undefined ? Date.now() : Math.max(Date.now(), event.time!)
}

function hasTooMany (count: number, history: number): boolean {
  return count >= history * 1.25 + 16
}
