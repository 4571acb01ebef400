// The engine of one process: a log for each topic, as long as its history.
import { Entry } from './entry.js'
import type { Engine, Page, Publication } from './engine.js'

interface Topic {
  /** The sequence number of the newest event, or of the start. */
  last: number
  /** How many events may be replayed. */
  history: number
  /** The newest events, oldest first. */
  entries: Entry[]
  /** Sequence numbers by the ids that events brought. */
  ids: Map<string, number>
  listeners: Set<(entry: Entry) => void>
}

export class MemoryEngine implements Engine {
  // Tells the positions of this engine from those before a restart, so that an
  // old cursor is not taken for one of the new log.
  readonly #epoch = Date.now().toString(36) + Math.random().toString(36).slice(2, 6)
  readonly #topics = new Map<string, Topic>()
  // Where new topics start, so that a cursor of a forgotten one is unknown.
  #floor = 0

  publish (name: string, { record, audience, history }: Publication): Entry {
    const topic = this.#topic(name)
    const previous = this.#position(topic.last)
    const entry = new Entry(this.#position(++topic.last), previous, record, audience)
    topic.history = history
    if (history > 0) {
      topic.entries.push(entry)
      if (record.id !== undefined) topic.ids.set(record.id, topic.last)
      // Trimmed in batches, so that a long history costs no copy for each event.
      if (topic.entries.length >= history * 1.25 + 16) this.#trim(topic, history)
    }
    for (const listener of topic.listeners) listener(entry)
    return entry
  }

  read (name: string, after: string, limit: number): Page {
    const topic = this.#topic(name)
    const last = this.#position(topic.last)
    const sequence = this.#sequence(topic, after)
    // More may be there than history promises; it is not used, so that the promise can be tested.
    const oldest = topic.last - Math.min(topic.entries.length, topic.history)
    if (sequence === undefined || sequence < oldest || sequence > topic.last) return { from: undefined, entries: [], last }
    const start = sequence - topic.last + topic.entries.length
    return { from: this.#position(sequence), entries: topic.entries.slice(start, start + limit), last }
  }

  listen (name: string, listener: (entry: Entry) => void): () => void {
    const { listeners } = this.#topic(name)
    listeners.add(listener)
    return () => { listeners.delete(listener) }
  }

  forget (name: string): void {
    const { last, listeners } = this.#topic(name)
    // The name may have been taken again meanwhile.
    if (listeners.size > 0) return
    this.#floor = Math.max(this.#floor, last)
    this.#topics.delete(name)
  }

  close (): void {
    this.#topics.clear()
  }

  #topic (name: string): Topic {
    let topic = this.#topics.get(name)
    if (topic === undefined) {
      topic = { last: this.#floor, history: 0, entries: [], ids: new Map(), listeners: new Set() }
      this.#topics.set(name, topic)
    }
    return topic
  }

  #position (sequence: number): string {
    return `${this.#epoch}-${sequence}`
  }

  #sequence (topic: Topic, cursor: string): number | undefined {
    const brought = topic.ids.get(cursor)
    if (brought !== undefined) return brought
    const prefix = `${this.#epoch}-`
    const digits = cursor.slice(prefix.length)
    return cursor.startsWith(prefix) && /^(0|[1-9]\d{0,15})$/.test(digits) ? Number(digits) : undefined
  }

  #trim (topic: Topic, history: number): void {
    const gone = topic.entries.splice(0, topic.entries.length - history)
    for (const { record: { id }, position } of gone) {
      // The same id may have come again since.
      if (id !== undefined && this.#position(topic.ids.get(id)!) === position) topic.ids.delete(id)
    }
  }
}
