// From the syntax tree of a template to its parts.
import type { AstNode } from '../../render/nunjucks/internals.js'
import { MOST_NESTED, TooLarge } from '../limits.js'
import { calleeOf, textsOf } from './expression.js'
import type { Block, Outline, Part, Reference } from './parts.js'
import { needsOf } from './needs.js'
import { Lines } from './position.js'
import { isPrinter } from './printed.js'
import { truthsOf } from './truths.js'
import { signalsOf } from './signals.js'

/** The parts of a template; its tags are not found yet. */
export function outlineOf (root: AstNode, text: string): Outline {
  const lines = new Lines(text)
  const outline: Outline = {
    parts: [], blocks: new Map(), macros: new Map(), captures: [], references: [], imports: new Map(), literals: new Set(), needs: needsOf(root, lines), truths: truthsOf(root, lines), signals: signalsOf(root, lines)
  }
  // Where the text that was found last ends, because each comes after the one before.
  let reached = 0
  // Number of conditions that are around, and how many lists of statements.
  let depth = 0
  let nested = 0
  collectLiterals(root, outline.literals)
  list(root, outline.parts)
  return outline

  function list (node: AstNode | null, parts: Part[]): Part[] {
    if (node === null) return parts
    if (node.typename !== 'NodeList' && node.typename !== 'Root') {
      statement(node, parts)
      return parts
    }
    if (nested === MOST_NESTED) throw new TooLarge(`more than ${MOST_NESTED} statements stand in each other`, offsetOf(node))
    nested++
    // A tag may give lists of lists.
    for (const child of node.children) list(child, parts)
    nested--
    return parts
  }

  function statement (node: AstNode, parts: Part[]): void {
    const offset = offsetOf(node)
    switch (node.typename) {
      case 'Output':
        for (const child of node.children) output(child, offset, parts)
        break
      case 'If':
      case 'IfAsync':
        branch(offset, branchesOf(node), parts, {})
        break
      case 'For':
      case 'AsyncEach':
      case 'AsyncAll':
        branch(offset, [node.body, node.else_ as AstNode | null], parts, { loop: true })
        break
      case 'Switch':
        branch(offset, [...(node.cases as AstNode[]).map(({ body }) => body), node.default as AstNode | null], parts, {})
        break
      case 'Block':
        block(node, offset, parts)
        break
      case 'Include':
        parts.push({ kind: 'include', offset, opaque: false, reference: refer('include', node, node.ignoreMissing === true) })
        break
      case 'Extends':
        refer('extends', node, false)
        break
      case 'Import':
        outline.imports.set((node.target as AstNode).value as string, { reference: refer('import', node, false), name: undefined })
        break
      case 'FromImport':
        fromImport(node)
        break
      case 'Macro':
        outline.macros.set(node.name.value as string, detached(node.body))
        break
      case 'Set':
        if (isNode(node.body)) outline.captures.push(detached(node.body.body))
        break
      case 'CallExtension':
      case 'CallExtensionAsync':
        branch(offset, (node.contentArgs as unknown[]).filter(isNode), parts, { foreign: true })
    }
  }

  function output (node: AstNode, offset: number, parts: Part[]): void {
    if (node.typename === 'TemplateData') return data(node, parts)
    const callee = calleeOf(node)
    if (callee?.name === 'super' && callee.target === undefined) {
      parts.push({ kind: 'super', offset, opaque: false })
    } else if (callee !== undefined) {
      const caller = callerOf(node)
      parts.push({
        kind: 'call',
        offset,
        opaque: false,
        target: callee.target,
        name: callee.name,
        arguments: (node.args as AstNode).children,
        body: caller && list(caller.body, []),
        scope: parts
      })
    } else if (node.typename === 'Filter' && firstArgument(node)?.typename === 'Capture') {
      branch(offset, [(firstArgument(node) as AstNode).body], parts, { foreign: true })
    } else {
      parts.push({ kind: 'output', offset, opaque: false, node })
    }
  }

  // Nunjucks says where the text began before it was trimmed, and of a raw
  // block where its tag ends. A source that an extension has changed is not
  // found, and its text is left out.
  function data (node: AstNode, parts: Part[]): void {
    const value = node.value as string
    const from = Math.max(offsetOf(node), reached)
    const offset = text.indexOf(value, from)
    if (value === '' || offset === -1 || text.slice(from, offset).trim().length > 8) return
    reached = offset + value.length
    parts.push({ kind: 'text', offset, end: reached, tags: [], scope: parts })
  }

  function branch (
    offset: number, bodies: Array<AstNode | null>, parts: Part[], { loop = false, foreign = false }: { loop?: boolean, foreign?: boolean }
  ): void {
    depth++
    parts.push({ kind: 'branch', offset, opaque: false, loop, foreign, branches: bodies.map(body => list(body, [])) })
    depth--
  }

  function block (node: AstNode, offset: number, parts: Part[]): void {
    const name = node.name.value as string
    const part: Block = { kind: 'block', offset, opaque: false, name, body: [] }
    outline.blocks.set(name, part)
    parts.push(part)
    list(node.body, part.body)
  }

  function detached (node: AstNode): Part[] {
    return list(node, [])
  }

  function refer (kind: Reference['kind'], node: AstNode, ignoreMissing: boolean): Reference {
    const template = node.template as AstNode
    const reference = { kind, names: textsOf(template), offset: offsetOf(template), conditional: depth > 0, ignoreMissing }
    outline.references.push(reference)
    return reference
  }

  function fromImport (node: AstNode): void {
    const reference = refer('import', node, false)
    for (const item of (node.names as AstNode).children) {
      const [name, alias] = item.typename === 'Pair' ? [(item.key as AstNode).value, (item.value as AstNode).value] : [item.value, item.value]
      outline.imports.set(alias as string, { reference, name: name as string })
    }
  }

  // Nodes of custom tags have no place of their own.
  function offsetOf (node: AstNode): number {
    return typeof node.lineno === 'number' ? lines.offset(node.lineno, node.colno) : reached
  }
}

