// Lets values out at a pace: the first at once, and after it at most one batch
// in a time, with the newest value of each key.
import { keyOf, type Entry } from '../message/entry.js'
import type { Reader } from './reader.js'

/** Values that readers have got with their snapshot. */
export type Known = ReadonlyMap<Reader, ReadonlySet<Entry>>

/** The parts of its channel that a pace needs. */
export interface PaceHost {
  /** Milliseconds from one batch to the next. */
  every: number
  /** Whether it still is the value of its key. */
  isCurrent (entry: Entry): boolean
  deliver (entries: readonly Entry[], known: Known): void
}

export class Pace {
  readonly #host: PaceHost
  // The newest value of each key that has yet to go out.
  readonly #waiting = new Map<string, Entry>()
  #known = new Map<Reader, ReadonlySet<Entry>>()
  // Runs since the last batch, and holds the process only while something waits.
  #timer: NodeJS.Timeout | undefined

  constructor (host: PaceHost) {
    this.#host = host
  }

  add (entry: Entry): void {
    const key = keyOf(entry)
    if (this.#waiting.size === 0) {
      if (this.#timer === undefined) process.nextTick(send, this)
      else this.#timer.ref()
    }
    this.#waiting.delete(key)
    this.#waiting.set(key, entry)
  }

  /** Whether it goes out later. */
  isWaiting (entry: Entry): boolean {
    return this.#waiting.size > 0 && this.#waiting.get(keyOf(entry)) === entry
  }

  /** A reader gets what waits with its snapshot, and not once more. */
  joins (reader: Reader): void {
    if (this.#waiting.size > 0) this.#known.set(reader, new Set(this.#waiting.values()))
  }

  leaves (reader: Reader): void {
    this.#known.delete(reader)
  }

  /** Sends what waits. */
  send (): void {
    if (this.#waiting.size === 0) return
    const entries = [...this.#waiting.values()].filter(entry => this.#host.isCurrent(entry))
    const known = this.#known
    this.#waiting.clear()
    this.#known = new Map()
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (entries.length === 0) return
    // Before code of the app may publish more.
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.send()
    }, this.#host.every).unref()
    this.#host.deliver(entries, known)
  }

  /** The last reader has left. */
  stop (): void {
    this.#waiting.clear()
    this.#known.clear()
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}

function send (pace: Pace): void {
  pace.send()
}
