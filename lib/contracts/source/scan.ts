// The mentions of templates, blocks and events in the app's source.
import type { AnyNode, CallExpression, NewExpression, Node, Program, TemplateLiteral } from 'acorn'
import { explainFailure, LONGEST_TEXT } from '../limits.js'
import { HOLE, isKnown } from '../scan/pattern.js'
import type { SourceFile } from '../types.js'
import { Bindings, nameOf, unwrap } from './bindings.js'
import { programOf } from './parse.js'
import { Replies } from './replies.js'
import { FileScopes, type Scope } from './scopes.js'

/** A text in a source file. Lines and columns count from one. */
export interface SourceText { text: string, file: string, line: number, column: number }

/** A block, or without one a template, that the source renders. */
export interface Rendered {
  templates: SourceText[]
  blocks: SourceText[]
}

/** The mentions of all source files together. */
export interface SourceFacts {
  /** Whether there is any source; without it the uses of templates are unknown. */
  isKnown: boolean
  rendered: Rendered[]
  /** Pages, and the variables that their source defers. */
  deferred: Array<{ templates: SourceText[], names: string[] }>
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
  /** Paths of changes of a live view. */
  changes: SourceText[]
  /** All literal texts. */
  literals: Set<string>
  /** All texts that are partly known. */
  patterns: Set<string>
  broken: Array<{ file: string, message: string, line: number | undefined, column: number | undefined }>
}

/** Methods whose second argument may have the option `closeEvent`. */
const OPTION_TAKERS = new Set(['eventStream', 'register'])

/** Reads all source files. */
export async function scanSources (files: readonly SourceFile[], pause: () => Promise<void>): Promise<SourceFacts> {
  const facts: SourceFacts = {
    isKnown: files.length > 0,
    rendered: [],
    deferred: [],
    views: [],
    targets: [],
    targetPatterns: [],
    swaps: [],
    fragments: [],
    ids: [],
    events: [],
    closeEvents: [],
    changes: [],
    literals: new Set(),
    patterns: new Set(),
    broken: []
  }
  const scopes = new Map<string, FileScopes>()
  for (const file of files) {
    const root = parse(file, facts)
    if (root !== undefined) scopes.set(file.path, new FileScopes(file.path, root, scopes))
    await pause()
  }
  const replies = new Replies(scopes.values())
  for (const [path, file] of scopes) {
    scanFile(path, file, replies, facts)
    await pause()
  }
  return facts
}

function parse (file: SourceFile, { broken }: SourceFacts): Program | undefined {
  try {
    return programOf(file)
  } catch (error) {
    const { loc } = error as { loc?: { line: number, column: number } }
    broken.push({ file: file.path, message: explainFailure(error).replace(/ \(\d+:\d+\)$/, ''), line: loc?.line, column: loc && loc.column + 1 })
    return undefined
  }
}

