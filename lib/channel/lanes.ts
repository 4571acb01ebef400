// The readers of a channel that need not look at its batches: each goes to their connections as it is.
import type { Dialect } from '../dialects/dialect.js'
import { Lane, type Outcome } from '../transport/lane.js'
import type { Batch } from './batch.js'
import type { Reader } from './reader.js'
import type { Direct } from './target.js'

/** Connections that get the same bytes. */
interface Way {
  dialect: Dialect
  lane: Lane<Reader>
}

export class Lanes {
  #ways: Way[] = []
  // All of the readers have come to it.
  #position = ''
  readonly #left: (reader: Reader) => void

  /** @param left hears of readers that look at the next batch again. */
  constructor (left: (reader: Reader) => void) {
    this.#left = left
  }

  get size (): number {
    let size = 0
    for (const { lane } of this.#ways) size += lane.size
    return size
  }

  /** Takes in a reader that has just taken the same batch as the others. */
  add (reader: Reader, { dialect, connection }: Direct): void {
    const { app } = connection
    let way = this.#ways.find(way => way.dialect === dialect && way.lane.app === app)
    if (way === undefined) this.#ways.push(way = { dialect, lane: new Lane(app, reader => { this.#leave(reader) }) })
    way.lane.add(reader, connection)
  }

  /** Lets a reader leave. */
  remove (reader: Reader): void {
    reader.connection!.company!.leave(reader.connection!)
  }

  /** Lets all readers leave. */
  clear (): void {
    for (const { lane } of this.#ways) for (const { connection } of [...lane.users]) lane.leave(connection!)
  }

  /** Writes a batch to all connections. Readers that have yet to take it leave. */
  pass (batch: Batch): Array<Outcome<Reader>> {
    if (batch.isRestricted) this.clear()
    const { length } = batch.entries
    const outcomes = this.#ways.map(({ dialect, lane }) => lane.write(batch.frames(dialect, undefined), length))
    this.#position = batch.last.position
    return outcomes
  }

  #leave (reader: Reader): void {
    reader.passedTo(this.#position)
    this.#ways = this.#ways.filter(({ lane }) => lane.size > 0)
    this.#left(reader)
  }
}
