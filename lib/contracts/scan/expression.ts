// The possible values of an expression of a template, as far as its text tells them.
import type { AstNode } from '../../render/nunjucks/internals.js'
import { MOST_NESTED } from '../limits.js'
import { clip, combine, HOLE, unite } from './pattern.js'

/** Filters that leave text as it is, or nearly. */
const TRANSPARENT = new Set(['safe', 'escape', 'e', 'forceescape', 'string', 'trim', 'urlencode'])

/** All texts that an expression can come to, with holes. */
export function textsOf (node: AstNode | null, depth = 0): string[] {
  const inner = node && unwrap(node)
  if (inner === null) return ['']
  if (depth > MOST_NESTED) return [HOLE]
  const read = (part: AstNode | null): string[] => textsOf(part, depth + 1)
  switch (inner.typename) {
    case 'Literal':
      return [inner.value === null ? '' : clip(String(inner.value))]
    case 'InlineIf':
      return unite(unroll(inner, ['InlineIf'], 'body', 'else_').map(read))
    case 'Or':
      return unite(unroll(inner, ['Or'], 'left', 'right').map(read))
    case 'Concat':
    case 'Add':
      return combine(unroll(inner, ['Concat', 'Add'], 'left', 'right').map(read))
    default:
      return [HOLE]
  }
}

// Without parentheses, and without filters that leave text as it is.
function unwrap (node: AstNode): AstNode {
  let inner = node
  for (let next = within(inner); next !== undefined; next = within(inner)) inner = next
  return inner
}

function within ({ typename, children, name, args }: AstNode): AstNode | undefined {
  if (typename === 'Group' && children.length === 1) return children[0]
  if (typename === 'Filter' && TRANSPARENT.has(name.value as string)) return (args as AstNode).children[0]
  return undefined
}

// The operands of `a ~ b ~ c`, which is parsed as `(a ~ b) ~ c`, however long it is.
function unroll (node: AstNode, typenames: string[], left: string, right: string): Array<AstNode | null> {
  const operands: Array<AstNode | null> = []
  let first = node
  for (; typenames.includes(first.typename); first = first[left] as AstNode) operands.push(first[right] as AstNode | null)
  return [...operands, first].reverse()
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
