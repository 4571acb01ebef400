// Ids that come twice in one page.
import { at } from '../scan/model.js'
import type { Element } from '../scan/parts.js'
import { isKnown } from '../scan/pattern.js'
import { around, type Choice, type Place } from '../scan/tree.js'
import type { Rule } from './rule.js'

export const duplicateId: Rule = {
  category: 'duplicate-id',
  severity: 'warning',
  summary: 'Two elements of a page have the same id; a swap finds the first one only.',
  check (model, report) {
    const told = new Set<Element>()
    for (const { isWhole, places, template } of model.pages) {
      if (!isWhole) continue
      const first = new Map<string, Place[]>()
      for (const place of places) {
        const id = idOf(place)
        if (id === undefined) continue
        const [element] = place.elements as [Element]
        const others = first.get(id) ?? []
        first.set(id, [...others, place].slice(0, 8))
        const other = others.find(other => isTogether(other.choice, place.choice))
        if (told.has(element) || (other === undefined && place.choice?.loop !== true)) continue
        told.add(element)
        const attribute = element.attributes.find(({ name }) => name === 'id')
        const where = other === undefined ? 'is repeated by the loop around it' : describe(element, other.elements[0] as Element, template)
        report({ ...at(model, element, attribute), message: `The id "${id}" ${where}. Give each element an id of its own` })
      }
    }
  }
}

function describe (element: Element, other: Element, page: string): string {
  if (element === other) return `comes more than once in "${page}", because its template does`
  return element.template === other.template ? 'is there twice' : `is also in "${other.template}", in the same page`
}

// An id that is surely there with its element. Drawings repeat theirs, and a
// swap out of band has to.
function idOf (place: Place): string | undefined {
  const [element] = place.elements as [Element]
  const id = element.attributes.find(({ name }) => name === 'id')
  if (id === undefined || id.conditional || id.values.length !== 1 || !isKnown(id.values[0] as string)) return undefined
  if (element.attributes.some(({ name }) => name === 'hx-swap-oob')) return undefined
  for (const { elements } of around(place)) if (elements[0]?.name === 'svg') return undefined
  return id.values[0]
}

// One of the choices is around the other, so with the inner one both are there.
function isTogether (a: Choice | undefined, b: Choice | undefined): boolean {
  return isAround(a, b) || isAround(b, a)
}

function isAround (outer: Choice | undefined, inner: Choice | undefined): boolean {
  if (outer === undefined) return true
  for (let at = inner; at !== undefined; at = at.around) if (at === outer) return true
  return false
}
