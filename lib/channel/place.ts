// Finds out where each channel of a merged stream goes on, before any of them
// sends something: what stands in an id is only what a channel knows.
import { isPromise, type MaybePromise } from '../util/promise.js'
import { distribute, epochOf } from './cursor.js'

/** What a channel says to a cursor. */
export interface Location {
  /** The position that the cursor stands for; undefined when it is unknown. */
  from: string | undefined
  /** The position of the newest event; empty when there is no channel any more. */
  last: string
}

/** What a merged stream asks of one that it follows. */
export interface Locatable {
  /** Whether it keeps values, which have no place in an id. */
  readonly keepsLatest: boolean
  /** The cursor that it has to go on after. */
  cursorFor (lastEventId: string): string
  locate (cursor: string): MaybePromise<Location>
}

/** Where a channel goes on. */
export interface Place {
  /** Whether its position belongs into the ids of the stream. */
  isNoted: boolean
  /** What stands there until it moves; empty while it is not known. */
  position: string
  /** The position to read on after; empty starts with what comes. */
  after: string
  /** The cursor that it does not know, if there is one. */
  lost: string | undefined
}

/** Never a promise where all channels answer at once. */
export function findPlaces (parts: readonly Locatable[], lastEventId: string): MaybePromise<Place[]> {
  const cursors = parts.map(part => part.cursorFor(lastEventId))
  return whenDone(parts.map(part => part.locate('')), starts => {
    const epochs = starts.map(({ last }) => epochOf(last))
    const wanted = new Map([...new Set(cursors)].map(cursor => [cursor, distribute(cursor, epochs)]))
    return whenDone(parts.map((part, n) => {
      const cursor = wanted.get(cursors[n]!)!.cursors[n]!
      return cursor === '' ? starts[n]! : part.locate(cursor)
    }), locations => parts.map((part, n): Place => {
      const { from, last } = locations[n]!
      if (part.keepsLatest || last === '') return { isNoted: false, position: '', after: '', lost: undefined }
      if (from !== undefined) return { isNoted: true, position: from, after: from, lost: undefined }
      const { cursors: asked, isOfOne } = wanted.get(cursors[n]!)!
      const isFresh = isOfOne && (asked[n] === '' || locations.some(({ from }, m) => from !== undefined && cursors[m] === cursors[n]))
      // A fresh one tells where it starts as soon as it listens, which may be later than here.
      return isFresh ? { isNoted: true, position: '', after: '', lost: undefined } : { isNoted: true, position: last, after: last, lost: cursors[n]! }
    }))
  })
}

function whenDone<T, R> (values: Array<MaybePromise<T>>, next: (values: T[]) => MaybePromise<R>): MaybePromise<R> {
  return values.some(isPromise) ? Promise.all(values).then(next) : next(values as T[])
}
