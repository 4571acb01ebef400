// The queue of events that an iterator over a subscription has yet to take.
import { FST_CHIRP_BEHIND } from '../errors.js'
import { Entry } from '../message/entry.js'
import type { Attachment } from '../stream/feed.js'
import { gapFields } from './sink.js'
import type { ReaderTarget } from './target.js'

/** The channel of a queue. */
interface Bounded {
  readonly name: string
  /** Bytes that may wait to be taken. */
  readonly maxBuffer: number
}

/** Keeps events until they are taken. */
export class EntryQueue implements AsyncIterator<Entry, undefined>, ReaderTarget {
  readonly #channel: Bounded
  readonly #attachment: Attachment
  readonly #entries: Entry[] = []
  #size = 0
  #isOver = false
  #error: { thrown: unknown } | undefined
  #waiting: Array<() => void> = []

  /** `attach` begins to fill it. */
  constructor (channel: Bounded, attach: (queue: EntryQueue) => Attachment) {
    this.#channel = channel
    this.#attachment = attach(this)
    if (this.#isOver) this.#attachment.detach()
  }

  async next (): Promise<IteratorResult<Entry, undefined>> {
    while (this.#entries.length === 0) {
      if (this.#error !== undefined) {
        const { thrown } = this.#error
        this.#error = undefined
        throw thrown
      }
      if (this.#isOver) return { done: true, value: undefined }
      await new Promise<void>(resolve => { this.#waiting.push(resolve) })
    }
    const value = this.#entries.shift()!
    this.#size -= value.size
    if (!this.isBlocked) this.#wake()
    return { done: false, value }
  }

  /** A replay waits when half of what may wait is there. */
  get isBlocked (): boolean {
    return !this.#isOver && this.#size > this.window
  }

  get window (): number {
    return this.#channel.maxBuffer / 2
  }

  async return (): Promise<IteratorResult<Entry, undefined>> {
    this.#entries.length = this.#size = 0
    this.ended()
    return { done: true, value: undefined }
  }

  flush (): void {}

  async whenDrained (): Promise<void> {
    while (this.isBlocked) await new Promise<void>(resolve => { this.#waiting.push(resolve) })
  }

  pass (entries: readonly Entry[]): void {
    for (const entry of entries) {
      this.#entries.push(entry)
      this.#size += entry.size
    }
    const { maxBuffer, name } = this.#channel
    if (this.#size > maxBuffer) this.failed(new FST_CHIRP_BEHIND(name, maxBuffer))
    this.#wake()
  }

  tell (): void {}

  gap (requested: string, position: string): void {
    this.pass([new Entry(position, position, gapFields(requested, position), undefined)])
  }

  ended (): void {
    this.#isOver = true
    this.#attachment?.detach()
    this.#wake()
  }

  #wake (): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve()
  }

  failed (error: unknown): void {
    this.#error = { thrown: error }
    this.ended()
  }
}
