// Templates that extend each other, leaf first.
import { extension, outline, type Outline } from '../block-path.js'
import type { Host, Twin } from '../host.js'
import type { AstNode, Nunjucks } from '../internals.js'

export interface Level {
  twin: Twin
  /** Undefined if the template came precompiled. */
  outline: Outline | undefined
  /** Whether it extends another one. */
  extending: ReturnType<typeof extension>
  /** The nodes that are, or are around, the tag of a block. */
  holders: ReadonlySet<AstNode>
  /** The calls of super() that Nunjucks replaces, and whether its text is seen there. It does not look into lists of operands or cases. */
  supers: ReadonlyMap<AstNode, boolean>
}

/** Where the body of a block is that Nunjucks renders in the place of a tag. */
export interface Found {
  level: number
  body: AstNode
}

export class Chain {
  readonly levels: readonly Level[]

  constructor (levels: readonly Level[]) {
    this.levels = levels
  }

  get last (): Level {
    return this.levels.at(-1) as Level
  }

  get names (): Set<string> {
    return new Set(this.levels.flatMap(({ twin }) => Object.keys(twin.template.blocks)))
  }

  label (level: number): string {
    return (this.levels[level] as Level).twin.label
  }

  extend (level: Level): Chain {
    return new Chain([...this.levels, level])
  }

  has (twin: Twin): boolean {
    return this.levels.some(level => level.twin === twin)
  }

  /** The body in effect, from a level on. */
  find (block: string, from = 0): Found | undefined {
    for (let level = from; level < this.levels.length; level++) {
      const tag = this.levels[level]?.outline?.blocks.get(block)
      if (tag !== undefined) return { level, body: tag.body }
    }
    return undefined
  }
}

/** The levels of a host's templates, made once. */
export class Levels {
  readonly #host: Host
  readonly #levels = new WeakMap<Twin, Level>()

  constructor (host: Host) {
    this.#host = host
  }

  of (twin: Twin): Level {
    let level = this.#levels.get(twin)
    if (level === undefined) this.#levels.set(twin, level = this.#create(twin))
    return level
  }

  #create (twin: Twin): Level {
    const { nunjucks } = this.#host
    if (twin.source === undefined) return { twin, outline: undefined, extending: 'maybe', holders: new Set(), supers: new Map() }
    const found = outline(nunjucks, this.#host.parse(twin.source), Object.keys(twin.template.blocks))
    return { twin, outline: found, extending: extension(nunjucks, found.root), holders: holdersOf(nunjucks, found), supers: supersOf(nunjucks, found.root) }
  }
}

function holdersOf (nunjucks: Nunjucks, { root, blocks }: Outline): Set<AstNode> {
  const holders = new Set<AstNode>()
  const visit = (node: AstNode): boolean => {
    let holds = node.typename === 'Block' && blocks.get(node.name.value as string) === node
    for (const child of nunjucks.childrenOf(node)) if (visit(child)) holds = true
    if (holds) holders.add(node)
    return holds
  }
  visit(root)
  return holders
}

// The text is in a variable of the outermost block, which macros and blocks in it do not see.
function supersOf (nunjucks: Nunjucks, root: AstNode): Map<AstNode, boolean> {
  const supers = new Map<AstNode, boolean>()
  const visit = (node: AstNode, isInBlock: boolean, isSeen: boolean): void => {
    const { typename } = node
    if (typename === 'Case' || typename === 'CompareOperand') return
    if (isInBlock && typename === 'FunCall' && node.name.value === 'super') {
      supers.set(node, isSeen)
      return
    }
    const isBlock = typename === 'Block'
    const isSeenInside = isBlock ? !isInBlock : isSeen && typename !== 'Macro'
    for (const child of nunjucks.childrenOf(node)) visit(child, isInBlock || isBlock, isSeenInside)
  }
  visit(root, false, true)
  return supers
}
