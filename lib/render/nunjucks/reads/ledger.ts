// The reads that an analysis meets, each once.
import { formatPath, type Steps } from '../../path.js'
import type { Read, ReadPlace } from '../../reads.js'
import type { AstNode, Nunjucks } from '../internals.js'
import { print } from '../print.js'

/** An expression, and the template that it stands in. */
export interface Site {
  node: AstNode
  label: string
}

export class Ledger {
  /** All reads that were asked for, also of what is never used. */
  evaluated = new Set<Read>()
  readonly #nunjucks: Nunjucks
  readonly #isGlobal: (name: string) => boolean
  readonly #reads = new Map<string, Read>()
  readonly #numbers = new Map<AstNode, number>()

  constructor (nunjucks: Nunjucks, isGlobal: (name: string) => boolean) {
    this.#nunjucks = nunjucks
    this.#isGlobal = isGlobal
  }

  read (steps: Steps, site: Site, isShallow = false): Read {
    const path = formatPath(steps)
    const key = `${isShallow ? '?' : ''}${path} ${this.#number(site.node)}`
    let read = this.#reads.get(key)
    if (read === undefined) {
      const isGlobal = steps.length > 0 && this.#isGlobal(steps[0] as string)
      this.#reads.set(key, read = { path, steps, isShallow, isGlobal, place: this.place(site) })
    }
    this.evaluated.add(read)
    return read
  }

  place ({ node, label }: Site): ReadPlace {
    const placed = this.#firstPlaced(node)
    // Nunjucks counts from zero.
    return { template: label, line: placed && placed.lineno + 1, column: placed && placed.colno + 1, expression: print(node) }
  }

  // `a.b` has the place of its dot. Nodes of custom tags have none.
  #firstPlaced (node: AstNode): AstNode | undefined {
    const first = node.typename === 'LookupVal' ? node.target as AstNode : node.typename === 'FunCall' ? node.name : undefined
    if (first !== undefined) return this.#firstPlaced(first) ?? node
    if (typeof node.lineno === 'number') return node
    return this.#nunjucks.childrenOf(node).map(child => this.#firstPlaced(child)).find(child => child !== undefined)
  }

  #number (node: AstNode): number {
    let number = this.#numbers.get(node)
    if (number === undefined) this.#numbers.set(node, number = this.#numbers.size)
    return number
  }
}
