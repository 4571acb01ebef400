// Which of many texts, of which some are known in part only, can be the same.
import { MOST_COMPARISONS } from '../limits.js'
import { Beginnings } from './beginnings.js'
import { isKnown, overlap, pathTokens, type Token } from './pattern.js'

/** Names of the same kind, as ids or events. */
export class Texts {
  readonly #known: ReadonlySet<string>
  readonly #patterns: Beginnings<Token[]>
  #tokens: Beginnings<Token[]> | undefined
  #comparisons = 0

  constructor (texts: readonly string[]) {
    this.#known = new Set(texts.filter(isKnown))
    this.#patterns = beginningsOf(texts.filter(text => !isKnown(text)))
  }

  /** Whether a text can come to the same as one of them; true when there is too much to compare. */
  meet (text: string): boolean {
    if (this.#known.has(text) || this.isExhausted) return true
    const tokens = pathTokens(text)
    if (this.#overlap(this.#patterns, tokens)) return true
    if (isKnown(text)) return false
    this.#tokens ??= beginningsOf([...this.#known])
    return this.#overlap(this.#tokens, tokens)
  }

  /** There was too much to compare. */
  get isExhausted (): boolean {
    return this.#comparisons > MOST_COMPARISONS
  }

  #overlap (others: Beginnings<Token[]>, tokens: readonly Token[]): boolean {
    const near = others.like(tokens)
    this.#comparisons += near.length
    return near.some(other => overlap(tokens, other))
  }
}

function beginningsOf (texts: readonly string[]): Beginnings<Token[]> {
  return new Beginnings(texts.map(pathTokens), tokens => tokens)
}
