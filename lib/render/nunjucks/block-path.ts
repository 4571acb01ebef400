// The place of a block in a chain of templates, and the statements that have to run before
// it. Only syntax trees: nothing here renders.
import { isList, type AstNode, type Nunjucks } from './internals.js'

/** A template's syntax tree and the blocks that it defines. */
export interface Outline {
  root: AstNode
  blocks: Map<string, AstNode>
}

/** A part of a template (its top level, or one of its blocks) and the tag in it that leads on. */
export interface Step {
  /** The index of the template in the chain, the leaf is 0. */
  level: number
  /** The name of the block; undefined for the top level. */
  block: string | undefined
  scope: AstNode
  tag: AstNode
}

const SETUP = new Set(['Set', 'Import', 'FromImport', 'Macro', 'Extends'])
const BRANCHES = new Set(['If', 'IfAsync', 'For', 'AsyncEach', 'AsyncAll'])

/** Finds the bodies of the blocks that Nunjucks compiled: it overlooks those in a `switch`. */
export function outline (nunjucks: Nunjucks, root: AstNode, names: string[]): Outline {
  const blocks = new Map<string, AstNode>()
  for (const node of descendants(nunjucks, root, () => true)) {
    if (node.typename === 'Block' && names.includes(node.name.value as string)) blocks.set(node.name.value as string, node)
  }
  return { root, blocks }
}

/** Whether a template extends another: always, if a condition holds, or never. */
export function extension (nunjucks: Nunjucks, root: AstNode): 'always' | 'maybe' | 'never' {
  if (root.children.some(isExtends)) return 'always'
  return holds(nunjucks, root, isExtends) ? 'maybe' : 'never'
}

/**
 * The steps from the top level of the last template of the chain to the tag of
 * a block. A block leads to those in the body that is in effect, which is the
 * one nearest to the leaf, and by super() to those further up.
 */
export function findRoute (nunjucks: Nunjucks, chain: Outline[], block: string): Step[] | undefined {
  const seen = new Set<AstNode>()
  return search(chain.length - 1, undefined, (chain.at(-1) as Outline).root)

  function search (level: number, name: string | undefined, scope: AstNode): Step[] | undefined {
    // Two blocks that override each other's parent could hold each other.
    if (seen.has(scope)) return undefined
    seen.add(scope)
    for (const tag of descendants(nunjucks, scope, node => node.typename !== 'Block')) {
      const isBlock = tag.typename === 'Block'
      if (isBlock && tag.name.value === block) return [{ level, block: name, scope, tag }]
      if (!isBlock && (name === undefined || !isSuper(tag))) continue
      const target = isBlock ? tag.name.value as string : name as string
      const found = chain.findIndex((outline, index) => (isBlock || index > level) && outline.blocks.has(target))
      if (found === -1) continue
      const rest = search(found, target, ((chain[found] as Outline).blocks.get(target) as AstNode).body)
      // Nunjucks renders super() before anything else in a body, so there is
      // nothing to run on the way to it.
      if (rest !== undefined) return isBlock ? [{ level, block: name, scope, tag }, ...rest] : rest
    }
    return undefined
  }
}

/**
 * The part of `scope` that has to run to get to `tag`: the statements before it that set
 * something, without the outputs, loops and conditions around it; then
 * `hop` in its place. Without a tag: all statements that set something. With `goOn` also
 * those after it, because they may still extend another template.
 */
export function prune (nunjucks: Nunjucks, scope: AstNode, tag?: AstNode, hop?: AstNode, goOn = false): AstNode[] {
  return pruneList(scope.children)

  function pruneList (statements: AstNode[]): AstNode[] {
    const index = statements.findIndex(statement => tag !== undefined && holds(nunjucks, statement, node => node === tag))
    const before = statements.slice(0, index === -1 ? undefined : index).flatMap(setup)
    if (index === -1) return before
    const statement = statements[index] as AstNode
    if (!goOn) return [...before, ...enter(statement)]
    // `if` may choose between extending and the block: keep it whole.
    const there = holds(nunjucks, statement, isExtends) ? [...setup(statement), hop as AstNode] : enter(statement)
    return [...before, ...there, ...statements.slice(index + 1).flatMap(setup)]
  }

  function enter (node: AstNode): AstNode[] {
    if (node === tag) return [hop as AstNode]
    if (isList(node)) return pruneList(node.children)
    return enter(nunjucks.childrenOf(node).find(child => holds(nunjucks, child, node => node === tag)) as AstNode)
  }

  function setup (node: AstNode): AstNode[] {
    if (SETUP.has(node.typename)) return [node]
    if (node.typename === 'Switch') {
      const bodies = [...(node.cases as AstNode[]), node.default as AstNode | null].map(part => part?.typename === 'Case' ? part.body : part)
      return setupIn(node, bodies)
    }
    return BRANCHES.has(node.typename) ? setupIn(node, [node.body, node.else_ as AstNode | null]) : []
  }

  function setupIn (node: AstNode, bodies: Array<AstNode | null>): AstNode[] {
    let kept = 0
    for (const body of bodies) {
      if (body === null) continue
      // `elif` is an `if` of its own.
      const left = isList(body) ? body.children.flatMap(setup) : setup(body)
      kept += left.length
      if (!isList(body)) continue
      // An empty case would go on with the next one.
      body.children = left.length === 0 && body.children.length > 0 ? [nunjucks.node('Output', [])] : left
    }
    return kept === 0 ? [] : [node]
  }
}

export function isExtends (node: AstNode): boolean {
  return node.typename === 'Extends'
}

function isSuper (node: AstNode): boolean {
  return node.typename === 'FunCall' && node.name.value === 'super'
}

function holds (nunjucks: Nunjucks, node: AstNode, wanted: (node: AstNode) => boolean): boolean {
  if (wanted(node)) return true
  return nunjucks.childrenOf(node).some(child => holds(nunjucks, child, wanted))
}

// The nodes below `node` in the order of the document, without what is in those that `enter` refuses.
function * descendants (nunjucks: Nunjucks, node: AstNode, enter: (node: AstNode) => boolean): Generator<AstNode> {
  for (const child of nunjucks.childrenOf(node)) {
    yield child
    if (enter(child)) yield * descendants(nunjucks, child, enter)
  }
}
