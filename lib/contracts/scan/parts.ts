// The parts of a template, in the order of its source: text with its tags,
// and the statements that decide which text comes where.
import type { AstNode } from '../../render/nunjucks/internals.js'
import type { Need } from './needs.js'
import type { Truth } from './truths.js'
import type { SignalUse } from './signals.js'

/** An attribute as a template has it. */
export interface Attribute {
  /** In lower case, and without the prefix `data-` of hx- and sse- attributes. */
  name: string
  /** As it is written. */
  written: string
  /** The name of the template that it stands in: a block inside a tag may come from another one. */
  template: string
  /** All values that it can have, with holes. */
  values: readonly string[]
  offset: number
  /** It is there in some cases only. */
  conditional: boolean
  /** A function of the plugin prints it, if it is of the page's generation of htmx. */
  isPrinted: boolean
}

/** A statement inside a start tag, in whose place attributes may come. */
export interface Slot {
  part: Block | Super | Include | Call
  /** It is there in some cases only. */
  conditional: boolean
}

/** The content of a start tag. */
export interface TagContent {
  attributes: readonly Attribute[]
  /** Expressions may give it further attributes. */
  dynamic: boolean
  /** Left to be filled when a page is put together. */
  slots: readonly Slot[]
}

/** A start tag. */
export interface Element extends TagContent {
  kind: 'open'
  name: string
  /** The name of the template that it stands in. */
  template: string
  offset: number
  selfClosing: boolean
}

export interface EndTag { kind: 'close', name: string, offset: number }

export type Tag = Element | EndTag

interface Statement {
  offset: number
  /** Stands inside a tag, a comment, a script or the like: its output is not markup. */
  opaque: boolean
}

/** Literal text. */
export interface Text {
  kind: 'text'
  offset: number
  end: number
  /** The tags that start in it. */
  tags: Tag[]
  /** The list of parts that it is in: what is in another one may be there without it. */
  scope: readonly Part[]
}

/** An expression whose value is printed. */
export interface Output extends Statement { kind: 'output', node: AstNode }

/** Of several lists one is used; or none, or one of them many times. */
export interface Branch extends Statement {
  kind: 'branch'
  branches: Part[][]
  loop: boolean
  /** A custom tag, which does with its content what it likes. */
  foreign: boolean
}

export interface Block extends Statement { kind: 'block', name: string, body: Part[] }

export interface Include extends Statement { kind: 'include', reference: Reference }

/** A function or macro that is called, with what stands between `call` and `endcall`. */
export interface Call extends Statement {
  kind: 'call'
  target: string | undefined
  name: string
  arguments: readonly AstNode[]
  body: Part[] | undefined
  /** The list of parts that it is in. */
  scope: readonly Part[]
}

/** `{{ super() }}` */
export interface Super extends Statement { kind: 'super' }

export type Part = Text | Output | Branch | Block | Include | Call | Super

/** Another template that a template names. */
export interface Reference {
  kind: 'extends' | 'include' | 'import'
  /** All names that it can have, with holes. */
  names: readonly string[]
  offset: number
  /** A condition is around it. */
  conditional: boolean
  ignoreMissing: boolean
}

/** A template as it is in its file. */
export interface Outline {
  parts: Part[]
  /** Blocks in blocks, too. */
  blocks: Map<string, Block>
  macros: Map<string, Part[]>
  /** Bodies of `{% set %}`, which are printed elsewhere. */
  captures: Part[][]
  references: Reference[]
  /** Macros that come from other templates: their own name (undefined for all of a template), and where they are. */
  imports: Map<string, { reference: Reference, name: string | undefined }>
  /** All texts of expressions, such as the argument of a macro. */
  literals: Set<string>
  /** The filters and tests that it uses. */
  needs: Need[]
  /** The variables that it asks for their truth. */
  truths: Truth[]
  /** The signals that it shows. */
  signals: SignalUse[]
}

/** The lists of parts inside a part. */
export function bodiesOf (part: Part): Part[][] {
  switch (part.kind) {
    case 'branch':
      return part.branches
    case 'block':
      return [part.body]
    case 'call':
      return part.body === undefined ? [] : [part.body]
    default:
      return []
  }
}
