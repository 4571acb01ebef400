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
  /** Stands for what a precompiled template does. */
  readonly unknown: AstNode
  readonly #nunjucks: Nunjucks
  readonly #isGlobal: (name: string) => boolean
  readonly #reads = new Map<AstNode, Map<string, Read>>()

  constructor (nunjucks: Nunjucks, isGlobal: (name: string) => boolean) {
    this.unknown = nunjucks.node('Symbol', '...')
    this.#nunjucks = nunjucks
    this.#isGlobal = isGlobal
  }

  read (steps: Steps, site: Site, isShallow = false): Read {
    const path = formatPath(steps)
    const key = isShallow ? `?${path}` : path
    let reads = this.#reads.get(site.node)
    if (reads === undefined) this.#reads.set(site.node, reads = new Map())
    let read = reads.get(key)
    if (read === undefined) {
      const isGlobal = steps.length > 0 && this.#isGlobal(steps[0] as string)
      reads.set(key, read = new PlacedRead(path, steps, isShallow, isGlobal, site, this))
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
    const placed = first && this.#firstPlaced(first)
    if (placed !== undefined || typeof node.lineno === 'number') return placed ?? node
    return this.#nunjucks.childrenOf(node).map(child => this.#firstPlaced(child)).find(child => child !== undefined)
  }
}

/** A read whose place is found when somebody asks for it, which is seldom. */
class PlacedRead implements Read {
  readonly path: string
  readonly steps: Steps
  readonly isShallow: boolean
  readonly isGlobal: boolean
  readonly #site: Site
  readonly #ledger: Ledger

  constructor (path: string, steps: Steps, isShallow: boolean, isGlobal: boolean, site: Site, ledger: Ledger) {
    this.path = path
    this.steps = steps
    this.isShallow = isShallow
    this.isGlobal = isGlobal
    this.#site = site
    this.#ledger = ledger
  }

  get place (): ReadPlace {
    return this.#ledger.place(this.#site)
  }
}
