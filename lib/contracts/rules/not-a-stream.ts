// Connections to routes that answer something else.
import { at } from '../scan/model.js'
import type { RouteFacts } from '../types.js'
import type { Rule } from './rule.js'
import { show } from './words.js'

export const notAStream: Rule = {
  category: 'not-a-stream',
  severity: 'error',
  summary: 'sse-connect or hx-sse:connect leads to a route that opens no event stream.',
  check (model, report) {
    for (const { purpose, reach, path, element, attribute } of model.wires) {
      if (purpose !== 'stream' || reach === undefined || reach.routes.length === 0 || !model.live.has(element)) continue
      if (!reach.routes.every(({ isStream }) => isStream === false)) continue
      const { method, url } = reach.routes[0] as RouteFacts
      report({
        ...at(model, element, attribute),
        route: `${method} ${url}`,
        message: `${attribute.written} connects to ${show(path as string)}, whose route opens no stream. Answer with reply.eventStream() there, or connect to another route`
      })
    }
  }
}
