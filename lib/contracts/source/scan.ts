// What the app's source says about templates, blocks and events.
import type { AnyNode, CallExpression, NewExpression, Node } from 'acorn'
import { HOLE, isKnown } from '../scan/pattern.js'
import { childrenOf } from '../syntax.js'
import type { SourceFile } from '../types.js'
import { Bindings, nameOf, unwrap } from './bindings.js'
import { programOf } from './parse.js'

/** A text in a source file. Lines and columns count from one. */
export interface SourceText { text: string, file: string, line: number, column: number }

/** A block, or without one a template, that the source renders. */
export interface Rendered {
  templates: SourceText[]
  blocks: SourceText[]
}

/** What all source files say together. */
export interface SourceFacts {
  /** There is source at all; without it nobody knows what is used. */
  isKnown: boolean
  rendered: Rendered[]
  /** Names that reply.view() of another plugin renders. */
  views: SourceText[]
  /** Targets of fragments. */
  targets: SourceText[]
  /** Targets of which a part is known, with holes. */
  targetPatterns: SourceText[]
  /** Swaps of fragments, and the targets that they are for. */
  swaps: Array<{ targets: SourceText[], swap: SourceText }>
  /** Where several fragments are put into one message. */
  fragments: Array<Omit<SourceText, 'text'>>
  /** Ids of events, with holes. */
  ids: SourceText[]
  /** Names of events. */
  events: SourceText[]
  /** Names of events that end a stream. */
  closeEvents: SourceText[]
  /** All literal texts. */
  literals: Set<string>
  /** All texts that are partly known. */
  patterns: Set<string>
  broken: Array<{ file: string, message: string, line: number | undefined, column: number | undefined }>
}

/** Methods whose second argument may have the option `closeEvent`. */
const OPTION_TAKERS = new Set(['eventStream', 'register'])

const REPLY = /^(?:reply|rep|res|response)$/

/** Reads all source files. */
export async function scanSources (files: readonly SourceFile[], pause: () => Promise<void>): Promise<SourceFacts> {
  const facts: SourceFacts = {
    isKnown: files.length > 0,
    rendered: [],
    views: [],
    targets: [],
    targetPatterns: [],
    swaps: [],
    fragments: [],
    ids: [],
    events: [],
    closeEvents: [],
    literals: new Set(),
    patterns: new Set(),
    broken: []
  }
  for (const file of files) {
    scanFile(file, facts)
    await pause()
  }
  return facts
}

function scanFile (file: SourceFile, facts: SourceFacts): void {
  const { path } = file
  let root
  try {
    root = programOf(file)
  } catch (error) {
    const { message, loc } = error as SyntaxError & { loc?: { line: number, column: number } }
    facts.broken.push({ file: path, message: message.replace(/ \(\d+:\d+\)$/, ''), line: loc?.line, column: loc && loc.column + 1 })
    return
  }
  const bindings = new Bindings()
  const nodes = [...walk(root)]
  for (const node of nodes) bindings.note(node)
  for (const node of nodes) visit(node)

  function visit (node: AnyNode): void {
    switch (node.type) {
      case 'NewExpression':
        return construct(node)
      case 'CallExpression':
        call(node)
        return options(node)
      case 'Literal':
        if (typeof node.value === 'string') facts.literals.add(node.value)
        return
      case 'TemplateLiteral':
      case 'BinaryExpression':
        note(bindings.textsOf(node))
    }
  }

  function construct (node: NewExpression): void {
    const name = bindings.fromPlugin(node.callee)
    const [first, second, , options] = node.arguments
    if (first === undefined) return
    if (name === 'SSEEvent') {
      facts.events.push(...propertyTexts(first, 'event'))
      facts.ids.push(...texts(propertyOf(first, 'id')))
    }
    if (name === 'Fragments') {
      facts.fragments.push(placeOf(node))
      facts.ids.push(...texts(second && propertyOf(second, 'id')))
    }
    if (name !== 'Fragment') return
    render(first, second)
    if (options !== undefined) fragmentOptions(options)
  }

  function fragmentOptions (options: Node): void {
    const targets = texts(propertyOf(options, 'target'))
    const known = targets.filter(({ text }) => isKnown(text))
    facts.targets.push(...known)
    facts.targetPatterns.push(...targets.filter(({ text }) => !isKnown(text)))
    for (const swap of propertyTexts(options, 'swap')) facts.swaps.push({ targets: known, swap })
    facts.ids.push(...texts(propertyOf(options, 'id')))
  }

  function call (node: CallExpression): void {
    const callee = unwrap(node.callee)
    if (callee.type !== 'MemberExpression' || callee.computed || !isReply(callee.object)) return
    const [first, second, third] = node.arguments
    if (first === undefined) return
    const method = nameOf(callee.property)
    if (method === 'view') facts.views.push(...knownTexts(first))
    if (method === 'fragment') render(first, second)
    if (method === 'page') render(first, third && propertyOf(third, 'block'))
    if (method === 'eventStream' && second !== undefined) facts.events.push(...propertyTexts(second, 'event'))
  }

  // Of a stream, or of the plugin.
  function options (node: CallExpression): void {
    const [, second] = node.arguments
    const callee = unwrap(node.callee)
    if (second === undefined || callee.type !== 'MemberExpression' || !OPTION_TAKERS.has(nameOf(callee.property) as string)) return
    facts.closeEvents.push(...propertyTexts(second, 'closeEvent'))
  }

  function render (template: Node, block: Node | undefined): void {
    facts.rendered.push({ templates: knownTexts(template), blocks: block === undefined ? [] : knownTexts(block) })
  }

  function note (texts: string[]): void {
    for (const text of texts) {
      if (isKnown(text)) facts.literals.add(text)
      else if (text.replaceAll(HOLE, '').length > 2) facts.patterns.add(text)
    }
  }

  function knownTexts (node: Node): SourceText[] {
    return texts(node).filter(({ text }) => isKnown(text))
  }

  function texts (node: Node | undefined): SourceText[] {
    return node === undefined ? [] : bindings.textsOf(node).map(text => ({ text, ...placeOf(node) }))
  }

  function placeOf (node: Node): Omit<SourceText, 'text'> {
    const { line, column } = (node.loc as NonNullable<Node['loc']>).start
    return { file: path, line, column: column + 1 }
  }

  function propertyTexts (node: Node, name: string): SourceText[] {
    return texts(propertyOf(node, name)).filter(({ text }) => isKnown(text))
  }
}

function propertyOf (node: Node, name: string): Node | undefined {
  const object = unwrap(node)
  if (object.type !== 'ObjectExpression') return undefined
  return object.properties.flatMap(property => property.type === 'Property' && !property.computed && nameOf(property.key) === name ? [property.value] : [])[0]
}

// `reply`, also at the other end of `reply.code(200).type('text/html')`.
function isReply (node: Node): boolean {
  const object = unwrap(node)
  if (object.type === 'CallExpression') return isReply(object.callee)
  if (object.type === 'MemberExpression') return isReply(object.object)
  return object.type === 'Identifier' && REPLY.test(object.name)
}

function * walk (root: Node): Generator<AnyNode> {
  const open = [root as AnyNode]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    yield node
    for (const child of childrenOf(node).reverse()) open.push(child)
  }
}
