// Streams that no template opens.
import type { Rule } from './rule.js'
import { routeUsage } from './usage.js'

export const unreferencedStream: Rule = {
  category: 'unreferenced-stream',
  severity: 'warning',
  summary: 'No template connects to a stream, and its route is not marked as referenced.',
  check (model, report) {
    const { snapshot, streams } = model
    const isUsed = routeUsage(model)
    for (const route of snapshot.routes) {
      const { method, url, isStream, isLivePage, referenced } = route
      if (isStream !== true || isLivePage || referenced || method === 'HEAD' || isUsed(route)) continue
      report({
        route: `${method} ${url}`,
        // A connection to an unknown address may lead here.
        severity: streams.isOpen || !snapshot.hasTemplates ? 'info' : undefined,
        message: `No template connects to the stream ${method} ${url}. Add sse-connect="${url}", or mark the route with referenced: true if something else opens it`
      })
    }
  }
}
