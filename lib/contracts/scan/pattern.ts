// Text of which a part is known only when a template is rendered.

import { LONGEST_TEXT, MOST_TEXTS } from '../limits.js'
import { push } from './lists.js'

/** Stands for text that an expression makes: any, also none. A private character, which templates do not have. */
export const HOLE = '\uE000'

/** Whether all of it is known. */
export function isKnown (text: string): boolean {
  return !text.includes(HOLE)
}

/** Many texts of which each has one hole or more. */
export class Patterns {
  // By what they begin with; or, if that is a hole, by what they end with.
  readonly #starts = new Map<string, string[][]>()
  readonly #ends = new Map<string, string[][]>()
  readonly #lengths = { starts: new Set<number>(), ends: new Set<number>() }

  constructor (patterns: Iterable<string>) {
    for (const pattern of patterns) {
      const pieces = pattern.split(HOLE)
      const start = pieces[0] as string
      const end = pieces.at(-1) as string
      push(start === '' ? this.#ends : this.#starts, start === '' ? end : start, pieces)
      if (start === '') this.#lengths.ends.add(end.length)
      else this.#lengths.starts.add(start.length)
    }
  }

  /** Whether a text can be what one of them comes to. */
  fit (text: string): boolean {
    const { starts, ends } = this.#lengths
    for (const length of starts) if (this.#starts.get(text.slice(0, length))?.some(pieces => fits(pieces, text))) return true
    for (const length of ends) if (this.#ends.get(text.slice(text.length - length))?.some(pieces => fits(pieces, text))) return true
    return false
  }
}

function fits (pieces: readonly string[], text: string): boolean {
  const [start, end] = [pieces[0], pieces.at(-1)] as [string, string]
  if (!text.startsWith(start) || !text.endsWith(end)) return false
  let reached = start.length
  for (const piece of pieces.slice(1, -1)) {
    const index = text.indexOf(piece, reached)
    if (index === -1) return false
    reached = index + piece.length
  }
  return reached + end.length <= text.length
}

/** A character, or what may stand in place of some. */
export type Token = string | typeof ANY | typeof SOME | typeof ONE

// Any text; any text without a slash; one character other than a slash.
const ANY = 0
const SOME = 1
const ONE = 2

const MOST_COMBINED = 16
/** Pairs of places in a path and in a route that are compared at most. */
const MOST_PAIRS = 65_536

/** Every way to write a list of alternatives one after the other; too many are one hole. */
export function combine (parts: ReadonlyArray<readonly string[]>): string[] {
  let all = ['']
  for (const alternatives of parts) {
    if (alternatives.length > MOST_COMBINED) return [HOLE]
    all = all.flatMap(head => alternatives.map(tail => clip(join(head, tail))))
    if (all.length > MOST_COMBINED) return [HOLE]
    if (all.every(isClipped)) break
  }
  return [...new Set(all)]
}

/** The texts of several alternatives; of too many the rest is a hole. */
export function unite (alternatives: ReadonlyArray<readonly string[]>): string[] {
  const all = new Set(alternatives.flat())
  return all.size > MOST_TEXTS ? [...all].slice(0, MOST_TEXTS).concat(HOLE) : [...all]
}

/** A text of which the end may be unknown, because it is too long. */
export function clip (text: string): string {
  return isClipped(text) ? text.slice(0, LONGEST_TEXT) + HOLE : text
}

function isClipped ({ length }: string): boolean {
  return length > LONGEST_TEXT
}

// Two holes side by side are one.
function join (head: string, tail: string): string {
  return head.endsWith(HOLE) && tail.startsWith(HOLE) ? head + tail.slice(1) : head + tail
}

/** Whether a token stands for itself. */
export function isLiteral (token: Token): token is string {
  return typeof token === 'string'
}

/** A path with holes, prepared for {@link overlap}. */
export function pathTokens (path: string): Token[] {
  return [...fold(path)].map(character => character === HOLE ? ANY : character)
}

/**
 * The URL pattern of a route, prepared for {@link overlap}. A parameter is one
 * segment or a part of one, whatever its regular expression says.
 */
export function routeTokens (url: string): Token[] {
  const tokens: Token[] = []
  const pattern = fold(url).replaceAll('::', '\0')
  for (let index = 0; index < pattern.length; index++) {
    const character = pattern[index] as string
    if (character === '*') {
      tokens.push(ANY)
    } else if (character === ':') {
      index = endOfParameter(pattern, index)
      // An optional last parameter takes its slash along.
      if (pattern[index + 1] === '?') {
        index++
        if (tokens.at(-1) === '/') tokens.pop()
        tokens.push(ANY)
      } else {
        tokens.push(ONE, SOME)
      }
    } else {
      tokens.push(character === '\0' ? ':' : character)
    }
  }
  return tokens
}

/** Whether some text fits both, the path and the route; true when they are too long to tell. */
export function overlap (path: readonly Token[], route: readonly Token[]): boolean {
  const width = route.length + 1
  if ((path.length + 1) * width > MOST_PAIRS) return true
  const seen = new Set<number>()
  const open = [0]
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (seen.has(key)) continue
    seen.add(key)
    const x = path[Math.floor(key / width)]
    const y = route[key % width]
    if (x === undefined && y === undefined) return true
    // The first of two ways is tried last.
    if (x === ANY) {
      if (y !== undefined) open.push(key + 1)
      open.push(key + width)
    } else if (y === ANY || y === SOME) {
      if (x !== undefined && (y === ANY || x !== '/')) open.push(key + width)
      open.push(key + 1)
    } else if (x !== undefined && y !== undefined && (x === y || (y === ONE && x !== '/'))) {
      open.push(key + width + 1)
    }
  }
  return false
}

function endOfParameter (pattern: string, start: number): number {
  let index = start
  while (/[\w]/.test(pattern[index + 1] ?? '')) index++
  if (pattern[index + 1] !== '(') return index
  let depth = 0
  do {
    index++
    if (pattern[index] === '\\') index++
    else if (pattern[index] === '(') depth++
    else if (pattern[index] === ')') depth--
  } while (depth > 0 && index < pattern.length)
  return index
}

// Routers may ignore case and a slash at the end; so does this, to be on the safe side.
function fold (path: string): string {
  return path.toLowerCase().replace(/\/$/, '')
}
