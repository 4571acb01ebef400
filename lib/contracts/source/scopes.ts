// Which functions the names of a source file stand for, and which of their
// parameters. A block is not a scope of its own here: a name that is declared
// twice in one function is taken for unknown.
import { posix } from 'node:path'
import type { AnyNode, Node } from 'acorn'
import { candidatesFor } from '../imports.js'
import { walk } from '../syntax.js'
import { loadedBy, nameOf, namesIn, unwrap } from './bindings.js'

/** The meaning of a name. */
export type Meaning =
  | { kind: 'parameter' }
  | { kind: 'value', node: Node, scope: Scope }
  /** Of another file; `*` is all of it. */
  | { kind: 'import', source: string, name: string, scope: Scope }
  | { kind: 'unknown' }

/** The names of a function, or of a whole file. */
export interface Scope {
  file: FileScopes
  around: Scope | undefined
  names: Map<string, Meaning>
  parameters: Meaning[]
}

const UNKNOWN: Meaning = { kind: 'unknown' }

/** Names of names of names: more are not followed. */
const MOST_STEPS = 20

/** All scopes of one file. */
export class FileScopes {
  /** All nodes in the order of the source, with the scopes that they stand in. */
  readonly nodes: Array<{ node: AnyNode, scope: Scope }> = []
  readonly exports = new Map<string, Meaning>()
  readonly #path: string
  readonly #files: ReadonlyMap<string, FileScopes>
  readonly #functions = new Map<Node, Scope>()

  /** `files` are all files by their paths, and may be incomplete until something is asked. */
  constructor (path: string, root: Node, files: ReadonlyMap<string, FileScopes>) {
    this.#path = path
    this.#files = files
    const around = new Map<AnyNode, Scope>()
    for (const { node, parent } of walk(root)) {
      const scope = parent === undefined ? this.#createScope(undefined) : this.#functions.get(parent) ?? around.get(parent) as Scope
      around.set(node, scope)
      this.nodes.push({ node, scope })
      this.#note(node, scope)
    }
  }

  /** The function that an expression comes to, if that is plain. */
  functionOf (node: Node, scope: Scope, steps = 0): Scope | undefined {
    const expression = unwrap(node)
    const own = this.#functions.get(expression)
    if (own !== undefined || steps > MOST_STEPS) return own
    if (expression.type === 'Identifier') return followFunction(lookUp(expression.name, scope), steps)
    if (expression.type !== 'MemberExpression' || expression.computed) return undefined
    return followFunction(this.#memberOf(expression.object, nameOf(expression.property) as string, scope), steps)
  }

  /** The exports of another file. */
  imported (source: string, name: string): Meaning | undefined {
    const path = posix.join(posix.dirname(this.#path), source)
    for (const candidate of candidatesFor(path)) {
      const file = this.#files.get(candidate)
      if (file !== undefined) return file.exports.get(name)
    }
    return undefined
  }

  // Of an object that is written out, or of all that a file exports.
  #memberOf (object: Node, name: string, scope: Scope): Meaning | undefined {
    const meaning = unwrap(object).type === 'Identifier' ? lookUp(nameOf(unwrap(object)) as string, scope) : undefined
    if (meaning?.kind === 'import' && meaning.name === '*') return this.imported(meaning.source, name)
    if (meaning?.kind !== 'value') return undefined
    const value = propertiesOf(meaning.node).get(name)
    return value && { kind: 'value', node: value, scope: meaning.scope }
  }

  #createScope (around: Scope | undefined): Scope {
    return { file: this, around, names: new Map(), parameters: [] }
  }

  #note (node: AnyNode, scope: Scope): void {
    switch (node.type) {
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        this.#function(node, scope)
        break
      case 'VariableDeclaration':
        for (const { id, init } of node.declarations) this.#variable(id, node.kind === 'const' ? init : undefined, scope)
        break
      case 'ImportDeclaration':
        for (const specifier of node.specifiers) {
          const name = specifier.type === 'ImportSpecifier' ? nameOf(specifier.imported) as string : specifier.type === 'ImportDefaultSpecifier' ? 'default' : '*'
          declare(scope, specifier.local.name, { kind: 'import', source: String(node.source.value), name, scope })
        }
        break
      case 'ClassDeclaration':
      case 'CatchClause':
        for (const name of namesOf(node.type === 'CatchClause' ? node.param : node.id)) declare(scope, name, UNKNOWN)
        break
      case 'ExportNamedDeclaration':
        for (const { local, exported } of node.specifiers) {
          const meaning: Meaning = node.source ? { kind: 'import', source: String(node.source.value), name: nameOf(local) as string, scope } : { kind: 'value', node: local, scope }
          this.exports.set(nameOf(exported) as string, meaning)
        }
        if (node.declaration) this.#exportDeclared(node.declaration, scope)
        break
      case 'ExportDefaultDeclaration':
        this.exports.set('default', { kind: 'value', node: node.declaration, scope })
        break
      case 'AssignmentExpression':
        this.#exportAssigned(node.left, node.right, scope)
    }
  }

