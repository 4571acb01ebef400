// Names of events that no connected stream sends.
import { at, type Model } from '../scan/model.js'
import { OWN_EVENTS, type Listener } from '../scan/streams.js'
import { suggest } from '../../util/closest.js'
import type { Rule } from './rule.js'
import { enumerate } from './words.js'

export const sseSwapUnknown: Rule = {
  category: 'sse-swap-unknown',
  severity: 'error',
  summary: 'sse-swap, sse-close or hx-trigger waits for an event that the route of its stream does not declare.',
  check (model, report) {
    const { snapshot, source, streams } = model
    const declaredAnywhere = new Set(snapshot.routes.flatMap(({ events = [] }) => events))
    for (const listener of streams.listeners) {
      const { attribute, element, routes, names } = listener
      const declared = declaredFor(model, listener)
      const isClose = attribute.name.endsWith('close')
      for (const name of names) {
        const known = declared ?? declaredAnywhere
        // An event without a name is "message". A name with the prefix of reserved events is one of them, from any sender.
        if (known.has(name) || OWN_EVENTS.has(name) || name === 'message' || snapshot.signals.has(/^signal:(.*)/.exec(name)?.[1] ?? '') || (declared === undefined && !name.startsWith('chirp:'))) continue
        if (isClose && source.closeEvents.some(({ text }) => text === name)) continue
        const sent = declared === undefined ? [...OWN_EVENTS] : [...declared]
        const [route] = routes
        report({
          ...at(model, element, attribute),
          // Any stream may have a closeEvent from a call that the checker does not see.
          severity: isClose && !source.isKnown ? 'info' : undefined,
          route: route && `${route.method} ${route.url}`,
          message: `No stream here sends "${name}", which ${attribute.written} waits for.${suggest(name, [...sent, ...OWN_EVENTS])} ` +
            (declared === undefined ? `The plugin sends ${enumerate(sent)}` : `Its route declares ${enumerate(sent)}: correct the name, or add it to the events of the route`)
        })
      }
    }
  }
}

// Undefined when a stream may send undeclared events.
function declaredFor ({ index }: Model, { isOpen, routes }: Listener): Set<string> | undefined {
  if (isOpen || routes.size === 0) return undefined
  const declared = new Set<string>()
  for (const route of routes) {
    if (route.events === undefined || !index.isOwn(route)) return undefined
    for (const name of route.events) declared.add(name)
  }
  return declared
}