// A tree of expressions may be deeper than the stack: `a.b().c()` is.
function collectLiterals (root: AstNode, literals: Set<string>): void {
  const open: unknown[] = [root]
  while (open.length > 0) {
    const value = open.pop()
    if (Array.isArray(value)) {
      for (const item of value) open.push(item)
    } else if (isNode(value) && value.typename !== 'TemplateData' && !isPrinted(value)) {
      if (value.typename === 'Literal' && typeof value.value === 'string') literals.add(value.value)
      for (const field of Object.keys(value)) {
        // `item.name` looks up a literal, which is not a text of the page.
        if (field !== 'val' || value.typename !== 'LookupVal') open.push(value[field])
      }
    }
  }
}

// Each `elif` is an `if` in place of the `else` of the one before.
function branchesOf (node: AstNode): Array<AstNode | null> {
  const bodies: Array<AstNode | null> = []
  let last: AstNode | null = node
  for (; last?.typename === node.typename; last = last.else_ as AstNode | null) bodies.push(last.body)
  return [...bodies, last]
}

// Read as the attributes that it prints.
function isPrinted ({ typename, name }: AstNode): boolean {
  return typename === 'FunCall' && isPrinter(name.value)
}

// The `caller` that `{% call %}` adds to the arguments of the macro.
function callerOf (node: AstNode): AstNode | undefined {
  const named = (node.args as AstNode).children.find(({ typename }) => typename === 'KeywordArgs')
  const pair = named?.children.find(({ key, value }) => (key as AstNode).value === 'caller' && isNode(value) && value.typename === 'Caller')
  return pair?.value as AstNode | undefined
}

function firstArgument (node: AstNode): AstNode | undefined {
  return (node.args as AstNode).children[0]
}

function isNode (value: unknown): value is AstNode {
  return typeof (value as AstNode | null | undefined)?.typename === 'string'
}
