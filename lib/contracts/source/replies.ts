// Which expressions of the source are the reply of a request: by their name, as
// the parameter of a handler, and what such a parameter is handed on to.
import type { AnyNode, Node } from 'acorn'
import { nameOf, unwrap } from './bindings.js'
import { lookUp, type FileScopes, type Meaning, type Scope } from './scopes.js'

const NAMES = /^(?:reply|rep|res|response)$/

/** Methods of an app that take a path, and a handler as the last argument. */
const METHODS = new Set(['get', 'head', 'post', 'put', 'patch', 'delete', 'options', 'query', 'trace', 'all'])
const HOOKS = ['onRequest', 'preParsing', 'preValidation', 'preHandler', 'preSerialization', 'onError', 'onSend', 'onResponse', 'onTimeout']
/** Options of a route that are functions, and which of their parameters is the reply. */
const OPTIONS = new Map([...HOOKS.map(name => [name, 1] as const), ['handler', 1], ['errorHandler', 2]])

interface Call { callee: Node, scope: Scope, index: number }

/** The replies of all files. */
export class Replies {
  readonly #parameters = new Set<Meaning>()
  /** Where the value of a parameter is handed on to. */
  readonly #calls = new Map<Meaning, Call[]>()
  readonly #roots = new Map<Node, AnyNode>()

  constructor (files: Iterable<FileScopes>) {
    const all = [...files]
    const seeds: Call[] = []
    for (const { nodes } of all) {
      for (const { node, scope } of nodes) {
        if (node.type === 'CallExpression') this.#arguments(node.callee, node.arguments, scope, seeds)
      }
    }
    for (const seed of seeds) this.#handOn(seed)
    for (const { nodes } of all) {
      for (const { node, scope } of nodes) {
        if (node.type === 'CallExpression') this.#register(node.callee, node.arguments, scope)
        const index = node.type === 'Property' && !node.computed ? OPTIONS.get(nameOf(node.key) as string) : undefined
        if (index !== undefined) this.#handler((node as { value: Node }).value, index, scope)
      }
    }
  }

  /** Whether an expression is the reply, also at the other end of `reply.code(200).type('text/html')`. */
  has (node: Node, scope: Scope): boolean {
    const root = this.#rootOf(unwrap(node))
    if (root.type !== 'Identifier') return false
    return NAMES.test(root.name) || this.#parameters.has(this.#originOf(root, scope) as Meaning)
  }

  // Remembers for each argument that may be a reply which function takes it.
  #arguments (callee: Node, values: readonly Node[], scope: Scope, seeds: Call[]): void {
    for (const [index, value] of values.entries()) {
      const argument = unwrap(value)
      const root = this.#rootOf(argument)
      // `reply.request` is another thing; `reply.code(200)` is the same.
      if (root.type !== 'Identifier' || argument.type === 'MemberExpression') continue
      const call = { callee, scope, index }
      if (NAMES.test(root.name)) seeds.push(call)
      const origin = this.#originOf(root, scope)
      if (origin?.kind !== 'parameter') continue
      const calls = this.#calls.get(origin)
      if (calls === undefined) this.#calls.set(origin, [call])
      else calls.push(call)
    }
  }

  // Handlers among the arguments of a call.
  #register (callee: Node, values: readonly Node[], scope: Scope): void {
    const target = unwrap(callee)
    if (target.type !== 'MemberExpression' || target.computed || values.length === 0) return
    const name = nameOf(target.property) as string
    const last = values.at(-1) as Node
    const isHandler = (METHODS.has(name) && values.length > 1) || name === 'setNotFoundHandler' || (name === 'addHook' && HOOKS.includes(nameOf(values[0] as Node) as string))
    if (name === 'setErrorHandler') this.#handler(last, 2, scope)
    else if (isHandler) this.#handler(last, 1, scope)
  }

  // A function, several, or one inside of a function that wraps it.
  #handler (node: Node, index: number, scope: Scope): void {
    const value = unwrap(node)
    if (value.type === 'ArrayExpression') for (const item of value.elements) item && this.#handOn({ callee: item, scope, index })
    else if (value.type === 'CallExpression') for (const item of value.arguments) this.#handOn({ callee: item, scope, index })
    else this.#handOn({ callee: value, scope, index })
  }

  #handOn (call: Call): void {
    const open = [call]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { callee, scope, index } = next
      const parameter = scope.file.functionOf(callee, scope)?.parameters[index]
      if (parameter?.kind !== 'parameter' || this.#parameters.has(parameter)) continue
      this.#parameters.add(parameter)
      for (const further of this.#calls.get(parameter) ?? []) open.push(further)
    }
  }

  // What `other` is in `const other = reply`.
  #originOf (identifier: AnyNode, scope: Scope): Meaning | undefined {
    let meaning = lookUp(nameOf(identifier) as string, scope)
    const seen = new Set<Meaning>()
    while (meaning?.kind === 'value' && !seen.has(meaning)) {
      seen.add(meaning)
      const root = this.#rootOf(unwrap(meaning.node))
      if (root.type !== 'Identifier') return undefined
      meaning = lookUp(root.name, meaning.scope)
    }
    return meaning
  }

  // Where a chain of calls and members begins, remembered for all that are in it.
  #rootOf (node: AnyNode): AnyNode {
    const path: AnyNode[] = []
    let root = node
    for (;;) {
      const known = this.#roots.get(root)
      if (known !== undefined) {
        root = known
        break
      }
      if (root.type !== 'CallExpression' && root.type !== 'MemberExpression') break
      path.push(root)
      root = unwrap(root.type === 'CallExpression' ? root.callee : root.object)
    }
    for (const part of path) this.#roots.set(part, root)
    return root
  }
}
