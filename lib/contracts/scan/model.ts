// All that the rules look at, made from a snapshot.
import { scanSources, type SourceFacts } from '../source/scan.js'
import type { Snapshot } from '../types.js'
import { addressesOf } from './address.js'
import { TemplateLibrary } from './library.js'
import { composeLoose, composePage, type Page } from './page.js'
import { filledOf } from './fill.js'
import { bodiesOf, type Element, type Part } from './parts.js'
import { RouteIndex } from './route-index.js'
import { Streams } from './streams.js'
import type { Template } from './template.js'
import type { Wire } from './wire.js'

/** All that the rules look at. */
export interface Model {
  snapshot: Snapshot
  library: TemplateLibrary
  source: SourceFacts
  index: RouteIndex
  pages: readonly Page[]
  /** All elements of all templates, also those that are never in a page. */
  elements: readonly Element[]
  /** Elements that are in a page. */
  live: ReadonlySet<Element>
  /** Addresses of all elements. */
  wires: readonly Wire[]
  streams: Streams
}

/** Scans each template once and puts the pages together. `pause` is awaited between them. */
export async function buildModel (snapshot: Snapshot, pause: () => Promise<void>): Promise<Model> {
  const source = await scanSources(snapshot.sources, pause)
  const library = new TemplateLibrary()
  const named = [...source.rendered.flatMap(({ templates }) => templates), ...snapshot.sharesViews ? source.views : []].map(({ text }) => text)
  if (snapshot.hasTemplates) await library.read(snapshot, named, pause)
  const index = new RouteIndex(snapshot)
  const pages = await composePages(library, pause)
  const elements = [...library.templates.values()].flatMap(elementsOf).flatMap(filledOf)
  const wires = elements.flatMap(addressesOf).map(address => ({
    ...address, reach: address.path === undefined ? undefined : index.reach(address.path, address.method)
  }))
  await pause()
  const live = new Set<Element>()
  for (const { places } of pages) for (const { elements } of places) for (const element of elements) live.add(element)
  return { snapshot, library, source, index, pages, elements, live, wires, streams: new Streams(pages, wires) }
}

/** Where an element is, or one of its attributes. */
export function at ({ library }: Model, element: Element, { offset, template }: { offset: number, template: string } = element) {
  return { template, ...library.templates.get(template)?.position(offset) }
}

async function composePages (library: TemplateLibrary, pause: () => Promise<void>): Promise<Page[]> {
  const pages: Page[] = []
  const reached = new Set<Part[]>()
  for (const template of library.templates.values()) {
    for (const chain of library.chains(template)) pages.push(composePage(library, chain, reached))
    await pause()
  }
  for (const template of library.templates.values()) {
    for (const parts of loosePartsOf(template)) if (!reached.has(parts)) pages.push(composeLoose(library, template, parts, reached))
  }
  return pages
}

// Macros without a call, texts that are set and printed elsewhere, and blocks that no page places.
function loosePartsOf ({ blocks, macros, captures }: Template): Part[][] {
  return [...macros.values(), ...captures, ...[...blocks.values()].map(({ body }) => body)]
}

function elementsOf ({ parts, macros, captures }: Template): Element[] {
  return [parts, ...macros.values(), ...captures].flatMap(elementsIn)
}

function elementsIn (parts: Part[]): Element[] {
  return parts.flatMap(part => {
    if (part.kind === 'text') return part.tags.filter(tag => tag.kind === 'open')
    return bodiesOf(part).flatMap(elementsIn)
  })
}
