// The facts about a template's syntax tree that an analysis asks for again and again, found in one walk.
import { isExtends } from '../block-path.js'
import type { AstNode, Environment, Nunjucks } from '../internals.js'

export interface Survey {
  root: AstNode
  /** The tags of the blocks that Nunjucks compiled. */
  blocks: ReadonlyMap<string, AstNode>
  /** Whether it extends another template: always, if a condition holds, or never. */
  extending: 'always' | 'maybe' | 'never'
  /** The nodes that are, or are around, the tag of a block. */
  holders: ReadonlySet<AstNode>
  /** The tags that name other templates. */
  naming: readonly AstNode[]
  /** The bodies of blocks that call super() for themselves, as the renderer looks for blocks. */
  supers: ReadonlySet<AstNode>
  /** These, and the bodies around them, as Nunjucks has it. */
  supersWithin: ReadonlySet<AstNode>
  /** The calls of super() that Nunjucks replaces, and whether its text is seen there. */
  superCalls: ReadonlyMap<AstNode, boolean>
  /** The nodes that answer by callback, and those around them. */
  later: ReadonlySet<AstNode>
}

const NAMING = new Set(['Extends', 'Include', 'Import', 'FromImport'])
// Nunjucks does not look into lists of cases or operands for super().
const OVERLOOKED = new Set(['Case', 'CompareOperand'])
const LATER = new Set(['IfAsync', 'AsyncEach', 'AsyncAll', 'CallExtensionAsync'])

/** @param names of the blocks that Nunjucks compiled: it overlooks those in the content of custom tags. */
export function survey (nunjucks: Nunjucks, root: AstNode, names: readonly string[], { asyncFilters }: Environment): Survey {
  const blocks = new Map<string, AstNode>()
  const around = new Map<AstNode, readonly AstNode[]>()
  const naming: AstNode[] = []
  const supers = new Set<AstNode>()
  const supersWithin = new Set<AstNode>()
  const superCalls = new Map<AstNode, boolean>()
  const later = new Set<AstNode>()
  const path: AstNode[] = []

  visit(root)
  const holders = new Set<AstNode>()
  for (const tag of blocks.values()) for (const node of around.get(tag) as AstNode[]) holders.add(node)
  const extending = root.children.some(isExtends) ? 'always' : naming.some(isExtends) ? 'maybe' : 'never'
  return { root, blocks, extending, holders, naming, supers, supersWithin, superCalls, later }

  function visit (node: AstNode): void {
    path.push(node)
    note(node, node.typename)
    for (const child of nunjucks.childrenOf(node)) visit(child)
    path.pop()
  }

  function note (node: AstNode, typename: string): void {
    if (NAMING.has(typename)) naming.push(node)
    else if (typename === 'Block') place(node, node.name.value as string)
    else if (typename === 'FunCall' && node.name.value === 'super') callSuper(node)
    if (LATER.has(typename) || (typename === 'Filter' && asyncFilters.includes(node.name.value as string))) {
      for (const outer of path) later.add(outer)
    }
  }

  // Of two of the same name the last one counts.
  function place (tag: AstNode, name: string): void {
    if (!names.includes(name)) return
    blocks.set(name, tag)
    around.set(tag, [...path])
  }

  function callSuper (call: AstNode): void {
    const outermost = path.findIndex(({ typename }) => typename === 'Block')
    // The text is in a variable of the outermost block, which macros and blocks in it do not see.
    if (outermost !== -1 && !path.some(({ typename }) => OVERLOOKED.has(typename))) {
      superCalls.set(call, !path.slice(outermost + 1).some(({ typename }) => typename === 'Block' || typename === 'Macro'))
    }
    const bodies = path.filter(({ typename }) => typename === 'Block').map(({ body }) => body)
    for (const body of bodies) supersWithin.add(body)
    const own = bodies.at(-1)
    if (own !== undefined) supers.add(own)
  }
}
