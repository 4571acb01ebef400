// Which routes the templates use.
import type { RouteFacts } from '../types.js'
import { once } from './once.js'

/** Whether a template names a route: in an attribute, a script, or a text that an expression uses. */
export const routeUsage = once(({ wires, library }) => {
  const used = new Set(wires.flatMap(({ reach, method }) => (method === undefined ? reach?.any : reach?.routes) ?? []))
  const templates = [...library.templates.values()]
  // As the argument of a macro, or in a list of links.
  const literals = new Set(templates.flatMap(({ literals }) => [...literals].map(withoutSlash)))
  const scripts = templates.map(({ scripts }) => scripts).join('\n')
  for (const [, path = ''] of scripts.matchAll(/["'`](\/[^"'`?#$\s]*)/g)) literals.add(withoutSlash(path))
  return (route: RouteFacts): boolean => used.has(route) || literals.has(withoutSlash(route.url))
})

function withoutSlash (path: string): string {
  return path.replace(/\/$/, '')
}
