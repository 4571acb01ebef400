// From the syntax tree back to text.
import type { AstNode } from './internals.js'

/** An expression as its author would write it. */
export function print (node: AstNode): string {
  const { name, target, val, value, args } = node as unknown as Record<'name' | 'target' | 'val' | 'args', AstNode> & { value: unknown }
  switch (node.typename) {
    case 'Symbol':
      return String(value)
    case 'Literal':
      return value === null ? 'none' : JSON.stringify(value)
    case 'LookupVal':
      return val.typename === 'Literal' && typeof val.value === 'string' && /^[\w$]+$/.test(val.value)
        ? `${print(target)}.${val.value}`
        : `${print(target)}[${print(val)}]`
    case 'Group':
      return `(${node.children.map(print).join(', ')})`
    case 'FunCall':
      return `${print(name)}(${args.children.map(print).join(', ')})`
    case 'Filter': {
      const [input, ...rest] = args.children.map(print)
      return `${input} | ${print(name)}${rest.length === 0 ? '' : `(${rest.join(', ')})`}`
    }
    default:
      return '...'
  }
}
