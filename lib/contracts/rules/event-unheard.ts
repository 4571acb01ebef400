// Declared events that nothing waits for.
import { otherEars } from './ears.js'
import { identifiers } from './identifiers.js'
import type { Rule } from './rule.js'
import { enumerate } from './words.js'

export const eventUnheard: Rule = {
  category: 'event-unheard',
  severity: 'warning',
  summary: 'A route declares an event, or ends a stream with one, and no template listens.',
  check (model, report) {
    const { snapshot, source, streams } = model
    const hears = otherEars(model)
    const ids = identifiers(model)
    for (const route of snapshot.routes) {
      const { method, url, events } = route
      const connections = streams.connections.get(route)
      if (events === undefined || connections === undefined || method === 'HEAD') continue
      const listeners = streams.listenersOf(route)
      if (listeners.some(({ isPlain }) => !isPlain)) continue
      // On htmx 4 a fragment goes to the element with its target as id.
      const isHtmx4 = connections.some(({ element }) => element.attributes.some(({ name }) => name === 'hx-sse:connect'))
      const unheard = events.filter(name => !listeners.some(({ names }) => names.has(name)) && !hears(name) && !(isHtmx4 && ids.has(name)))
      if (unheard.length === 0) continue
      report({
        route: `${method} ${url}`,
        message: `${method} ${url} declares ${enumerate(unheard)}, and no template that connects to it listens. Add sse-swap="${unheard[0]}", or remove it from the events of the route`
      })
    }
    // A connection from a script may listen to anything.
    if (streams.connections.size === 0 || streams.listeners.some(({ isPlain }) => !isPlain)) return
    for (const { text, ...place } of source.closeEvents) {
      if (hears(text) || streams.listeners.some(({ names }) => names.has(text))) continue
      report({ ...place, message: `No template waits for "${text}", which ends a stream. Add sse-close="${text}" where that is connected, or correct the name` })
    }
  }
}
