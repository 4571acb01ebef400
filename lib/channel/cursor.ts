// The one id of a stream of several channels: their positions, joined. Each
// tells by its epoch of which channel it is. Characters that need no CORS
// preflight in a Last-Event-ID header, and short.
import { idProblem } from '../sse/field.js'

const SEPARATOR = '~'

const POSITION = /^[\w.]{1,40}-[\w.]{1,40}$/

/** A position that no channel knows: it could not come back as an id. */
export const UNKNOWN = '\0'

export function isPosition (value: unknown): value is string {
  return typeof value === 'string' && POSITION.test(value)
}

/** Joins positions; one that has no place in the id is empty. */
export function composeCursor (positions: readonly string[]): string {
  let cursor = ''
  for (const position of positions) {
    if (position === '') continue
    cursor = cursor === '' ? position : cursor + SEPARATOR + position
  }
  return cursor
}

/** The positions of a cursor; undefined when it is not made of positions alone. */
export function parseCursor (cursor: string): string[] | undefined {
  if (!isCursor(cursor)) return undefined
  const positions = cursor.split(SEPARATOR)
  return positions.every(position => POSITION.test(position)) ? positions : undefined
}

/** Whether an event can have had this id. What is anything else is not even looked up. */
export function isCursor (cursor: string): boolean {
  return idProblem(cursor) === undefined
}

/** The part of a merged stream's cursor that is of one channel; undefined where there is none, or more than one. */
export function partOf (cursor: string, epoch: string): string | undefined {
  const own = cursor.includes(SEPARATOR) ? parseCursor(cursor)?.filter(position => epochOf(position) === epoch) : undefined
  return own?.length === 1 ? own[0] : undefined
}

/** The epoch: it tells the positions of one channel from those of all others. */
export function epochOf (position: string): string {
  return position.slice(0, position.lastIndexOf('-'))
}

/** The meaning of one cursor for the channels of a merged stream. */
export interface Wanted {
  /** For each channel what it is asked for; `''` is nothing. */
  cursors: string[]
  /** Whether a channel that is asked for nothing, or does not know it, starts at the live position, if another one knows its own. */
  isOfOne: boolean
}

/** Finds out what each channel is asked for, by the epochs of all. */
export function distribute (cursor: string, epochs: readonly string[]): Wanted {
  const given = new Map<string, string[]>()
  const positions = parseCursor(cursor)
  for (const position of positions ?? []) {
    const epoch = epochOf(position)
    const others = given.get(epoch)
    if (others === undefined) given.set(epoch, [position])
    else others.push(position)
  }
  // It may be the id that an event of one of them brought.
  if (!epochs.some(epoch => given.has(epoch))) return { cursors: epochs.map(() => cursor), isOfOne: true }
  const seen = new Map<string, number>()
  const cursors = epochs.map(epoch => {
    const nth = seen.get(epoch) ?? 0
    seen.set(epoch, nth + 1)
    const own = given.get(epoch)
    if (own === undefined) return ''
    if (own.length === 1) return own[0]!
    // Two parts may follow one channel, with different filters.
    return own.length === epochs.filter(other => other === epoch).length ? own[nth]! : UNKNOWN
  })
  return { cursors, isOfOne: positions!.length === 1 }
}

/** Whether a position comes before another one of the same topic. What cannot be compared does not. */
export function isBefore (position: string, other: string): boolean {
  if (epochOf(position) !== epochOf(other)) return false
  const [a, b] = [numbersOf(position), numbersOf(other)]
  const n = a.findIndex((number, n) => number !== b[n])
  return n !== -1 && a[n]! < b[n]!
}

// Engines count by one number, or by several.
function numbersOf (position: string): number[] {
  return position.slice(position.lastIndexOf('-') + 1).split('.').map(Number)
}
