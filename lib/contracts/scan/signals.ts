// The signals that a template shows.
import type { AstNode } from '../../render/nunjucks/internals.js'
import { textsOf } from './expression.js'
import { isKnown } from './pattern.js'
import type { Lines } from './position.js'

/** A call of signal() or signal_attrs() with a name that is known. */
export interface SignalUse { call: string, name: string, offset: number }

const CALLS = new Set(['signal', 'signal_attrs'])

/** All of a syntax tree. */
export function signalsOf (root: AstNode, lines: Lines): SignalUse[] {
  const uses: SignalUse[] = []
  const open: unknown[] = [root]
  while (open.length > 0) {
    const node = open.pop() as AstNode
    if (node.typename === 'FunCall' && node.name.typename === 'Symbol' && CALLS.has(String(node.name.value))) {
      const [argument] = (node.args as AstNode).children
      const names = argument === undefined ? [] : textsOf(argument).filter(isKnown)
      for (const name of names) uses.push({ call: String(node.name.value), name, offset: lines.offset(node.name.lineno, node.name.colno) })
    }
    for (const value of Object.values(node)) if (typeof value === 'object' && value !== null) open.push(value)
  }
  return uses.sort((a, b) => a.offset - b.offset)
}
