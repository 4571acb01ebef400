// Addresses that only expressions know, such as those of a `url_for`.
import { at } from '../scan/model.js'
import type { Wire } from '../scan/wire.js'
import type { Rule } from './rule.js'

export const unknownUrl: Rule = {
  category: 'unknown-url',
  severity: 'info',
  summary: 'Addresses of a template are made by expressions, and are not checked.',
  check (model, report) {
    const first = new Map<string, { wire: Wire, count: number }>()
    for (const wire of model.wires) {
      if (wire.reach !== undefined || !model.live.has(wire.element)) continue
      const known = first.get(wire.element.template)
      if (known === undefined) first.set(wire.element.template, { wire, count: 1 })
      else known.count++
    }
    for (const { wire: { element, attribute }, count } of first.values()) {
      report({
        ...at(model, element, attribute),
        message: `${count === 1 ? 'An address' : `${count} addresses`} of this template, first this one, cannot be told before it is rendered. To have them checked, begin them with a literal path`
      })
    }
  }
}
