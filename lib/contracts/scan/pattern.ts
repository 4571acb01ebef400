// Text of which a part is known only when a template is rendered.

/** Stands for text that an expression makes: any, also none. A private character, which templates do not have. */
export const HOLE = '\uE000'

/** Whether all of it is known. */
export function isKnown (text: string): boolean {
  return !text.includes(HOLE)
}

/** Whether a text can be what a pattern comes to, which has one hole or more. */
export function fits (pattern: string, text: string): boolean {
  const pieces = pattern.split(HOLE)
  const start = pieces.shift() as string
  const end = pieces.pop() as string
  if (!text.startsWith(start) || !text.endsWith(end)) return false
  let reached = start.length
  for (const piece of pieces) {
    const index = text.indexOf(piece, reached)
    if (index === -1) return false
    reached = index + piece.length
  }
  return reached + end.length <= text.length
}

/** Whether two texts with holes can come to the same. */
export function meet (a: string, b: string): boolean {
  return a === b || (!(isKnown(a) && isKnown(b)) && overlap(pathTokens(a), pathTokens(b)))
}

/** A character, or what may stand in place of some. */
type Token = string | typeof ANY | typeof SOME | typeof ONE

// Any text; any text without a slash; one character that is no slash.
const ANY = 0
const SOME = 1
const ONE = 2

/** Every way to write a list of alternatives one after the other; too many are one hole. */
export function combine (parts: readonly string[][]): string[] {
  let all = ['']
  for (const alternatives of parts) {
    all = all.flatMap(head => alternatives.map(tail => (head + tail).replaceAll(HOLE + HOLE, HOLE)))
    if (all.length > 16) return [HOLE]
  }
  return [...new Set(all)]
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

/** Whether some text fits both, the path and the route. */
export function overlap (path: readonly Token[], route: readonly Token[]): boolean {
  const seen = new Set<number>()
  return match(0, 0)

  function match (i: number, j: number): boolean {
    const x = path[i]
    const y = route[j]
    if (x === undefined && y === undefined) return true
    const key = i * (route.length + 1) + j
    if (seen.has(key)) return false
    seen.add(key)
    if (x === ANY) return match(i + 1, j) || (y !== undefined && match(i, j + 1))
    if (y === ANY || y === SOME) return match(i, j + 1) || (x !== undefined && (y === ANY || x !== '/') && match(i + 1, j))
    if (x === undefined || y === undefined) return false
    return (x === y || (y === ONE && x !== '/')) && match(i + 1, j + 1)
  }
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

// Routers may ignore case and a slash at the end; so do we, to be on the safe side.
function fold (path: string): string {
  return path.toLowerCase().replace(/\/$/, '')
}
