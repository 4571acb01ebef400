// Streams whose events land in the target of something around them.
import { at } from '../scan/model.js'
import type { Attribute, Element } from '../scan/parts.js'
import { around, type Place } from '../scan/tree.js'
import type { Rule } from './rule.js'
import { show } from './words.js'

/** A connection, and the target that it inherits. */
interface Broad { element: Element, attribute: Attribute, target: string }

export const broadTarget: Rule = {
  category: 'broad-target',
  severity: 'warning',
  summary: 'What a stream sends goes to the hx-target of an element around the connection.',
  check (model, report) {
    // htmx.config.disableInheritance
    if (model.elements.some(({ name, attributes }) => name === 'meta' && attributes.some(({ values }) => values.some(value => value.includes('disableInheritance'))))) return
    for (const { places } of model.pages) {
      for (const place of places) {
        for (const { element, attribute, target } of [inheritedBySwap(place), inheritedByConnect(place)].filter(found => found !== undefined)) {
          report({
            ...at(model, element, attribute),
            message: `Events of this stream are swapped into hx-target="${show(target)}" of an element around it. ` +
              'Put hx-target="this" on the element that they are for, or hx-disinherit="hx-target" on the one around'
          })
        }
      }
    }
  }
}

// htmx 2: an element with `sse-swap` inherits like every other.
function inheritedBySwap (place: Place): Broad | undefined {
  if (!hasAttribute(place, 'sse-swap')) return undefined
  let connection: { element: Element, attribute: Attribute } | undefined
  for (const at of around(place)) {
    if (at.elements.length !== 1) return undefined
    const [element] = at.elements as [Element]
    const attributes = new Map(element.attributes.map(attribute => [attribute.name, attribute]))
    if (element.dynamic) return undefined
    const disinherit = attributes.get('hx-disinherit')
    if (disinherit !== undefined && at !== place && disinherit.values.some(value => /\*|hx-target/.test(value))) return undefined
    const target = attributes.get('hx-target')
    if (target !== undefined) return connection && !target.conditional ? broad(connection, target) : undefined
    const connect = attributes.get('sse-connect')
    if (connect !== undefined) connection ??= { element, attribute: connect }
  }
  return undefined
}

// htmx 4: the element that connects is the one that swaps, and inherits only what says so.
function inheritedByConnect (place: Place): Broad | undefined {
  const [element] = place.elements as [Element]
  const attribute = element.attributes.find(({ name }) => name === 'hx-sse:connect')
  if (attribute === undefined) return undefined
  for (const { elements } of around(place)) {
    if (elements.length !== 1 || elements[0]?.dynamic === true) return undefined
    const { attributes } = elements[0] as Element
    const target = attributes.find(({ name }) => name === 'hx-target:inherited')
    if (target !== undefined) return elements[0] === element || target.conditional ? undefined : broad({ element, attribute }, target)
    if (elements[0] === element && attributes.some(({ name }) => name === 'hx-target')) return undefined
  }
  return undefined
}

function broad (connection: { element: Element, attribute: Attribute }, { values }: Attribute): Broad | undefined {
  const [target = ''] = values
  return target === 'unset' ? undefined : { ...connection, target }
}

function hasAttribute ({ elements }: Place, wanted: string): boolean {
  return elements.some(({ attributes }) => attributes.some(({ name }) => name === wanted))
}
