// Changes to a syntax tree before it is compiled: every statement notes its
// place, so that an error can be told where it happened, and an output that is
// undefined names the expression.
import type { Site } from './fault.js'
import { isList, type AstNode, type Nunjucks } from './internals.js'
import { print } from './print.js'

/** Before the name of a tag's extension that answers by callback. */
export const ASYNC_TAG = 'chirp async '

const PLACED = new Set([
  'Output', 'If', 'IfAsync', 'For', 'AsyncEach', 'AsyncAll', 'Set', 'Switch', 'Include', 'Import', 'FromImport', 'Extends',
  'CallExtension', 'CallExtensionAsync'
])

/** Changes the tree in place. `label` is the template's name in messages, `strict` is its throwOnUndefined. */
export function instrument (nunjucks: Nunjucks, root: AstNode, label: string, strict: boolean): void {
  visit(root, '')

  // `site` is the place of the statement around the node.
  function visit (node: AstNode, site: Site): void {
    if (isList(node)) {
      node.children = node.children.flatMap(child => visitStatement(child, site))
      return
    }
    for (const child of nunjucks.childrenOf(node)) visit(child, site)
    if (node.typename === 'Output' && strict) node.children = node.children.map(required)
    else if (node.typename === 'CallExtensionAsync') node.extName = ASYNC_TAG + node.extName
  }

  // The place is noted in a statement of its own, because filters that answer
  // by callback are lifted out of the statement that they are in.
  function visitStatement (node: AstNode, around: Site): AstNode[] {
    if (!PLACED.has(node.typename) || isText(node)) {
      visit(node, around)
      // An argument: a macro that was called for it has noted places of its own.
      return [node.typename === 'FunCall' ? call('back', node, around) : node]
    }
    const placed = firstPlaced(node)
    // Nunjucks counts from zero.
    const site = placed === undefined ? `::${label}` : `${placed.lineno + 1}:${placed.colno + 1}:${label}`
    visit(node, site)
    return [nunjucks.code(`runtime.site = ${JSON.stringify(site)};\n`), node]
  }

  // Nodes of custom tags have no place of their own.
  function firstPlaced (node: AstNode): AstNode | undefined {
    if (typeof node.lineno === 'number') return node
    return nunjucks.childrenOf(node).map(firstPlaced).find(child => child !== undefined)
  }

  function call (method: 'back' | 'required', value: AstNode, text: string): AstNode {
    return nunjucks.node('NodeList', [nunjucks.code(`runtime.${method}(`), value, nunjucks.code(`, ${JSON.stringify(text)})`)])
  }

  // The prefixes of a path are checked on the way, each is evaluated once.
  function required (node: AstNode): AstNode {
    switch (node.typename) {
      case 'TemplateData':
        return node
      case 'InlineIf':
        node.body = required(node.body)
        if (node.else_ !== null) node.else_ = required(node.else_ as AstNode)
        return node
      case 'And':
        node.left = required(node.left as AstNode)
        node.right = required(node.right as AstNode)
        return node
      case 'Or':
        node.right = required(node.right as AstNode)
        return node
      case 'Group':
        node.children = node.children.map((child, index) => index === node.children.length - 1 ? required(child) : child)
        return node
    }
    const text = print(node)
    if (node.typename === 'LookupVal') node.target = required(node.target as AstNode)
    return call('required', node, text)
  }
}

function isText (node: AstNode): boolean {
  return node.typename === 'Output' && node.children.every(({ typename }) => typename === 'TemplateData')
}
