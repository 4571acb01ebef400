// Puts templates together as a render would: what a template extends, its
// blocks, includes and macros, with all branches of its conditions.
import type { Chain, TemplateLibrary } from './library.js'
import { MOST_ATTRIBUTES } from '../limits.js'
import { fill, type Filling } from './fill.js'
import type { Branch, Call, Element, Include, Part, Slot, TagContent } from './parts.js'
import type { Template } from './template.js'
import { close, merge, open, uncertain, type Choice, type Place } from './tree.js'

/** The output of a template, or of a part of it that is rendered alone. */
export interface Page {
  /** The template that a caller would name. */
  template: string
  /** It has what only a whole document has. The place of any other is unknown. */
  isWhole: boolean
  /** Its elements in the order of the source, each alone at its place. */
  places: Place[]
  /** It is too large, and its rest is left out. */
  cut: Cut | undefined
}

/** Why a page was left, and at which element if it was one. */
export interface Cut { reason: string, element: Element | undefined }

/** Where a list of parts stands. */
interface Scope {
  template: Template
  /** The templates whose blocks count, leaf first. */
  chain: readonly Template[]
  /** For super(): the block around, and the index in the chain of the template that it is from. */
  block: { name: string, level: number } | undefined
  /** For caller(): what stands between `call` and `endcall`. */
  caller: { parts: Part[], scope: Scope } | undefined
}

/** A list of parts, and the scope inside it. */
interface Inner { parts: Part[], scope: Scope }

/** The content that an element gets into its tag. */
interface TagFilling {
  element: Element
  fillings: Filling[]
  /** Attributes that it may still get. */
  left: number
}

// Includes multiply, and what is never closed stands in each other: a page of
// more than this is left alone from there.
const MOST_ELEMENTS = 20_000
const MOST_PARTS = 300_000
/** Of includes, macros, blocks and conditions. */
const MOST_LISTS = 500
const TOO_DEEP = `has more than ${MOST_LISTS} includes, macros, blocks and conditions in each other`
/** Chromium nests elements no deeper either. */
const MOST_OPEN = 512

/** Elements of which one is in every document, and in nothing else. */
const DOCUMENT = new Set(['html', 'head', 'body'])

/** The page of a chain of templates. `reached` gets all lists of parts that are in it. */
export function composePage (library: TemplateLibrary, { templates, complete }: Chain, reached: Set<Part[]>): Page {
  const composer = new Composer(library, templates[0] as Template, reached)
  composer.chain(templates, complete)
  return composer.page
}

/** Some parts alone, wherever they may be used. */
export function composeLoose (library: TemplateLibrary, template: Template, parts: Part[], reached: Set<Part[]>): Page {
  const composer = new Composer(library, template, reached)
  composer.loose(() => composer.list(parts, alone(template)))
  return composer.page
}

class Composer {
  readonly page: Page
  readonly #library: TemplateLibrary
  readonly #reached: Set<Part[]>
  readonly #active = new Set<Part[]>()
  #top: Place | undefined
  #choice: Choice | undefined
  #steps = 0

  constructor (library: TemplateLibrary, template: Template, reached: Set<Part[]>) {
    this.#library = library
    this.#reached = reached
    this.page = { template: template.name, isWhole: false, places: [], cut: undefined }
  }

  /** A template with those that it extends. Without the last one only their blocks are known. */
  chain (chain: readonly Template[], complete: boolean): void {
    const template = chain.at(-1) as Template
    const scope = { template, chain, block: undefined, caller: undefined }
    if (!complete) return this.loose(() => this.list(template.parts.filter(({ kind }) => kind === 'block' || kind === 'branch'), scope))
    if (template.hasDoctype) this.page.isWhole = true
    this.list(template.parts, scope)
  }

