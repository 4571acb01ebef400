// Which generation of htmx a page has, and what only one of them knows.
import type { Page } from '../scan/page.js'
import type { Attribute, Element } from '../scan/parts.js'
import type { Choice } from '../scan/tree.js'
import { once } from './once.js'

export type Generation = 2 | 4

/** An attribute that only one generation knows. */
export interface Trait { element: Element, attribute: Attribute, generation: Generation, isSure: boolean }

/** The signs of a page's generation of htmx. */
export interface Dialect {
  page: Page
  /** By its scripts; undefined when they do not tell. */
  loaded: Generation | undefined
  /** It loads both, without a condition. */
  isBoth: boolean
  traits: Trait[]
}

/** The advice for attributes that htmx 4 has no more. */
export const REMOVED: Record<string, string> = {
  'sse-swap': 'htmx 4 swaps events without a name, and fragments go to the element with their target as id',
  'hx-ext': 'loading the script of the extension is enough',
  'hx-disinherit': 'htmx 4 inherits only what is marked :inherited',
  'hx-inherit': 'mark the attributes themselves, as in hx-target:inherited',
  'hx-vars': "use hx-vals='js:...'",
  'hx-params': 'filter parameters in the event htmx:config:request',
  'hx-request': 'use hx-config',
  'hx-history': 'htmx 4 keeps no snapshots of pages',
  'hx-disabled-elt': 'it is called hx-disable now'
}

/** Attributes that htmx 4 has and htmx 2 does not know. */
const ADDED = /^hx-(?:sse:.*|action|method|config|ignore|status:.*|query|[a-z-]+:(?:inherited|append))$/

/** The dialect of each page. `hx-on:` is older than both. */
export const dialectsOf = once(({ pages }): Dialect[] => {
  const dialects = pages.map(dialectOf)
  // Partials are swapped into pages, and have what those have.
  const loaded = new Set(dialects.filter(({ page }) => page.isWhole).map(({ loaded }) => loaded))
  const [only] = loaded
  if (loaded.size !== 1) return dialects
  return dialects.map(dialect => dialect.page.isWhole ? dialect : { ...dialect, loaded: only })
})

function dialectOf (page: Page): Dialect {
  const traits: Trait[] = []
  const loads = new Set<Generation>()
  let isUnclear = false
  for (const { elements, choice } of page.places) {
    for (const element of elements) {
      const isConditional = isChosen(choice)
      for (const attribute of element.attributes) {
        const script = element.name === 'script' && attribute.name === 'src' ? scriptOf(attribute) : undefined
        if (script === 'compat' || (script !== undefined && isConditional)) isUnclear = true
        else if (script !== undefined) loads.add(script)
        const generation = generationOf(element, attribute)
        if (generation !== undefined) traits.push({ element, attribute, generation, isSure: !isConditional && !attribute.conditional })
      }
    }
  }
  const [loaded] = loads
  return { page, loaded: loads.size === 1 && !isUnclear ? loaded : undefined, isBoth: loads.size === 2 && !isUnclear, traits }
}

// One element may speak both, so that one template serves either page.
function generationOf ({ attributes }: Element, { name, isPrinted }: Attribute): Generation | undefined {
  if (isPrinted) return undefined
  const has = (wanted: string) => attributes.some(({ name }) => name === wanted)
  if (has('hx-sse:connect') && has('sse-connect')) return undefined
  if (Object.hasOwn(REMOVED, name)) return 2
  return ADDED.test(name) && !name.startsWith('hx-on:') ? 4 : undefined
}

function scriptOf ({ values }: Attribute): Generation | 'compat' | undefined {
  const [source = ''] = values
  if (/htmx-2-compat/.test(source)) return 'compat'
  const version = /htmx(?:\.org)?[@/-]?v?(\d)(?=[./]|$)/.exec(source)?.[1]
  if (version === '4' || /\bhx-sse(?:\.min)?\.js/.test(source)) return 4
  return version === '2' || version === '1' || /\bhtmx-ext-/.test(source) ? 2 : undefined
}

function isChosen (choice: Choice | undefined): boolean {
  for (let at = choice; at !== undefined; at = at.around) if (!at.loop) return true
  return false
}
