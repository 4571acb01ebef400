// Elements with blocks, includes or macros inside of their tag: in each page
// these may give it other attributes.
import type { Attribute, Element, Part, Slot } from './parts.js'

/** What stands in the place of a statement. */
export interface FilledContent {
  /** The list of parts that it is from. */
  key: Part[]
  attributes: readonly Attribute[]
  dynamic: boolean
  fillings: readonly Filling[]
}

/** A statement and what is in its place; undefined when that cannot be told, or is nothing. */
export interface Filling { part: Slot['part'], conditional: boolean, content: FilledContent | undefined }

interface Filled { keys: ReadonlyArray<Part[] | undefined>, element: Element }

const known = new WeakMap<Element, Filled[]>()

/** The element with what its slots are filled with, the same one for the same content. */
export function fill (element: Element, fillings: readonly Filling[]): Element {
  const keys = fillings.flatMap(keysOf)
  const filled = known.get(element) ?? []
  known.set(element, filled)
  const same = filled.find(other => other.keys.length === keys.length && other.keys.every((key, index) => key === keys[index]))
  if (same !== undefined) return same.element
  const made: Element = {
    ...element,
    attributes: [...element.attributes, ...fillings.flatMap(attributesIn)],
    dynamic: element.dynamic || fillings.some(isDynamic),
    slots: []
  }
  filled.push({ keys, element: made })
  return made
}

/** What became of an element in the pages; itself when it is in none, or nothing is to be filled. */
export function filledOf (element: Element): Element[] {
  return known.get(element)?.map(({ element }) => element) ?? [element]
}

function keysOf ({ content }: Filling): Array<Part[] | undefined> {
  return content === undefined ? [undefined] : [content.key, ...content.fillings.flatMap(keysOf)]
}

function attributesIn ({ content, conditional }: Filling): Attribute[] {
  const attributes = content === undefined ? [] : [...content.attributes, ...content.fillings.flatMap(attributesIn)]
  return conditional ? attributes.map(attribute => ({ ...attribute, conditional: true })) : attributes
}

// A macro or an include that is not known may give it anything; a block that is nowhere gives nothing.
function isDynamic ({ part: { kind }, content }: Filling): boolean {
  if (content === undefined) return kind === 'call' || kind === 'include'
  return content.dynamic || content.fillings.some(isDynamic)
}
