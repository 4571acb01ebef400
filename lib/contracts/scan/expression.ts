// What an expression of a template can come to, as far as its text tells.
import type { AstNode } from '../../render/nunjucks/internals.js'
import { combine, HOLE } from './pattern.js'

/** Filters that leave text as it is, or nearly. */
const TRANSPARENT = new Set(['safe', 'escape', 'e', 'forceescape', 'string', 'trim', 'urlencode'])

/** All texts that an expression can come to, with holes. */
export function textsOf (node: AstNode | null): string[] {
  if (node === null) return ['']
  switch (node.typename) {
    case 'Literal':
      return [node.value === null ? '' : String(node.value)]
    case 'InlineIf':
      return unite(textsOf(node.body), textsOf(node.else_ as AstNode | null))
    case 'Or':
      return unite(textsOf(node.left as AstNode), textsOf(node.right as AstNode))
    case 'Concat':
    case 'Add':
      return combine([textsOf(node.left as AstNode), textsOf(node.right as AstNode)])
    case 'Group':
      return node.children.length === 1 ? textsOf(node.children[0] as AstNode) : [HOLE]
    case 'Filter':
      return TRANSPARENT.has(node.name.value as string) ? textsOf((node.args as AstNode).children[0] as AstNode) : [HOLE]
    default:
      return [HOLE]
  }
}

/** The name of a function that is called: `name`, or `target.name`. */
export function calleeOf (node: AstNode): { target?: string, name: string } | undefined {
  if (node.typename !== 'FunCall') return undefined
  const callee = node.name
  if (callee.typename === 'Symbol') return { name: callee.value as string }
  const target = callee.target as AstNode | undefined
  const property = callee.val as AstNode | undefined
  if (callee.typename !== 'LookupVal' || target?.typename !== 'Symbol' || property?.typename !== 'Literal') return undefined
  return { target: target.value as string, name: String(property.value) }
}

function unite (a: string[], b: string[]): string[] {
  return [...new Set([...a, ...b])]
}
