// Fragments with a swap that does not reach htmx 2: there the element decides.
import type { Model } from '../scan/model.js'
import { isKnown } from '../scan/pattern.js'
import { around, type Place } from '../scan/tree.js'
import { dialectsOf } from './generation.js'
import type { Rule } from './rule.js'
import { DEFAULT_STYLE, styleOf } from './swaps.js'

export const swapMismatch: Rule = {
  category: 'swap-mismatch',
  severity: 'warning',
  summary: 'A fragment has another swap than the element that takes it on htmx 2.',
  check (model, report) {
    const { swaps } = model.source
    if (swaps.length === 0) return
    const styles = stylesByName(model)
    for (const { targets, swap: { text, ...place } } of swaps) {
      for (const { text: target } of targets) {
        const known = styles.get(target)
        if (known === undefined || known.has(undefined) || known.has(styleOf(text))) continue
        report({
          ...place,
          message: `This fragment has the swap "${text}", and the element with sse-swap="${target}" has hx-swap="${[...known].join('" or "')}", which htmx 2 uses. Give both the same`
        })
      }
    }
  }
}

/** The swaps of each event by elements on htmx 2; undefined among them when it cannot be told. */
function stylesByName (model: Model): Map<string, Set<string | undefined>> {
  const styles = new Map<string, Set<string | undefined>>()
  // htmx.config
  const isConfigured = model.elements.some(({ name, attributes }) => name === 'meta' && attributes.some(({ values }) => values.some(value => /defaultSwapStyle|disableInheritance/.test(value))))
  for (const { page, loaded } of dialectsOf(model)) {
    if (loaded === 4) continue
    for (const place of page.places) {
      for (const { attributes } of place.elements) {
        for (const { name, values, isPrinted } of attributes) {
          // Printed attributes may be for either.
          if (name !== 'sse-swap' || (isPrinted && loaded !== 2)) continue
          const style = isConfigured ? undefined : styleAt(place, page.isWhole)
          for (const event of values.flatMap(value => value.split(',')).map(event => event.trim())) {
            styles.set(event, (styles.get(event) ?? new Set()).add(style))
          }
        }
      }
    }
  }
  return styles
}

// htmx 2 looks on the way up. The surroundings of a part of a page are unknown.
function styleAt (place: Place, isWhole: boolean): string | undefined {
  for (const { elements } of around(place)) {
    const [element] = elements
    if (element === undefined || elements.length > 1 || element.dynamic) return undefined
    const swap = element.attributes.find(({ name }) => name === 'hx-swap')
    if (swap !== undefined) return swap.conditional || swap.values.length !== 1 || !isKnown(swap.values[0] as string) ? undefined : styleOf(swap.values[0] as string)
    if (element.attributes.some(({ name }) => name === 'hx-disinherit')) return undefined
  }
  return isWhole ? DEFAULT_STYLE : undefined
}
