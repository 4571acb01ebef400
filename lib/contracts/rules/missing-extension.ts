// Connections that htmx 2 does not make, because it is not told of the extension.
import { at } from '../scan/model.js'
import { isKnown } from '../scan/pattern.js'
import { around, type Place } from '../scan/tree.js'
import { dialectsOf } from './generation.js'
import type { Rule } from './rule.js'

export const missingExtension: Rule = {
  category: 'missing-extension',
  severity: 'warning',
  summary: 'sse-connect is not inside of an element with hx-ext="sse", which htmx 2 needs.',
  check (model, report) {
    for (const { page: { isWhole, places }, loaded, traits } of dialectsOf(model)) {
      // htmx 4 needs no attribute.
      if (!isWhole || loaded === 4 || traits.some(({ generation }) => generation === 4)) continue
      // Without a trait of htmx 2 it may be either.
      if (loaded === undefined && traits.length === 0) continue
      for (const place of places) {
        for (const element of place.elements) {
          const attribute = element.attributes.find(({ name }) => name === 'sse-connect')
          if (attribute === undefined || mayHaveExtension(place)) continue
          report({
            ...at(model, element, attribute),
            severity: loaded === 2 ? 'error' : undefined,
            message: `htmx 2 opens ${attribute.written} only inside of hx-ext="sse". Add hx-ext="sse" to this element, or to one around it`
          })
        }
      }
    }
  }
}

// htmx 2 collects extensions on the way up.
function mayHaveExtension (place: Place): boolean {
  for (const { elements } of around(place)) {
    if (elements.length === 0) return true
    for (const { dynamic, attributes } of elements) {
      if (dynamic || attributes.some(({ name, values }) => name === 'hx-ext' && values.some(hasSse))) return true
    }
  }
  return false
}

function hasSse (extensions: string): boolean {
  return !isKnown(extensions) || extensions.split(',').some(name => name.trim() === 'sse')
}
