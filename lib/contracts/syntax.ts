// Walks the syntax trees of JavaScript.
import type { AnyNode, Node } from 'acorn'

/** The nodes right below one. */
export function childrenOf (node: Node): AnyNode[] {
  const children: AnyNode[] = []
  for (const value of Object.values(node)) {
    if (isNode(value)) children.push(value)
    else if (Array.isArray(value)) for (const item of value) if (isNode(item)) children.push(item)
  }
  return children
}

/** All nodes of a tree in the order of the source, each with the one above it. A tree may be deeper than the stack. */
export function * walk (root: Node): Generator<{ node: AnyNode, parent: AnyNode | undefined }> {
  const open: Array<{ node: AnyNode, parent: AnyNode | undefined }> = [{ node: root as AnyNode, parent: undefined }]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    yield next
    for (const node of childrenOf(next.node).reverse()) open.push({ node, parent: next.node })
  }
}

function isNode (value: unknown): value is AnyNode {
  return typeof value === 'object' && value !== null && 'type' in value
}
