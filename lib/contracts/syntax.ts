// Walks the syntax trees of JavaScript.
import type { AnyNode, Node } from 'acorn'

/** The nodes right below one. */
export function childrenOf (node: Node): AnyNode[] {
  return Object.values(node).flat().filter((value): value is AnyNode => typeof value === 'object' && value !== null && 'type' in value)
}
