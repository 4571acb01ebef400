// Paths that have a route, for another method.
import type { Model } from '../scan/model.js'
import type { Wire } from '../scan/wire.js'
import type { Element } from '../scan/parts.js'
import { around } from '../scan/tree.js'
import type { Reach } from '../scan/route-index.js'
import { particular, placed } from './addresses.js'
import type { Rule } from './rule.js'
import { show } from './words.js'

export const method: Rule = {
  category: 'method',
  severity: 'error',
  summary: 'The path of a link, a form or a request has a route, but not for this method.',
  check (model, report) {
    const overriding = overridingForms(model)
    for (const wire of model.wires) {
      if (!model.live.has(wire.element) || overriding.has(wire.element) || !isWrong(model, wire)) continue
      const { method, path, reach, attribute } = wire
      const routes = particular((reach as Reach).any)
      const taken = [...new Set(routes.map(({ method }) => method))]
      report({
        ...placed(model, wire),
        route: `${taken[0]} ${routes[0]?.url}`,
        message: `${attribute.written} sends ${method} to ${show(path as string)}, which takes ${taken.join(', ')}. Use that, or add a route for ${method}`
      })
    }
  }
}

// Routes of which only the existence is known may take anything.
function isWrong ({ index }: Model, { method, reach }: Wire): boolean {
  if (method === undefined || reach === undefined || reach.routes.length > 0) return false
  const routes = particular(reach.any)
  return routes.length > 0 && routes.every(route => index.isOwn(route))
}

// By convention a field `_method` says what the server takes a POST for.
function overridingForms ({ pages }: Model): Set<Element> {
  const forms = new Set<Element>()
  for (const { places } of pages) {
    for (const place of places) {
      const isOverride = place.elements.some(({ attributes }) => attributes.some(({ name, values }) => name === 'name' && values.includes('_method')))
      if (!isOverride) continue
      for (const { elements } of around(place)) for (const element of elements) forms.add(element)
    }
  }
  return forms
}