  #function (node: Extract<AnyNode, { type: 'FunctionDeclaration' | 'FunctionExpression' | 'ArrowFunctionExpression' }>, scope: Scope): void {
    if (node.type === 'FunctionDeclaration' && node.id) declare(scope, node.id.name, { kind: 'value', node, scope })
    const inner = this.#createScope(scope)
    for (const parameter of node.params) {
      const target = parameter.type === 'AssignmentPattern' ? parameter.left : parameter
      const meaning: Meaning = target.type === 'Identifier' ? { kind: 'parameter' } : UNKNOWN
      inner.parameters.push(meaning)
      for (const name of namesIn(target)) declare(inner, name, meaning)
    }
    this.#functions.set(node, inner)
  }

  #variable (id: AnyNode, init: Node | null | undefined, scope: Scope): void {
    const source = init ? loadedBy(init) : undefined
    if (id.type === 'Identifier') {
      declare(scope, id.name, source !== undefined ? { kind: 'import', source, name: '*', scope } : init ? { kind: 'value', node: init, scope } : UNKNOWN)
      return
    }
    for (const name of namesIn(id)) declare(scope, name, UNKNOWN)
    if (source === undefined) return
    for (const [name, value] of propertiesOf(id)) {
      if (value.type === 'Identifier') scope.names.set(nameOf(value) as string, { kind: 'import', source, name, scope })
    }
  }

  #exportDeclared (declaration: AnyNode, scope: Scope): void {
    const targets = declaration.type === 'VariableDeclaration' ? declaration.declarations.map(({ id }) => id) : [(declaration as { id?: AnyNode }).id]
    // The meaning of the name is noted when its own node is read.
    for (const node of targets) if (node?.type === 'Identifier') this.exports.set(nameOf(node) as string, { kind: 'value', node, scope })
  }

  // `exports.show = ...`, `module.exports.show = ...` and `module.exports = { show }`
  #exportAssigned (target: AnyNode, value: Node, scope: Scope): void {
    if (target.type !== 'MemberExpression' || target.computed) return
    const name = nameOf(target.property) as string
    const isModule = nameOf(target.object) === 'module' && name === 'exports'
    if (isModule) for (const [name, node] of propertiesOf(value)) this.exports.set(name, { kind: 'value', node, scope })
    else if (nameOf(target.object) === 'exports' || isExports(target.object)) this.exports.set(name, { kind: 'value', node: value, scope })
  }
}

/** The meaning of a name in a scope. */
export function lookUp (name: string, scope: Scope): Meaning | undefined {
  for (let at: Scope | undefined = scope; at !== undefined; at = at.around) {
    const meaning = at.names.get(name)
    if (meaning !== undefined) return meaning
  }
  return undefined
}

function followFunction (meaning: Meaning | undefined, steps: number): Scope | undefined {
  let found = meaning
  for (let left = MOST_STEPS - steps; found?.kind === 'import' && left > 0; left--) found = found.scope.file.imported(found.source, found.name)
  return found?.kind === 'value' ? found.scope.file.functionOf(found.node, found.scope, steps + 1) : undefined
}

function declare ({ names }: Scope, name: string, meaning: Meaning): void {
  names.set(name, names.has(name) ? UNKNOWN : meaning)
}

function namesOf (pattern: Node | null | undefined): string[] {
  return pattern ? namesIn(pattern) : []
}

function propertiesOf (node: Node): Map<string, Node> {
  const object = unwrap(node)
  const found = new Map<string, Node>()
  if (object.type !== 'ObjectExpression' && object.type !== 'ObjectPattern') return found
  for (const property of object.properties) {
    const name = property.type === 'Property' && !property.computed ? nameOf(property.key) : undefined
    if (name !== undefined) found.set(name, (property as { value: Node }).value)
  }
  return found
}

function isExports (node: AnyNode): boolean {
  return node.type === 'MemberExpression' && !node.computed && nameOf(node.object) === 'module' && nameOf(node.property) === 'exports'
}
