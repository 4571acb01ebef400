// Declared events that nothing waits for.
import type { Model } from '../scan/model.js'
import type { Rule } from './rule.js'
import { identifiers } from './identifiers.js'
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
        message: `${method} ${url} declares ${enumerate(unheard)}, and no template that connects to it listens. Add sse-swap="${unheard[0]}", or take it from the events of the route`
      })
    }
    // Who connects from a script may listen to anything.
    if (streams.connections.size === 0 || streams.listeners.some(({ isPlain }) => !isPlain)) return
    for (const { text, ...place } of source.closeEvents) {
      if (hears(text) || streams.listeners.some(({ names }) => names.has(text))) continue
      report({ ...place, message: `No template waits for "${text}", which ends a stream. Add sse-close="${text}" where that is connected, or mend the name` })
    }
  }
}

/** Whether something else may wait for an event: a script, a trigger of htmx 4, or what a template makes of a text. */
export function otherEars ({ library, elements }: Model): (name: string) => boolean {
  const templates = [...library.templates.values()]
  const scripts = templates.map(({ scripts }) => scripts).join('\n')
  const names = new Set(templates.flatMap(({ literals }) => [...literals]))
  for (const { attributes } of elements) {
    for (const { name, values } of attributes) {
      if (name.startsWith('hx-on:')) names.add(name.replace(/^hx-on::?/, ''))
      if (name === 'hx-trigger') for (const trigger of values.join(',').split(',')) names.add(trigger.trim().split(/[\s[]/)[0] as string)
    }
  }
  return name => names.has(name) || ['"', "'", '`'].some(quote => scripts.includes(quote + name + quote))
}
