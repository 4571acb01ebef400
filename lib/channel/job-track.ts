// The knowledge of this process about the events of a job: their start, the part of
// them that can be replayed, and their end. It follows the topic itself, so the
// end is known wherever the job runs.
import type { JobEnd } from '../dialects/record.js'
import type { Entry } from '../message/entry.js'
import type { ReaderTarget } from './target.js'

/** The end of a job in its topic. */
export interface TrackEnd extends JobEnd {
  /** The position of the last event. */
  last: string
  /** The position of the record that says so; `last` where that could not be kept. */
  position: string
}

export class JobTrack implements ReaderTarget {
  readonly isBlocked = false
  readonly window = 65536
  /** The end, once it is known. */
  end: TrackEnd | undefined
  readonly #history: number
  readonly #ended: (end: JobEnd) => void
  // Of the events that can be replayed, and before them the position that they come after.
  #positions: string[] = []
  #hasLost = false
  #endBefore: JobEnd | undefined
  #first = ''
  #started: Promise<void> | undefined
  #settle: { resolve: () => void, reject: (error: unknown) => void } | undefined

  /** @param ended the end has become known; all readers in this process have its record, or are about to get it. */
  constructor (history: number, ended: (end: JobEnd) => void) {
    this.#history = history
    this.#ended = ended
  }

  /** Where the first event comes after; undefined when that is not known. */
  get first (): string | undefined {
    return this.#hasLost ? undefined : this.#first
  }

  /** The same as far as it is known: else where this process began to follow. */
  get start (): string {
    return this.#first
  }

  /** Where the oldest event that can be replayed comes after. */
  get oldest (): string {
    return this.back(this.#history)
  }

  /** Where the last so many events come after, of those that are known here. */
  back (count: number): string {
    return this.#positions[Math.max(0, this.#positions.length - 1 - count)]!
  }

  /** The position of the newest event, or of the start. */
  get newest (): string {
    return this.#positions.at(-1) ?? ''
  }

  /** Begins to follow, by `attach`, unless it does; a promise until the engine has answered, which may be rejected. */
  follow (attach: (track: JobTrack) => unknown): Promise<void> | undefined {
    if (this.#positions.length > 0) return undefined
    if (this.#started !== undefined) return this.#started
    this.#started = new Promise((resolve, reject) => { this.#settle = { resolve, reject } })
    this.#started.catch(() => {})
    attach(this)
    return this.#positions.length > 0 ? undefined : this.#started
  }

  /** It is known where to read from; whether that is where the first event comes after. */
  begin (position: string, isFirst: boolean): void {
    this.#hasLost = !isFirst
    this.tell(position)
  }

  /** Earlier events are not known, except for an earlier end. */
  lose (end: JobEnd | undefined): void {
    this.#hasLost = true
    this.#endBefore = end
  }

  /** The end could not be kept in the topic: it is after what is there. */
  endHere (end: JobEnd): void {
    this.#over({ ...end, last: this.newest, position: this.newest })
  }

  tell (position: string): void {
    this.#first = position
    this.#positions = [position]
    this.#settle?.resolve()
    if (this.#endBefore !== undefined) this.endHere(this.#endBefore)
  }

  pass (entries: readonly Entry[]): void {
    for (const { position, record: { end } } of entries) {
      if (end === undefined) this.#note(position)
      else this.#over({ ...end, last: this.newest, position })
    }
  }

  gap (_requested: string, position: string): void {
    this.#note(position)
  }

  failed (error: unknown): void {
    // Events until the next try are not known.
    this.#hasLost = true
    this.#settle?.reject(error)
    this.#started = undefined
  }

  ended (): void {
    if (this.#positions.length === 0) this.failed(new Error('its channel is closed'))
  }

  flush (): void {}

  async whenDrained (): Promise<void> {}

  #note (position: string): void {
    this.#positions.push(position)
    const most = this.#history + 1
    if (this.#positions.length >= most * 1.25 + 16) this.#positions.splice(0, this.#positions.length - most)
  }

  #over (end: TrackEnd): void {
    if (this.end !== undefined) return
    this.end = end
    // All readers get a batch before anything else happens.
    process.nextTick(this.#ended, end)
  }
}
