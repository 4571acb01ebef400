// One template, parsed once.
import type { AstNode } from '../../render/nunjucks/internals.js'
import { tokenize, tokenizeInTag } from './markup.js'
import { outlineOf } from './outline.js'
import type { Outline, Part, TagContent } from './parts.js'
import { Lines, type Position } from './position.js'

/** A template as far as it can be known without its data. */
export interface Template extends Outline {
  name: string
  hasDoctype: boolean
  /** The text of its scripts. */
  scripts: string
  /** The content that some of its parts add to their start tag; undefined when that is too long. */
  inTag (parts: Part[]): TagContent | undefined
  /** Where an offset of its source is. */
  position (offset: number): Position
}

/** Scans one template, from its syntax tree. */
export function scanTemplate (name: string, source: string, root: AstNode): Template {
  const outline = outlineOf(root, source)
  let hasDoctype = false
  let scripts = ''
  for (const parts of regionsOf(outline)) {
    const region = tokenize(parts, source, name)
    hasDoctype ||= region.hasDoctype
    scripts += region.scripts
  }
  let lines: Lines | undefined
  const contents = new Map<Part[], TagContent | undefined>()
  const inTag = (parts: Part[]): TagContent | undefined => {
    if (!contents.has(parts)) contents.set(parts, tokenizeInTag(parts, source, name))
    return contents.get(parts)
  }
  return { ...outline, name, hasDoctype, scripts, inTag, position: offset => (lines ??= new Lines(source)).position(offset) }
}

// Parts for different places of a page are read apart: a stray quote in a
// macro does not swallow what follows it.
function regionsOf ({ parts, references, macros, captures }: Outline): Part[][] {
  const isChild = references.some(({ kind, conditional }) => kind === 'extends' && !conditional)
  // Only the blocks of a template that extends another are part of a page.
  const main = isChild ? parts.filter(({ kind }) => kind === 'block' || kind === 'branch').map(part => [part]) : [parts]
  return [...main, ...macros.values(), ...captures]
}
