// Things by the text that they begin with, up to what is not known of them.
import { push } from './lists.js'
import { isLiteral, type Token } from './pattern.js'
import { lastIndex } from './position.js'

/** To find those that can begin alike without a look at all others. */
export class Beginnings<T> {
  readonly #things = new Map<string, T[]>()
  readonly #sorted: string[]
  readonly #lengths: ReadonlySet<number>

  constructor (things: Iterable<T>, tokensOf: (thing: T) => readonly Token[]) {
    for (const thing of things) push(this.#things, beginningOf(tokensOf(thing)), thing)
    this.#sorted = [...this.#things.keys()].sort()
    this.#lengths = new Set(this.#sorted.map(({ length }) => length))
  }

  /** Those that begin with a part of what a text begins with, or go on after it. */
  like (tokens: readonly Token[]): T[] {
    const beginning = beginningOf(tokens)
    const found: T[][] = []
    for (const length of this.#lengths) if (length < beginning.length) found.push(this.#things.get(beginning.slice(0, length)) ?? [])
    for (let index = lastIndex(this.#sorted, other => other < beginning) + 1; this.#sorted[index]?.startsWith(beginning); index++) {
      found.push(this.#things.get(this.#sorted[index] as string) as T[])
    }
    return found.flat()
  }
}

function beginningOf (tokens: readonly Token[]): string {
  const end = tokens.findIndex(token => !isLiteral(token))
  return tokens.slice(0, end === -1 ? undefined : end).join('')
}
