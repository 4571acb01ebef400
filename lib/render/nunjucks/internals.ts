// The parts of Nunjucks 3 that are not in its documentation: its nodes, its
// compiled functions and what they call. They are taken from the environment's
// own copy of Nunjucks, because the parser and the compiler compare classes.

export type Callback<T = void> = (error: unknown, result?: T) => void

/** The compiled form of a template or one of its blocks. */
export type RenderFunction = (
  env: Environment, context: Context, frame: Frame, runtime: Runtime, callback: Callback<string>
) => void

export interface Frame {
  topLevel: boolean
  lookup (name: string): unknown
}

/** Variables and blocks of one render. */
export interface Context {
  env: Environment
  ctx: object
  blocks: Record<string, RenderFunction[]>
  exported: string[]
  getBlock (name: string): RenderFunction
  getSuper (env: Environment, name: string, block: RenderFunction, frame: Frame, runtime: Runtime, callback: Callback<string>): void
}

/** The functions that compiled templates call. */
export interface Runtime {
  handleError (error: unknown): unknown
  /** What an output comes to. */
  suppressValue (value: unknown, autoescape: boolean): unknown
  /** What a loop goes over. */
  fromIterator (value: unknown): unknown
}

export interface Environment {
  opts: { autoescape: boolean, throwOnUndefined: boolean, dev: boolean, tags?: { variableStart?: string, variableEnd?: string } | undefined }
  /** Those that look into folders say which. */
  loaders: Array<{ searchPaths?: string[] | undefined }>
  asyncFilters: string[]
  globals: Record<string, unknown>
  tests: Record<string, AnyFunction>
  extensionsList: Extension[]
  getTemplate (name: unknown, ...rest: unknown[]): Template | undefined
  getFilter (name: string): AnyFunction
  getTest (name: string): AnyFunction
  addGlobal (name: string, value: unknown): unknown
  addTest (name: string, test: AnyFunction): unknown
  getExtension (name: string): object
}

export type AnyFunction = (...args: unknown[]) => unknown

export interface Template {
  env: Environment
  path: string | undefined
  /** The source; a precompiled template has tmplProps instead. */
  tmplStr?: string | undefined
  tmplProps?: object | undefined
  blocks: Record<string, RenderFunction>
  rootRenderFunc: RenderFunction
  compile (): void
  render (context: object): unknown
}

/** A node of the syntax tree. Which fields it has depends on `typename`. */
export interface AstNode {
  typename: string
  lineno: number
  colno: number
  children: AstNode[]
  name: AstNode
  body: AstNode
  value: unknown
  [field: string]: unknown
}

interface Extension {
  tags?: string[]
  preprocess?: ((source: string) => string) | undefined
  parse?: (parser: Parser, nodes: Nodes, lexer: Lexer) => AstNode
}

interface Parser {
  constructor: Function
  tokens: unknown
  extensions: Extension[]
  advanceAfterBlockEnd (): unknown
  parseAsRoot (): AstNode
}

interface Nodes { [typename: string]: new (lineno?: number, colno?: number, ...fields: unknown[]) => AstNode }
interface Lexer { lex (source: string, options: object): unknown }
type TemplateClass = new (source: string | { type: 'code', obj: object }, env?: object, path?: string) => Template

/** One copy of Nunjucks, reached through a template that it made. */
export class Nunjucks {
  readonly #Template: TemplateClass
  readonly #nodes: Nodes
  readonly #lexer: Lexer
  readonly #Parser: new (tokens: unknown) => Parser
  readonly Context: new () => Context
  readonly Frame: new () => Frame
  readonly runtime: Runtime
  #pristine: Environment | undefined

  constructor (template: Template) {
    this.#Template = template.constructor as TemplateClass
    const internals = probe(this.#Template)
    this.#nodes = internals.nodes
    this.#lexer = internals.lexer
    this.#Parser = internals.Parser
    this.Context = internals.Context
    this.Frame = internals.Frame
    this.runtime = internals.runtime
  }

  /** The syntax tree of a source, a fresh one each time because compiling changes it. */
  parse (source: string, env: Environment): AstNode {
    const text = env.extensionsList.reduce((text, { preprocess }) => preprocess === undefined ? text : preprocess(text), source)
    const parser = new this.#Parser(this.#lexer.lex(text, env.opts))
    parser.extensions = env.extensionsList
    return parser.parseAsRoot()
  }

  /** A template made of syntax nodes, which renders in `env`. */
  compile (statements: AstNode[], env: Environment, path: string | undefined): Template {
    const template = compileTag(this.#Template, nodes => new (nodes.NodeList as Nodes[string])(0, 0, statements), env.asyncFilters, path)
    template.env = env
    return template
  }

  /** The same for a precompiled template. */
  adopt (precompiled: object, env: Environment, path: string | undefined): Template {
    const template = new this.#Template({ type: 'code', obj: precompiled }, env, path)
    template.compile()
    return template
  }

  /** An environment without changes. */
  get pristine (): Environment {
    this.#pristine ??= new this.#Template('').env
    return this.#pristine
  }

  node (typename: string, ...fields: unknown[]): AstNode {
    return new (this.#nodes[typename] as Nodes[string])(0, 0, ...fields)
  }

  /** JavaScript that is compiled as it is: the compiler prints literals that are not strings. */
  code (text: string): AstNode {
    return this.node('Literal', { toString: () => text })
  }

  isNode (value: unknown): value is AstNode {
    return value instanceof (this.#nodes.Node as Nodes[string])
  }

  /** The nodes right below one. The fields that Nunjucks names leave out bodies of `set` and cases of `switch`. */
  childrenOf (node: AstNode): AstNode[] {
    const children: AstNode[] = []
    for (const value of Object.values(node)) {
      if (typeof value !== 'object' || value === null) continue
      if (this.isNode(value)) children.push(value)
      else if (Array.isArray(value)) for (const item of value) if (this.isNode(item)) children.push(item)
    }
    return children
  }
}

/** A list of statements. Arguments of calls are lists too, but hold no statements. */
export function isList (node: AstNode): boolean {
  return node.typename === 'NodeList' || node.typename === 'Root'
}

// There is no public way to compile a syntax tree. A tag may parse to any tree,
// so a template of one private tag compiles to any code.
function compileTag (Template: TemplateClass, parse: (nodes: Nodes, lexer: Lexer, parser: Parser) => AstNode, asyncFilters: string[], path?: string): Template {
  const extension: Extension = {
    tags: ['chirp'],
    parse (parser, nodes, lexer) {
      parser.advanceAfterBlockEnd()
      return parse(nodes, lexer, parser)
    }
  }
  const template = new Template('{% chirp %}', { opts: {}, asyncFilters, extensionsList: [extension] }, path)
  template.compile()
  return template
}

function probe (Template: TemplateClass) {
  return { ...probeCompiler(Template), ...probeRuntime(Template) }
}

function probeCompiler (Template: TemplateClass) {
  let found
  compileTag(Template, (nodes, lexer, parser) => {
    found = { nodes, lexer, Parser: parser.constructor }
    return new (nodes.NodeList as Nodes[string])()
  }, [])
  return found as unknown as { nodes: Nodes, lexer: Lexer, Parser: new (tokens: unknown) => Parser }
}

function probeRuntime (Template: TemplateClass) {
  let found
  const root: RenderFunction = (env, context, frame, runtime, callback) => {
    found = { Context: context.constructor, Frame: frame.constructor, runtime }
    callback(null, '')
  }
  new Template({ type: 'code', obj: { root } }, {}).render({})
  return found as unknown as { Context: new () => Context, Frame: new () => Frame, runtime: Runtime }
}