function scanFile (path: string, { nodes }: FileScopes, replies: Replies, facts: SourceFacts): void {
  const bindings = new Bindings()
  // Inner sums are read as a part of the outer one.
  const inner = new Set<Node>()
  for (const { node } of nodes) bindings.note(node)
  for (const { node, scope } of nodes) visit(node, scope)

  function visit (node: AnyNode, scope: Scope): void {
    switch (node.type) {
      case 'NewExpression':
        return construct(node)
      case 'CallExpression':
        call(node, scope)
        change(node)
        return options(node)
      case 'Literal':
        if (typeof node.value === 'string') facts.literals.add(node.value)
        return
      case 'TemplateLiteral':
        return template(node)
      case 'BinaryExpression':
        if (inner.has(node) || node.operator !== '+') return
        for (let first: AnyNode = node; first.type === 'BinaryExpression' && first.operator === '+'; first = unwrap(first.left)) inner.add(first)
        note(bindings.textsOf(node))
    }
  }

  function construct (node: NewExpression): void {
    const name = bindings.fromPlugin(node.callee)
    const [first, second, , options] = node.arguments
    if (first === undefined) return
    if (name === 'SSEEvent') {
      add(facts.events, first, 'event')
      addIds(first)
    }
    if (name === 'Fragments') {
      facts.fragments.push(placeOf(node))
      if (second !== undefined) addIds(second)
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
    for (const swap of knownTexts(propertyOf(options, 'swap'))) facts.swaps.push({ targets: known, swap })
    addIds(options)
  }

  function call (node: CallExpression, scope: Scope): void {
    const callee = unwrap(node.callee)
    const [first, second, third] = node.arguments
    if (callee.type !== 'MemberExpression' || callee.computed || first === undefined || !replies.has(callee.object, scope)) return
    const method = nameOf(callee.property)
    if (method === 'view') facts.views.push(...knownTexts(first))
    if (method === 'fragment') render(first, second)
    if (method === 'page') page(first, second, third)
    if (method === 'eventStream' && second !== undefined) add(facts.events, second, 'event')
  }

  function page (template: Node, context: Node | undefined, options: Node | undefined): void {
    render(template, options && propertyOf(options, 'block'))
    if (context === undefined) return
    const names = propertiesOf(givenBy(context)).flatMap(({ key, value }) => {
      const made = unwrap(value)
      return made.type === 'CallExpression' && bindings.fromPlugin(made.callee) === 'defer' ? [nameOf(key) as string] : []
    })
    if (names.length > 0) facts.deferred.push({ templates: knownTexts(template), names })
  }

  // Of a live view: nothing else takes a key and a list of paths.
  function change ({ callee, arguments: [, paths] }: CallExpression): void {
    const called = unwrap(callee)
    const list = paths === undefined ? undefined : unwrap(paths)
    if (called.type !== 'MemberExpression' || called.computed || nameOf(called.property) !== 'changed' || list?.type !== 'ArrayExpression') return
    for (const path of list.elements) if (path) facts.changes.push(...knownTexts(path))
  }

  // Of a stream, or of the plugin.
  function options (node: CallExpression): void {
    const [, second] = node.arguments
    const callee = unwrap(node.callee)
    if (second === undefined || callee.type !== 'MemberExpression' || !OPTION_TAKERS.has(nameOf(callee.property) as string)) return
    add(facts.closeEvents, second, 'closeEvent')
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

  // Of one that is too long, or may be too much, there is what stands between its expressions.
  function template (node: TemplateLiteral): void {
    const texts = bindings.textsOf(node)
    const length = node.quasis.reduce((sum, { value }) => sum + value.raw.length, 0)
    if (length > LONGEST_TEXT || texts[0] === HOLE) for (const { value } of node.quasis) facts.literals.add(value.cooked ?? '')
    note(texts)
  }

  function knownTexts (node: Node | undefined): SourceText[] {
    return texts(node).filter(({ text }) => isKnown(text))
  }

  function texts (node: Node | undefined): SourceText[] {
    return node === undefined ? [] : bindings.textsOf(node).map(text => ({ text, ...placeOf(node) }))
  }

  function placeOf (node: Node): Omit<SourceText, 'text'> {
    const { line, column } = (node.loc as NonNullable<Node['loc']>).start
    return { file: path, line, column: column + 1 }
  }

  function add (list: SourceText[], node: Node, name: string): void {
    list.push(...knownTexts(propertyOf(node, name)))
  }

  function addIds (node: Node): void {
    facts.ids.push(...texts(propertyOf(node, 'id')))
  }
}

function propertyOf (node: Node, name: string): Node | undefined {
  return propertiesOf(node).find(({ key }) => nameOf(key) === name)?.value
}

function propertiesOf (node: Node): Array<{ key: Node, value: Node }> {
  const object = unwrap(node)
  if (object.type !== 'ObjectExpression') return []
  return object.properties.flatMap(property => property.type === 'Property' && !property.computed ? [property] : [])
}

/** The result of an arrow function without a body. */
function givenBy (node: Node): Node {
  const given = unwrap(node)
  return given.type === 'ArrowFunctionExpression' ? given.body : given
}
