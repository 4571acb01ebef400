// Walks the syntax trees of JavaScript.
import type { AnyNode, Node } from 'acorn'

/** The nodes right below one. */
export function childrenOf (node: Node): AnyNode[] {
  const children: AnyNode[] = []
  for (const value of Object.values(node)) {
    if (isNode(value)) children.push(value)
    else if (Array.isArray(value)) children.push(...value.filter(isNode))
  }
  return children
}

function isNode (value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value
}
