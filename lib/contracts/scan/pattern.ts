// Text of which a part is known only when a template is rendered.

/** Stands for text that an expression makes: any, also none. A private character, which templates do not have. */
export const HOLE = '\uE000'

/** Whether all of it is known. */
export function isKnown (text: string): boolean {
  return !text.includes(HOLE)
}

/** One of a token's alphabets: a character, or what may stand there. */
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

/** Whether some text fits both. */
export function overlap (a: readonly Token[], b: readonly Token[]): boolean {
  const failed = new Set<number>()
  return match(0, 0)

  function match (i: number, j: number): boolean {
    if (i === a.length && j === b.length) return true
    const key = i * (b.length + 1) + j
    if (failed.has(key)) return false
    failed.add(key)
    const x = a[i]
    const y = b[j]
    if (isOpen(x)) return match(i + 1, j) || (y !== undefined && takes(x, y) && match(i, j + 1))
    if (isOpen(y)) return match(i, j + 1) || (x !== undefined && takes(y, x) && match(i + 1, j))
    if (x === undefined || y === undefined) return false
    return (x === y || (x === ONE && y !== '/') || (y === ONE && x !== '/')) && match(i + 1, j + 1)
  }
}

function isOpen (token: Token | undefined): token is typeof ANY | typeof SOME {
  return token === ANY || token === SOME
}

// `x` takes `y` as a part of itself. What SOME cannot take of ANY, ANY leaves away.
function takes (x: typeof ANY | typeof SOME, y: Token): boolean {
  return x === ANY || (y !== '/' && y !== ANY)
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
