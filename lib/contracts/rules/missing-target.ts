// Targets that no template has.
import { at, type Model } from '../scan/model.js'
import type { Attribute, Element } from '../scan/parts.js'
import { HOLE } from '../scan/pattern.js'
import { namesOf } from '../scan/streams.js'
import { Texts } from '../scan/texts.js'
import type { SourceText } from '../source/scan.js'
import { suggest } from '../../util/closest.js'
import { otherEars } from './ears.js'
import { identifiers, type Identifiers } from './identifiers.js'
import type { Rule } from './rule.js'
import { show } from './words.js'

const TARGETS = new Set(['hx-target', 'hx-target:inherited'])

export const missingTarget: Rule = {
  category: 'missing-target',
  severity: 'warning',
  summary: 'hx-target, hx-swap-oob or the target of a fragment names an id that no template has.',
  check (model, report) {
    const ids = identifiers(model)
    const severity = ids.isOpen ? 'info' : undefined
    // In a whole page, what is marked to be swapped is also where it goes.
    const placed = new Set(model.pages.filter(({ isWhole }) => isWhole).flatMap(({ places }) => places.flatMap(({ elements }) => elements)))
    for (const element of model.live) {
      for (const attribute of element.attributes) {
        for (const id of targetsOf(element, attribute)) {
          const isSelf = attribute.name === 'hx-swap-oob' && !attribute.conditional && !placed.has(element)
          if (ids.has(id, isSelf ? element : undefined)) continue
          report({
            ...at(model, element, attribute),
            severity,
            message: `No ${isSelf ? 'other ' : ''}element has the id "${id}", which ${attribute.written} names.${suggest(id, ids.known)} Give the target that id, or correct the name`
          })
        }
      }
    }
    const { unreached, isExhausted } = unreachedTargets(model, ids)
    const names = new Set([...ids.known, ...model.streams.listeners.flatMap(({ names }) => [...names])])
    for (const { text, ...place } of unreached) {
      report({
        ...place,
        severity,
        message: `Nothing takes a fragment for "${show(text)}": no sse-swap="${show(text)}" and no element with that id.` +
          `${suggest(text.replace(/^#/, ''), names)} Correct the name on either side`
      })
    }
    if (isExhausted) {
      report({ severity: 'info', message: 'Some targets with expressions are not checked: there are too many of them for so many ids. Begin more of them with a literal text' })
    }
  }
}

// The ids that an attribute means, without a #.
function targetsOf (element: Element, { name, values }: Attribute): string[] {
  if (TARGETS.has(name)) return values.flatMap(value => idOf(value.trim()) ?? [])
  if (name !== 'hx-swap-oob') return []
  return values.flatMap(value => {
    if (value === '' || value === 'false') return []
    const selector = /^\w+:(.*)$/s.exec(value)?.[1]
    if (selector !== undefined) return idOf(selector.trim()) ?? []
    return element.attributes.filter(({ name }) => name === 'id').flatMap(({ values }) => values.flatMap(id => idOf(`#${id}`) ?? []))
  })
}

function idOf (selector: string): string | undefined {
  return /^#([\p{L}_][\p{L}\p{N}_-]*)$/u.exec(selector)?.[1]
}

// A fragment goes to `sse-swap` on htmx 2, and to an id on htmx 4. Pages that
// connect otherwise, with an EventSource of their own, may listen to anything.
function unreachedTargets (model: Model, ids: Identifiers): { unreached: SourceText[], isExhausted: boolean } {
  const { source, streams, wires } = model
  const heard = [...new Set(streams.listeners.flatMap(({ attribute }) => namesOf(attribute) as string[]))]
  if (!wires.some(({ purpose }) => purpose === 'stream') || heard.includes(HOLE)) return { unreached: [], isExhausted: false }
  const hears = otherEars(model)
  const events = new Texts(heard)
  const plain = source.targets.filter(({ text }) => {
    const id = idOf(text) ?? idOf(`#${text}`)
    return id !== undefined && !ids.has(id) && !hears(text) && !events.meet(text)
  })
  const scripts = [...model.library.templates.values()].map(({ scripts }) => scripts).join('\n')
  const open = source.targetPatterns.filter(({ text }) => {
    const pieces = text.split(HOLE).filter(piece => piece !== '')
    // A selector, or an expression alone, can mean anything.
    if (pieces.length === 0 || !/^#?[\p{L}\p{N}_-]*$/u.test(pieces.join(''))) return false
    return !ids.texts.meet(text.replace(/^#/, '')) && !events.meet(text) && !pieces.some(piece => scripts.includes(piece))
  })
  return { unreached: [...plain, ...open], isExhausted: ids.texts.isExhausted || events.isExhausted }
}
