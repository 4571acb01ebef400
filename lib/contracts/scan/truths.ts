// Variables that a template asks for their truth, with nothing around that asks
// whether they are there.
import type { AstNode } from '../../render/nunjucks/internals.js'
import type { Lines } from './position.js'

/** A variable in a condition. */
export interface Truth { name: string, offset: number }

const STATES = /^(?:pending|failed|settled|defined|undefined)$/

/** All of a syntax tree, but for macros, whose variables are their own, and for the variables that the template sets itself. */
export function truthsOf (root: AstNode, lines: Lines): Truth[] {
  const truths: Truth[] = []
  const open: Array<{ node: AstNode, known: ReadonlySet<string> }> = [{ node: root, known: namesIn(root, bound) }]
  while (open.length > 0) {
    const { node, known } = open.pop()!
    if (node.typename === 'Macro') continue
    let inside = known
    if (/^(?:If|IfAsync|InlineIf)$/.test(node.typename)) {
      const asked = namesIn(node.cond, asksForState)
      inside = asked.size === 0 ? known : new Set([...known, ...asked])
      for (const symbol of operandsOf(node.cond as AstNode)) {
        const name = String(symbol.value)
        if (!inside.has(name)) truths.push({ name, offset: lines.offset(symbol.lineno, symbol.colno) })
      }
    }
    for (const child of childrenOf(node)) open.push({ node: child, known: inside })
  }
  return truths.sort((a, b) => a.offset - b.offset)
}

/** The variables whose truth decides. */
function operandsOf ({ typename, ...node }: AstNode): AstNode[] {
  if (typename === 'Symbol') return [node as AstNode]
  if (typename === 'Not') return operandsOf(node.target as AstNode)
  if (typename === 'And' || typename === 'Or') return [...operandsOf(node.left as AstNode), ...operandsOf(node.right as AstNode)]
  return typename === 'Group' ? node.children.slice(-1).flatMap(operandsOf) : []
}

function namesIn (root: unknown, find: (node: AstNode) => AstNode[]): Set<string> {
  const names = new Set<string>()
  const open = [root as AstNode]
  while (open.length > 0) {
    const node = open.pop()!
    for (const { value } of find(node)) names.add(String(value))
    for (const child of childrenOf(node)) open.push(child)
  }
  return names
}

function bound ({ typename, targets, name }: AstNode): AstNode[] {
  if (typename === 'Set') return targets as AstNode[]
  if (!/^(?:For|AsyncEach|AsyncAll)$/.test(typename)) return []
  return name.typename === 'Array' ? name.children : [name]
}

function asksForState ({ typename, left, right }: AstNode): AstNode[] {
  return typename === 'Is' && STATES.test(String((right as AstNode).value)) ? [left as AstNode] : []
}

function childrenOf (node: AstNode): AstNode[] {
  return Object.values(node).flat().filter((value): value is AstNode => typeof value === 'object' && value !== null)
}
