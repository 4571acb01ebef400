// The ids that elements can have.
import type { Element } from '../scan/parts.js'
import { push } from '../scan/lists.js'
import { HOLE, isKnown, Patterns } from '../scan/pattern.js'
import { Texts } from '../scan/texts.js'
import { once } from './once.js'

/** All ids of an app. */
export interface Identifiers {
  /** Whether an element can have it; `except` does not count. */
  has (id: string, except?: Element): boolean
  /** All that elements can have. */
  texts: Texts
  known: ReadonlySet<string>
  /** Some elements have an id of which nothing is known. */
  isOpen: boolean
}

/** The ids of all templates, and of HTML that scripts and source make. */
export const identifiers = once(({ library, elements, pages, source }): Identifiers => {
  const owners = new Map<string, Element[]>()
  const patterns = new Set<string>()
  for (const element of elements) {
    for (const { name, values } of element.attributes) {
      if (name !== 'id') continue
      for (const value of values) {
        if (isKnown(value)) push(owners, value, element)
        else if (value !== HOLE) patterns.add(value)
      }
    }
  }
  const known = new Patterns(patterns)
  const templates = [...library.templates.values()]
  // A macro makes an id of its argument.
  const literals = new Set(templates.flatMap(({ literals }) => [...literals]))
  const made = [...templates.map(({ scripts }) => scripts), ...source.literals, ...source.patterns].join('\n')
  for (const [, id = ''] of made.matchAll(/\bid["'`]?\s*[=:,]\s*["'`]([\w-]+)/g)) literals.add(id)
  return {
    known: new Set(owners.keys()),
    isOpen: pages.some(({ places }) => places.some(({ elements, choice }) => choice?.loop !== true && elements.some(hasOpenId))),
    texts: new Texts([...owners.keys(), ...literals, ...patterns]),
    has: (id, except) => owners.get(id)?.some(owner => owner !== except) === true || literals.has(id) || known.fit(id)
  }
})

// Items of a list have ids that come from data. They are not what a literal target means.
function hasOpenId ({ attributes, dynamic }: Element): boolean {
  return dynamic || attributes.some(({ name, values }) => name === 'id' && values.includes(HOLE))
}
