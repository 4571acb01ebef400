// Brings what an engine tells of one topic to everyone who follows it in this process.
import { isPromise } from '../stream/source.js'
import { Batch } from './batch.js'
import type { Engine, Page } from './engine.js'
import type { Entry } from './entry.js'
import { nameOf, Reader, type AudienceFilter, type ReaderHost, type ReaderTarget } from './reader.js'

export class Hub implements ReaderHost {
  readonly latest: Map<string, Entry> | undefined
  readonly #topic: string
  readonly #engine: Engine
  readonly #stopListening: () => void
  readonly #readers: Reader[] = []
  #batch: Entry[] = []
  #isClosed = false

  constructor (topic: string, engine: Engine, keepsLatest: boolean) {
    this.#topic = topic
    this.#engine = engine
    this.latest = keepsLatest ? new Map() : undefined
    this.#stopListening = engine.listen(topic, entry => this.#receive(entry))
  }

  get size (): number {
    return this.#readers.length
  }

  attach (target: ReaderTarget, lastEventId: string, filter: AudienceFilter | undefined): Reader {
    const reader = new Reader(this, target, filter)
    if (this.#isClosed) reader.end()
    else reader.start(lastEventId)
    return reader
  }

  /** Ends every reader, after what was published. */
  close (): void {
    this.flush()
    this.#isClosed = true
    this.#stopListening()
    for (const reader of [...this.#readers]) reader.end()
  }

  read (after: string, limit: number): Page | Promise<Page> {
    return this.#engine.read(this.#topic, after, limit)
  }

  last (): string | Promise<string> {
    const page = this.read('', 0)
    return isPromise(page) ? (page as Promise<Page>).then(({ last }) => last) : (page as Page).last
  }

  add (reader: Reader): void {
    reader.index = this.#readers.push(reader) - 1
  }

  remove (reader: Reader): void {
    const { index } = reader
    if (index === -1) return
    reader.index = -1
    // A dense list is the fastest to walk; its order does not matter.
    const last = this.#readers.pop()!
    if (last === reader) return
    this.#readers[index] = last
    last.index = index
  }

  flush (): void {
    if (this.#batch.length === 0) return
    const batch = new Batch(this.#batch)
    this.#batch = []
    // Backwards: one that leaves meanwhile is replaced by one that is done.
    for (let n = this.#readers.length - 1; n >= 0; n--) this.#readers[n]!.deliver(batch)
  }

  #receive (entry: Entry): void {
    if (this.latest !== undefined) {
      // Put last again, so that a snapshot is in the order of the events.
      const name = nameOf(entry)
      this.latest.delete(name)
      this.latest.set(name, entry)
    }
    if (this.#batch.push(entry) === 1) process.nextTick(flush, this)
  }
}

function flush (hub: Hub): void {
  hub.flush()
}
