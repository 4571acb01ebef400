// The meaning of names in a source file, where it is plain: constants of
// literals, and imports from the plugin.
import type { AnyNode, Expression, Node, Pattern } from 'acorn'
import { MOST_NESTED } from '../limits.js'
import { clip, combine, HOLE, unite } from '../scan/pattern.js'
import { childrenOf } from '../syntax.js'

const PACKAGE = 'fastify-chirp'

/** The names of one file. */
export class Bindings {
  /** A name that is declared twice may mean either. */
  readonly #declared = new Map<string, number>()
  readonly #constants = new Map<string, Expression>()
  /** Local names, and what they are called in the plugin; `*` is all of it. */
  readonly #imports = new Map<string, string>()
  readonly #texts = new Map<Node, string[]>()

  /** To be called for each node of the file before anything is asked. */
  note (node: AnyNode): void {
    switch (node.type) {
      case 'VariableDeclaration':
        for (const { id, init } of node.declarations) {
          this.#declare(id)
          if (init === null || init === undefined) continue
          if (node.kind === 'const' && id.type === 'Identifier') this.#constants.set(id.name, init)
          if (loadedBy(init) === PACKAGE) this.#require(id)
        }
        break
      case 'ImportDeclaration':
        for (const specifier of node.specifiers) {
          this.#declare(specifier.local)
          if (node.source.value !== PACKAGE) continue
          if (specifier.type === 'ImportNamespaceSpecifier') this.#imports.set(specifier.local.name, '*')
          if (specifier.type === 'ImportSpecifier') this.#imports.set(specifier.local.name, nameOf(specifier.imported) as string)
        }
        break
      case 'FunctionDeclaration':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        for (const parameter of node.params) this.#declare(parameter)
        if (node.type === 'FunctionDeclaration' && node.id !== null) this.#declare(node.id)
        break
      case 'ClassDeclaration':
        if (node.id !== null) this.#declare(node.id)
        break
      case 'CatchClause':
        if (node.param) this.#declare(node.param)
    }
  }

  /** What a called name is in the plugin, such as `Fragment`; undefined for all others. */
  fromPlugin (callee: Node): string | undefined {
    const node = callee as AnyNode
    if (node.type === 'Identifier') return this.#isUnique(node.name) ? this.#imports.get(node.name) : undefined
    if (node.type !== 'MemberExpression' || node.object.type !== 'Identifier' || node.computed) return undefined
    return this.#imports.get(node.object.name) === '*' && this.#isUnique(node.object.name) ? nameOf(node.property) : undefined
  }

  /** All texts that an expression can come to, with holes. */
  textsOf (node: Node, depth = 0): string[] {
    const expression = unwrap(node)
    let texts = this.#texts.get(expression)
    // A constant that is used twice in each of thirty others is read once.
    if (texts === undefined) this.#texts.set(expression, texts = depth > MOST_NESTED ? [HOLE] : this.#read(expression, depth + 1))
    return texts
  }

  #read (expression: AnyNode, depth: number): string[] {
    const read = (part: Node): string[] => this.textsOf(part, depth)
    switch (expression.type) {
      case 'Literal':
        return [typeof expression.value === 'string' ? clip(expression.value) : HOLE]
      case 'TemplateLiteral':
        return combine(expression.quasis.flatMap(({ value }, index) => {
          const inner = expression.expressions[index]
          return [[clip(value.cooked ?? HOLE)], ...(inner === undefined ? [] : [read(inner)])]
        }))
      case 'BinaryExpression':
        return expression.operator === '+' ? combine(operandsOf(expression).map(read)) : [HOLE]
      case 'ConditionalExpression':
        return unite(resultsOf(expression).map(read))
      case 'Identifier': {
        const constant = this.#isUnique(expression.name) ? this.#constants.get(expression.name) : undefined
        // A constant of a constant is as good, and one of itself does not run.
        return constant === undefined || constant.start >= expression.start ? [HOLE] : read(constant)
      }
      default:
        return [HOLE]
    }
  }

  #isUnique (name: string): boolean {
    return this.#declared.get(name) === 1
  }

  #declare (pattern: Node): void {
    for (const name of namesIn(pattern)) this.#declared.set(name, (this.#declared.get(name) ?? 0) + 1)
  }

  #require (id: Pattern): void {
    if (id.type === 'Identifier') this.#imports.set(id.name, '*')
    if (id.type !== 'ObjectPattern') return
    for (const property of id.properties) {
      if (property.type !== 'Property' || property.value.type !== 'Identifier') continue
      const name = nameOf(property.key)
      if (name !== undefined) this.#imports.set(property.value.name, name)
    }
  }
}

/** The name of an identifier, or the text of a literal. */
export function nameOf (node: Node): string | undefined {
  const named = node as AnyNode
  if (named.type === 'Identifier') return named.name
  return named.type === 'Literal' && typeof named.value === 'string' ? named.value : undefined
}

/** Without what TypeScript, parentheses and `await` put around it. */
export function unwrap (node: Node): AnyNode {
  let inner = node as AnyNode
  for (;;) {
    if (inner.type === 'AwaitExpression') inner = inner.argument
    else if (/^(?:TS\w+|ParenthesizedExpression|ChainExpression)$/.test(inner.type) && 'expression' in inner) inner = inner.expression as AnyNode
    else return inner
  }
}

/** The operands of `a + b + c`, which is parsed as `(a + b) + c`, however long it is. */
export function operandsOf (node: AnyNode): Node[] {
  const operands: Node[] = []
  let first = node
  for (; first.type === 'BinaryExpression' && first.operator === '+'; first = unwrap(first.left)) operands.push(first.right)
  return [...operands, first].reverse()
}

// What `a ? b : c ? d : e` can come to.
function resultsOf (node: AnyNode): Node[] {
  const results: Node[] = []
  let last = node
  for (; last.type === 'ConditionalExpression'; last = unwrap(last.alternate)) results.push(last.consequent)
  return [...results, last]
}

/** The package or file that `require()` or `import()` loads. */
export function loadedBy (node: Node): string | undefined {
  const call = unwrap(node)
  if (call.type === 'ImportExpression') return nameOf(call.source)
  const isRequire = call.type === 'CallExpression' && nameOf(call.callee) === 'require' && call.arguments.length === 1
  return isRequire ? nameOf(call.arguments[0] as Node) : undefined
}

/** The names that a pattern binds; parts that are evaluated bind none that matter. */
export function namesIn (pattern: Node): string[] {
  const names: string[] = []
  const open = [pattern as AnyNode]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.type === 'Identifier') names.push(node.name)
    else if (node.type === 'AssignmentPattern') open.push(node.left)
    else if (node.type === 'Property') open.push(node.value)
    else for (const child of childrenOf(node)) open.push(child)
  }
  return names
}
