// Attributes of htmx 2 in pages with htmx 4.
import { at } from '../scan/model.js'
import { dialectsOf, REMOVED } from './generation.js'
import type { Rule } from './rule.js'

export const removedAttribute: Rule = {
  category: 'removed-attribute',
  severity: 'warning',
  summary: 'A page with htmx 4 has an attribute that htmx 4 does not know.',
  check (model, report) {
    for (const { loaded, traits } of dialectsOf(model)) {
      if (loaded !== 4) continue
      for (const { element, attribute, generation } of traits) {
        if (generation !== 2) continue
        report({ ...at(model, element, attribute), message: `htmx 4 does not know ${attribute.written}: ${REMOVED[attribute.name]}` })
      }
    }
  }
}
