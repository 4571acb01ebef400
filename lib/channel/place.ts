// Finds out where each channel of a merged stream goes on, before any of them
// sends something: what stands in an id is only what a channel knows.
import type { LocatableFeed } from '../stream/feed.js'
import { allDone, whenDone, type MaybePromise } from '../util/promise.js'
import { composeCursor, distribute, epochOf, parseCursor, UNKNOWN } from './cursor.js'

/** Where a channel goes on. */
export interface Place {
  /** Whether its position belongs into the ids of the stream. */
  isNoted: boolean
  /** What stands there until it moves; empty while it is not known. */
  position: string
  /** The position to read on after; empty is the live position. */
  after: string
  /** The cursor that it does not know, if there is one. */
  lost: string | undefined
}

/** Never a promise where all channels answer at once. */
export function findPlaces (parts: readonly LocatableFeed[], lastEventId: string): MaybePromise<Place[]> {
  const cursors = parts.map(part => part.cursorFor?.(lastEventId) ?? lastEventId)
  return whenDone(allDone(parts.map(part => part.locate(''))), starts => {
    const epochs = starts.map(({ last }) => epochOf(last))
    const wanted = new Map([...new Set(cursors)].map(cursor => [cursor, distribute(cursor, epochs)]))
    return whenDone(allDone(parts.map((part, n) => {
      const cursor = wanted.get(cursors[n]!)!.cursors[n]!
      return cursor === '' ? starts[n]! : part.locate(cursor)
    })), locations => parts.map((part, n): Place => {
      const { from, last } = locations[n]!
      if (part.keepsLatest === true || last === '') return { isNoted: false, position: '', after: '', lost: undefined }
      if (from !== undefined) return { isNoted: true, position: from, after: from, lost: undefined }
      // What it takes for a position of before is the start of all that it has.
      if (part.catchesUp === true) return { isNoted: true, position: '', after: UNKNOWN, lost: undefined }
      const { cursors: asked, isOfOne } = wanted.get(cursors[n]!)!
      const isFresh = isOfOne && (asked[n] === '' || locations.some(({ from }, m) => from !== undefined && cursors[m] === cursors[n]))
      // A fresh one tells where it starts as soon as it listens, which may be later than here.
      return isFresh ? { isNoted: true, position: '', after: '', lost: undefined } : { isNoted: true, position: last, after: last, lost: cursors[n]! }
    }))
  })
}

/** Where all are now, or where `positionOf` says. */
export function cursorOfAll (parts: readonly LocatableFeed[], positionOf: (part: LocatableFeed) => MaybePromise<string> = cursorOf): MaybePromise<string> {
  return whenDone(allDone(parts.map(part => part.keepsLatest === true ? '' : positionOf(part))), composeCursor)
}

export function cursorOf (part: LocatableFeed): MaybePromise<string> {
  if (part.cursor !== undefined) return part.cursor()
  return whenDone(part.locate(''), ({ last }) => last)
}

/** A cursor for all from the id of an event of one of them: the others go on from their places in `before`. */
export function goOnFrom (parts: readonly LocatableFeed[], id: string, before: string): MaybePromise<string> {
  const places = new Map(parseCursor(before)?.map(position => [epochOf(position), position]))
  return whenDone(allDone(parts.map(part => part.keepsLatest === true ? { from: undefined, last: '' } : part.locate(id))), locations => {
    if (locations.every(({ from }) => from === undefined)) return id
    return composeCursor(locations.map(({ from, last }) => from ?? places.get(epochOf(last)) ?? ''))
  })
}
