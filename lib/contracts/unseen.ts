// The routes of a router as it prints them, a tree: Fastify has no other list.

/** A line of the tree: its depth in steps of four, a part of a path, and the methods if a route ends there. */
const LINE = /^((?:│ {3}| {4})*)([├└]── )?(.*?)(?: \(([A-Z-]+(?:, [A-Z-]+)*)\)(?: \{.*\})?)?$/

export interface PrintedRoute { method: string, url: string }

/** The routes of a printed tree, by a key that is the same whatever its parameters are called. */
export function routesOf (tree: string): Map<string, PrintedRoute> {
  const routes = new Map<string, PrintedRoute>()
  const path: string[] = []
  for (const line of tree.split('\n')) {
    const [, indent = '', branch, part = '', methods] = LINE.exec(line) as RegExpExecArray
    // A line without a branch is another variant of the node above.
    path.length = Math.max(0, indent.length / 4 - (branch === undefined ? 1 : 0))
    // Routes may call a parameter differently; the first name will do.
    path.push(part === '(empty root node)' ? '' : part.replace(/^(:.*?)\|:.*$/, '$1'))
    for (const method of methods?.split(', ') ?? []) {
      routes.set(`${method} ${path.map(part => part.startsWith(':') ? ':' : part).join('')}`, { method, url: path.join('') })
    }
  }
  return routes
}
