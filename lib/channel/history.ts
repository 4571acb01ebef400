// The history that a reader reads. Once the channel has closed, the rest of it is kept
// here, and is freed with the reader.
import { isPromise } from '../util/promise.js'
import { pageAfter, pageUpTo, type EntryPage } from './entries.js'

// All events: engines take whole numbers.
const ALL = Number.MAX_SAFE_INTEGER

type Read = (after: string, limit: number) => EntryPage | Promise<EntryPage>

export class History {
  readonly #read: Read
  // The position up to which it was read.
  #after: string
  #reading: Promise<EntryPage> | undefined
  #rest: EntryPage | Promise<EntryPage> | undefined
  // Its last event: while the rest is read, a new channel of that name may publish to the same topic.
  #end: string | undefined

  constructor (after: string, read: Read) {
    this.#after = after
    this.#read = read
  }

  /** The next events after a position. */
  read (after: string, limit: number): EntryPage | Promise<EntryPage> {
    this.#after = after
    const page = this.#next(after, limit)
    if (!isPromise(page)) return pageUpTo(this.#end, page as EntryPage)
    this.#reading = page as Promise<EntryPage>
    return this.#reading.then(page => pageUpTo(this.#end, page))
  }

  /** The channel is closed, and `last` is the newest event that it has heard of. A promise where that takes time. */
  keepRest (last: string | undefined): Promise<unknown> | undefined {
    this.#end = last
    this.#rest = this.#read(this.#after, ALL)
    if (isPromise(this.#rest)) return Promise.allSettled([this.#rest, this.#reading])
  }

  #next (after: string, limit: number): EntryPage | Promise<EntryPage> {
    const rest = this.#rest
    if (rest === undefined) return this.#read(after, limit)
    return isPromise(rest) ? (rest as Promise<EntryPage>).then(rest => pageAfter(after, rest, limit)) : pageAfter(after, rest as EntryPage, limit)
  }
}
