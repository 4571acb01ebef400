// Whether a handler answers with an event stream, as far as its source tells.
import { parse, type AnyNode, type Options } from 'acorn'
import { walk } from './syntax.js'

// The source of one function, without the class that its private fields belong to.
const OPTIONS: Options = { ecmaVersion: 'latest', sourceType: 'module', checkPrivateFields: false, allowSuperOutsideMethod: true }

/** Methods of a reply that open no stream. */
const PLAIN = new Set([
  'callNotFound', 'clearCookie', 'code', 'cookie', 'download', 'elapsedTime', 'fragment', 'getHeader', 'getHeaders', 'hasHeader', 'header',
  'headers', 'html', 'log', 'page', 'redirect', 'removeHeader', 'render', 'request', 'send', 'sendFile', 'sent', 'setCookie', 'status',
  'statusCode', 'type', 'view', 'viewAsync'
])
/** Those of them that do not give the reply again. */
const VALUES = new Set(['elapsedTime', 'getHeader', 'getHeaders', 'hasHeader', 'log', 'request', 'sent', 'statusCode'])
/** Where the reply may end up without being handed on. */
const HARMLESS = new Set([
  'ArrowFunctionExpression', 'AwaitExpression', 'ConditionalExpression', 'ExpressionStatement', 'LogicalExpression', 'ReturnStatement'
])

/**
 * True when the handler calls `eventStream()`, false when it surely opens no
 * stream, undefined when it does not tell: it hands the reply on, takes the
 * raw response, uses an unknown decorator, or has no source.
 */
export function opensStream (handler: Function): boolean | undefined {
  return factsOf(handler).opensStream
}

/** Whether a handler answers with a page that has its stream at the same address: `reply.page(template, context, { live })`. */
export function isLivePage (handler: Function): boolean {
  return factsOf(handler).isLivePage
}

interface HandlerFacts { opensStream: boolean | undefined, isLivePage: boolean }

// A route and its HEAD twin share one, and so may many routes.
const known = new WeakMap<Function, HandlerFacts>()

function factsOf (handler: Function): HandlerFacts {
  let facts = known.get(handler)
  if (facts === undefined) known.set(handler, facts = look(handler))
  return facts
}

function look (handler: Function): HandlerFacts {
  const source = Function.prototype.toString.call(handler)
  const found = parseFunction(source)
  if (found === undefined) return { opensStream: undefined, isLivePage: false }
  const { eventStream, isOpaque, isLivePage } = new Uses(found)
  const isUnknown = isOpaque || source.includes('text/event-stream')
  return { opensStream: eventStream || isLivePage || (isUnknown ? undefined : false), isLivePage }
}

type FunctionNode = Extract<AnyNode, { type: 'ArrowFunctionExpression' | 'FunctionExpression' }>

function parseFunction (source: string): FunctionNode | undefined {
  // A method is written without the word `function`.
  for (const text of [`(${source})`, `({${source}})`]) {
    try {
      const [statement] = parse(text, OPTIONS).body
      const { expression } = statement as { expression: AnyNode }
      const node = expression.type === 'ObjectExpression' ? (expression.properties[0] as { value: AnyNode }).value : expression
      if (node.type === 'ArrowFunctionExpression' || node.type === 'FunctionExpression') return node
    } catch {
      // Neither form: native code, or a syntax that is newer than the parser.
    }
  }
  return undefined
}

/** The uses of a handler's reply, the second parameter. */
class Uses {
  eventStream = false
  isOpaque = false
  isLivePage = false
  readonly #parents = new Map<AnyNode, AnyNode>()

  constructor (handler: FunctionNode) {
    const { params } = handler
    const reply = params[1]
    const name = reply?.type === 'Identifier' ? reply.name : undefined
    this.isOpaque = params.some(({ type }) => type === 'RestElement') || (reply !== undefined && name === undefined)
    this.#parents.set(handler.body, handler)
    for (const { node, parent } of walk(handler.body)) {
      if (parent !== undefined) this.#parents.set(node, parent)
      if (node.type === 'CallExpression' && node.callee.type === 'MemberExpression') this.#call(nameOf(node.callee), node.arguments[2])
      if (node.type === 'Identifier' && this.#isOpaqueUse(node, name)) this.isOpaque = true
    }
  }

  #call (method: string | undefined, options: AnyNode | undefined): void {
    if (method === 'eventStream') this.eventStream = true
    if (method !== 'page' || options === undefined) return
    if (options.type !== 'ObjectExpression' || options.properties.some(({ type }) => type === 'SpreadElement')) this.isOpaque = true
    else if (options.properties.some(property => property.type === 'Property' && !property.computed && property.key.type === 'Identifier' && property.key.name === 'live')) this.isLivePage = true
  }

  #isOpaqueUse (node: Extract<AnyNode, { type: 'Identifier' }>, reply: string | undefined): boolean {
    if (node.name === 'arguments') return true
    return node.name === reply && !isProperty(node, this.#parents.get(node) as AnyNode) && !this.#isPlain(node)
  }

  // Follows reply.code(200).header('a', 'b').send(...) to its end.
  #isPlain (reply: AnyNode): boolean {
    let node = reply
    for (;;) {
      const parent = this.#parents.get(node) as AnyNode
      if (parent.type === 'MemberExpression' && parent.object === node) {
        const name = nameOf(parent)
        if (name === undefined || !PLAIN.has(name)) return false
        if (VALUES.has(name)) return true
      } else if (parent.type !== 'CallExpression' || parent.callee !== node) {
        return HARMLESS.has(parent.type)
      }
      node = parent
    }
  }
}

// `x.reply` and `{ reply: 1 }` name something else.
function isProperty (node: AnyNode, parent: AnyNode): boolean {
  if (parent.type === 'MemberExpression') return parent.property === node && !parent.computed
  return parent.type === 'Property' && parent.key === node && !parent.computed && !parent.shorthand
}

function nameOf (member: Extract<AnyNode, { type: 'MemberExpression' }>): string | undefined {
  return !member.computed && member.property.type === 'Identifier' ? member.property.name : undefined
}