  list (parts: Part[], scope: Scope): void {
    // A comment that includes its answers includes itself.
    if (this.#active.has(parts)) return
    if (this.#active.size === MOST_LISTS) this.#cut(TOO_DEEP)
    this.#step()
    this.#reached.add(parts)
    this.#active.add(parts)
    for (const part of parts) {
      if (this.page.cut !== undefined) break
      this.#step()
      this.#part(part, scope)
    }
    this.#active.delete(parts)
  }

  /** Something stands where anything may be around, and leaves nothing open. */
  loose (run: () => void): void {
    const top = this.#top
    this.#choose([{
      loop: false,
      run: () => {
        this.#top = uncertain(top)
        run()
      }
    }])
    this.#top = top
  }

  #part (part: Part, scope: Scope): void {
    switch (part.kind) {
      case 'text':
        for (const tag of part.tags) {
          this.#step()
          if (this.page.cut !== undefined) break
          if (tag.kind === 'open') this.#open(tag, scope)
          else this.#top = close(tag.name, this.#top)
        }
        break
      case 'branch':
        this.#branch(part, scope)
        break
      case 'block':
        this.#block(part.name, 0, part.opaque, scope)
        break
      case 'super':
        if (scope.block !== undefined) this.#block(scope.block.name, scope.block.level + 1, part.opaque, scope)
        break
      case 'include':
        if (!part.opaque) this.#include(part, scope)
        break
      case 'call':
        if (!part.opaque) this.#call(part, scope)
    }
  }

  #step (): void {
    if (++this.#steps > MOST_PARTS) this.#cut(`is put together from more than ${MOST_PARTS} pieces`)
  }

  #cut (reason: string, element?: Element): void {
    this.page.cut ??= { reason, element }
  }

  #open (tag: Element, scope: Scope): void {
    const element = this.#fill(tag, scope)
    // A tag that is filled in part would lack what it has.
    if (this.page.cut !== undefined) return
    if (this.page.places.length === MOST_ELEMENTS) return this.#cut(`has more than ${MOST_ELEMENTS} elements`, element)
    const { place, top } = open(element, this.#top, this.#choice)
    this.#top = top
    if (DOCUMENT.has(element.name)) this.page.isWhole = true
    if (place.depth > MOST_OPEN) return this.#cut(`has more than ${MOST_OPEN} elements in each other`, element)
    if (!place.isInert) this.page.places.push(place)
  }

  // Blocks, includes and macros inside of a tag give it attributes.
  #fill (element: Element, scope: Scope): Element {
    if (element.slots.length === 0) return element
    const filling: TagFilling = { fillings: [], left: MOST_ATTRIBUTES - element.attributes.length, element }
    this.#fillSlots(element, scope, false, filling)
    return fill(element, filling.fillings)
  }

  #fillSlots ({ slots }: TagContent, scope: Scope, isConditional: boolean, filling: TagFilling): void {
    filling.left -= slots.length
    if (filling.left < 0) this.#cut(`has a tag with more than ${MOST_ATTRIBUTES} attributes`, filling.element)
    for (const { part, conditional } of slots) {
      this.#step()
      if (this.page.cut !== undefined) return
      this.#fillSlot(part, scope, conditional || isConditional, filling)
    }
  }

  #fillSlot (part: Slot['part'], scope: Scope, conditional: boolean, filling: TagFilling): void {
    const inner = this.#innerOf(part, scope)
    if (inner !== undefined) this.#reached.add(inner.parts)
    if (inner === undefined || this.#active.has(inner.parts)) {
      // A macro or an include that is not known may give it anything; a block that is nowhere gives nothing.
      filling.fillings.push({ parts: undefined, attributes: [], dynamic: part.kind === 'call' || part.kind === 'include', conditional })
      return
    }
    const { parts, scope: { template } } = inner
    const content = template.inTag(parts)
    if (content === undefined) return this.#cut('has a tag with too much in it to be read', filling.element)
    if (this.#active.size === MOST_LISTS) this.#cut(TOO_DEEP)
    const { attributes, dynamic } = content
    filling.fillings.push({ parts, attributes, dynamic, conditional })
    filling.left -= attributes.length
    // Each element has its own.
    this.#steps += attributes.length
    this.#active.add(parts)
    this.#fillSlots(content, inner.scope, conditional, filling)
    this.#active.delete(parts)
  }

  #innerOf (part: Slot['part'], scope: Scope): Inner | undefined {
    switch (part.kind) {
      case 'include': {
        const [target, ...others] = this.#library.targets(scope.template, part.reference)
        return target === undefined || others.length > 0 ? undefined : { parts: target.parts, scope: alone(target) }
      }
      case 'call': {
        const macro = this.#library.macro(scope.template, part)
        return macro && { parts: macro.body, scope: alone(macro.template) }
      }
      case 'block':
        return blockIn(scope, part.name, 0)
      case 'super':
        return scope.block && blockIn(scope, scope.block.name, scope.block.level + 1)
    }
  }

  #branch ({ branches, loop, foreign, opaque }: Branch, scope: Scope): void {
    if (foreign) return this.loose(() => { for (const parts of branches) this.list(parts, scope) })
    this.#choose(branches.map((parts, index) => ({ loop: loop && index === 0, run: () => this.list(parts, scope) })), opaque)
  }

  // Runs alternatives, each from what is open now.
  #choose (alternatives: Array<{ loop: boolean, run: () => void }>, opaque = false): void {
    const top = this.#top
    const choice = this.#choice
    const tops = alternatives.map(({ loop, run }) => {
      this.#top = top
      this.#choice = { around: choice, loop }
      run()
      return this.#top
    })
    this.#choice = choice
    // The tag around an opaque one is read as a whole.
    this.#top = opaque ? top : merge(tops)
  }

  #block (name: string, from: number, opaque: boolean, scope: Scope): void {
    const inner = blockIn(scope, name, from)
    if (inner === undefined) return
    if (opaque) this.#reached.add(inner.parts)
    else this.list(inner.parts, inner.scope)
  }

  #include ({ reference }: Include, scope: Scope): void {
    const targets = this.#library.targets(scope.template, reference)
    const alternatives = targets.filter(target => target !== undefined).flatMap(target => this.#library.chains(target)).map(({ templates, complete }) => ({
      loop: false,
      run: () => this.chain(templates, complete)
    }))
    if (alternatives.length === 1 && targets.length === 1) alternatives[0]?.run()
    else if (alternatives.length > 0) this.#choose(alternatives)
  }

  #call (call: Call, scope: Scope): void {
    if (call.name === 'caller' && call.target === undefined && scope.caller !== undefined) {
      this.list(scope.caller.parts, scope.caller.scope)
      return
    }
    const macro = this.#library.macro(scope.template, call)
    if (macro === undefined) {
      const { body } = call
      if (body !== undefined) this.loose(() => this.list(body, scope))
      return
    }
    const caller = call.body && { parts: call.body, scope }
    this.list(macro.body, { ...alone(macro.template), caller })
  }
}

/** The scope of a template that knows nothing of what is around it. */
function alone (template: Template): Scope {
  return { template, chain: [template], block: undefined, caller: undefined }
}

/** The body of a block, from the first template of a chain that has it, from a certain one on. */
function blockIn (scope: Scope, name: string, from: number): Inner | undefined {
  for (let level = from; level < scope.chain.length; level++) {
    const template = scope.chain[level] as Template
    const block = template.blocks.get(name)
    if (block !== undefined) return { parts: block.body, scope: { ...scope, template, block: { name, level } } }
  }
  return undefined
}
