// The filters and tests that a template uses: Nunjucks asks for them only when
// it renders.
import type { AstNode } from '../../render/nunjucks/internals.js'
import type { Lines } from './position.js'

/** A filter or a test that a template names. */
export interface Need { kind: 'filter' | 'test', name: string, offset: number }

/** All of a syntax tree. */
export function needsOf (root: AstNode, lines: Lines): Need[] {
  const needs: Need[] = []
  const open: unknown[] = [root]
  while (open.length > 0) {
    const node = open.pop() as AstNode
    const need = needOf(node)
    // Nodes of a custom tag may have no place.
    if (need !== undefined) needs.push({ ...need, offset: typeof need.at.lineno === 'number' ? lines.offset(need.at.lineno, need.at.colno) : 0 })
    for (const value of Object.values(node)) if (typeof value === 'object' && value !== null) open.push(value)
  }
  return needs.map(({ kind, name, offset }) => ({ kind, name, offset })).sort((a, b) => a.offset - b.offset)
}

function needOf (node: AstNode): { kind: Need['kind'], name: string, at: AstNode } | undefined {
  if (node.typename === 'Filter') return { kind: 'filter', name: String(node.name.value), at: node.name }
  if (node.typename !== 'Is') return undefined
  const right = node.right as AstNode
  // `is divisibleby(3)` is a call, `is none` a literal.
  const named = right.typename === 'FunCall' ? right.name : right
  return { kind: 'test', name: String(named.value), at: named }
}
