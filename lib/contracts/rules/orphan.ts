// Routes that no template leads to.
import { push } from '../scan/lists.js'
import type { RouteFacts } from '../types.js'
import type { Rule } from './rule.js'
import { routeUsage } from './usage.js'

const METHODS = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])

export const orphan: Rule = {
  category: 'orphan',
  severity: 'info',
  summary: 'No template leads to a route.',
  check (model, report) {
    const { snapshot } = model
    if (!snapshot.hasTemplates) return
    const isUsed = routeUsage(model)
    const byUrl = new Map<string, RouteFacts[]>()
    for (const route of snapshot.routes) {
      if (METHODS.has(route.method)) push(byUrl, route.url, route)
    }
    for (const [url, routes] of byUrl) {
      // A route for all methods is used with one of them.
      if (routes.length === METHODS.size && routes.some(isUsed)) continue
      const orphans = routes.filter(route => isCandidate(route) && !isUsed(route))
      if (orphans.length === 0) continue
      const methods = orphans.map(({ method }) => method)
      report({
        route: `${methods[0]} ${url}`,
        message: `No template leads to ${methods.join(', ')} ${url}. If something else does, mark the route with referenced: true`
      })
    }
  }
}

// Streams have a rule of their own; the address of a parametric route is seldom written out.
function isCandidate ({ url, referenced, isStatic, isStream }: RouteFacts): boolean {
  return url !== '/' && !/[:*]/.test(url) && !referenced && !isStatic && isStream !== true
}
