// The elements of a page while its tags are read: what is open, and what is
// uncertain because conditions open and close different elements.
import type { Element } from './parts.js'

/** A choice that the page makes. Elements of the same one, or of one around it, are there together. */
export interface Choice {
  around: Choice | undefined
  loop: boolean
}

/** One element at one place of a page; or, without elements, a place where any may be around. */
export interface Place {
  /** More than one if a condition chooses between start tags. */
  elements: readonly Element[]
  parent: Place | undefined
  choice: Choice | undefined
  /** Names of the elements that may be open at an uncertain place. */
  names: ReadonlySet<string>
  /** Number of places that are around it. */
  depth: number
  /** In a template element, which is not part of the page until a script takes it. */
  isInert: boolean
}

const NO_NAMES: ReadonlySet<string> = new Set()
const VOID = new Set(['area', 'base', 'br', 'col', 'embed', 'hr', 'img', 'input', 'link', 'meta', 'param', 'source', 'track', 'wbr'])

/** Start tags that end an open element of certain names; where they stop to look for one. */
const IMPLIED: Record<string, { ends: string[], within: string[] }> = {
  li: { ends: ['li'], within: ['ul', 'ol', 'menu'] },
  dt: { ends: ['dt', 'dd'], within: ['dl'] },
  dd: { ends: ['dt', 'dd'], within: ['dl'] },
  tr: { ends: ['tr'], within: ['table'] },
  td: { ends: ['td', 'th'], within: ['tr', 'table'] },
  th: { ends: ['td', 'th'], within: ['tr', 'table'] },
  tbody: { ends: ['thead', 'tbody', 'tfoot'], within: ['table'] },
  tfoot: { ends: ['thead', 'tbody'], within: ['table'] },
  option: { ends: ['option'], within: ['select', 'datalist'] },
  optgroup: { ends: ['option', 'optgroup'], within: ['select'] }
}
for (const name of [
  'address', 'article', 'aside', 'blockquote', 'details', 'div', 'dl', 'fieldset', 'figure', 'footer', 'form', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6',
  'header', 'hr', 'main', 'menu', 'nav', 'ol', 'p', 'pre', 'section', 'table', 'ul'
]) IMPLIED[name] = { ends: ['p'], within: ['button', 'td', 'th', 'object'] }

/** The places around one, from itself. */
export function * around (place: Place | undefined): Generator<Place> {
  for (let at = place; at !== undefined; at = at.parent) yield at
}

/** A place where anything may be around. Two of them are no more than one. */
export function uncertain (parent: Place | undefined, names = NO_NAMES): Place {
  if (parent?.elements.length !== 0) return createPlace([], parent, undefined, names)
  return createPlace([], parent.parent, undefined, new Set([...parent.names, ...names]))
}

/** Puts an element below what is open. */
export function open (element: Element, top: Place | undefined, choice: Choice | undefined): { place: Place, top: Place | undefined } {
  const rule = Object.hasOwn(IMPLIED, element.name) ? IMPLIED[element.name] : undefined
  const parent = rule === undefined ? top : endImplied(top, rule)
  const place = createPlace([element], parent, choice, NO_NAMES)
  const isEmpty = VOID.has(element.name) || (element.selfClosing && isDrawing(parent))
  return { place, top: isEmpty ? parent : place }
}

/** The open elements after an end tag. */
export function close (name: string, top: Place | undefined): Place | undefined {
  for (const place of around(top)) {
    if (place.elements.some(element => element.name === name)) return place.parent
    // It may have been this one.
    if (place.names.has(name)) return place
  }
  return top
}

/** The open elements after a condition whose branches have left different ones open. */
export function merge (tops: ReadonlyArray<Place | undefined>): Place | undefined {
  const [first] = tops
  if (tops.every(top => top === first)) return first
  const parent = tops.reduce(sharedBy)
  const rests = tops.map(top => between(top, parent))
  const [rest = []] = rests
  const isAlike = rests.every(other => other.length === rest.length && other.every((place, index) => nameOf(place) === nameOf(rest[index])))
  if (!isAlike) return uncertain(parent, new Set(rests.flat().flatMap(({ elements, names }) => [...names, ...elements.map(({ name }) => name)])))
  return rest.reduce((parent, { choice, names }, index) =>
    createPlace(rests.flatMap(other => (other[index] as Place).elements), parent, choice, names), parent)
}

function createPlace (elements: Place['elements'], parent: Place | undefined, choice: Place['choice'], names: Place['names']): Place {
  const isInert = parent !== undefined && (parent.isInert || nameOf(parent) === 'template')
  return { elements, parent, choice, names, depth: parent === undefined ? 0 : parent.depth + 1, isInert }
}

// The innermost place that is around both, or one of them.
function sharedBy (a: Place | undefined, b: Place | undefined): Place | undefined {
  while (a !== b) {
    if (a === undefined || b === undefined) return undefined
    if (a.depth >= b.depth) a = a.parent
    else b = b.parent
  }
  return a
}

// The open elements below a place, the outermost first.
function between (top: Place | undefined, parent: Place | undefined): Place[] {
  const places: Place[] = []
  for (let at = top; at !== undefined && at !== parent; at = at.parent) places.push(at)
  return places.reverse()
}

function endImplied (top: Place | undefined, { ends, within }: { ends: string[], within: string[] }): Place | undefined {
  for (const place of around(top)) {
    const name = nameOf(place)
    if (name === undefined || within.includes(name)) return top
    if (ends.includes(name)) return place.parent
  }
  return top
}

function isDrawing (place: Place | undefined): boolean {
  for (const at of around(place)) if (['svg', 'math'].includes(nameOf(at) as string)) return true
  return false
}

function nameOf (place: Place | undefined): string | undefined {
  return place?.elements[0]?.name
}
