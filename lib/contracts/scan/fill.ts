// Elements with blocks, includes or macros inside of their tag: in each page
// these may give it other attributes.
import type { Attribute, Element, Part, TagContent } from './parts.js'

/** The stand-in for a statement in a tag. */
export interface Filling {
  /** The list of parts that it is from; undefined when that cannot be told, or is nothing. */
  parts: Part[] | undefined
  attributes: TagContent['attributes']
  dynamic: boolean
  /** It is there in some cases only. */
  conditional: boolean
}

const known = new WeakMap<Element, Map<string, Element>>()
const numbers = new WeakMap<Part[], number>()
let lists = 0

/** The element with what its slots are filled with, the same one for the same content. */
export function fill (element: Element, fillings: readonly Filling[]): Element {
  let filled = known.get(element)
  if (filled === undefined) known.set(element, filled = new Map())
  const key = fillings.map(({ parts }) => parts === undefined ? '' : numberOf(parts)).join()
  let made = filled.get(key)
  if (made === undefined) {
    filled.set(key, made = {
      ...element,
      attributes: [...element.attributes, ...fillings.flatMap(attributesOf)],
      dynamic: element.dynamic || fillings.some(({ dynamic }) => dynamic),
      slots: []
    })
  }
  return made
}

/** The forms of an element in the pages; itself when it is in none, or has no slots. */
export function filledOf (element: Element): Element[] {
  const filled = known.get(element)
  return filled === undefined ? [element] : [...filled.values()]
}

function numberOf (parts: Part[]): number {
  let number = numbers.get(parts)
  if (number === undefined) numbers.set(parts, number = ++lists)
  return number
}

function attributesOf ({ attributes, conditional }: Filling): readonly Attribute[] {
  return conditional ? attributes.map(attribute => ({ ...attribute, conditional: true })) : attributes
}
