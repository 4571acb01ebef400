// What expressions give, and what they read.
import type { Read } from '../../reads.js'
import type { AstNode } from '../internals.js'
import { call, fieldsOf } from './calls.js'
import { filterValue } from './filters.js'
import type { Machine } from './machine.js'
import { because, either, list, text, unionOf, type Value } from './value.js'
import { bodyOf, bound, usesOf } from './macros.js'

// Tests that ask for the kind of a value, not for what is in it.
const KINDS = new Set([
  'defined', 'undefined', 'null', 'truthy', 'falsy', 'callable', 'number', 'string', 'mapping', 'iterable', 'escaped'
])
const OPERATORS = new Set(['In', 'Add', 'Concat', 'Sub', 'Mul', 'Div', 'FloorDiv', 'Mod', 'Pow'])

export function evaluate (machine: Machine, node: AstNode): Value {
  const { uses } = machine
  const { typename } = node
  switch (typename) {
    case 'Literal':
      return text()
    case 'Symbol':
      return symbol(machine, node)
    case 'LookupVal':
      return member(machine, node)
    case 'FunCall':
      return call(machine, node)
    case 'Filter':
      return machine.ahead.get(node) ?? filterValue(machine, node)
    case 'Group': {
      // The last one counts, as in JavaScript.
      const values = node.children.map(child => machine.evaluate(child))
      return values.at(-1) as Value
    }
    case 'Array':
      return list(either(node.children.map(child => machine.evaluate(child))))
    case 'Dict':
    case 'KeywordArgs':
      return { ...text(), fields: fieldsOf(machine, node) }
    case 'Caller':
      return { ...text(), macros: [bound(machine, node, true)] }
    case 'Capture':
      return text(bodyOf(machine, node.body))
    case 'And':
    case 'Or': {
      const first = machine.evaluate(node.left as AstNode)
      const decides = uses.presence(first)
      const [second] = oneOf(machine, decides, [node.right as AstNode, null]) as [Value]
      const value = because(either([first, second]), decides)
      return { ...value, isThere: second.isThere && (typename === 'Or' || first.isThere) }
    }
    case 'InlineIf': {
      const condition = uses.presence(machine.evaluate(node.cond as AstNode))
      return because(either(oneOf(machine, condition, [node.body, node.else_ as AstNode | null])), condition)
    }
    case 'Not':
      return text(uses.presence(machine.evaluate(node.target as AstNode)))
    case 'Neg':
    case 'Pos':
      return text(uses.all(machine.evaluate(node.target as AstNode)))
    case 'Compare': {
      const others = (node.ops as AstNode[]).map(({ expr }) => machine.evaluate(expr as AstNode))
      return text(uses.all(machine.evaluate(node.expr as AstNode), ...others))
    }
    case 'Is':
      return test(machine, node.left as AstNode, node.right as AstNode)
    default:
      if (OPERATORS.has(typename)) return text(uses.all(machine.evaluate(node.left as AstNode), machine.evaluate(node.right as AstNode)))
      return text(machine.giveUp(node))
  }
}

/** What expressions give of which one is evaluated. A macro that is called there may define others, which are there only then. */
function oneOf (machine: Machine, condition: ReadonlySet<Read>, ways: Array<AstNode | null>): Value[] {
  const values: Value[] = []
  machine.under(condition, () => {
    machine.journal.branch(ways.map(way => () => { values.push(way === null ? text() : machine.evaluate(way)) }))
  })
  return values
}

function symbol (machine: Machine, node: AstNode): Value {
  const value = machine.lookUp(node.value as string, machine.site(node))
  machine.uses.note(value)
  return value
}

function member (machine: Machine, node: AstNode): Value {
  const key = node.val as AstNode
  const value = machine.evaluate(node.target as AstNode)
  const found = key.typename === 'Literal'
    ? machine.uses.member(value, key.value, machine.site(node))
    : because(machine.uses.member(value, undefined, machine.site(node)), machine.uses.all(machine.evaluate(key)))
  machine.uses.note(found)
  return found
}

function test (machine: Machine, left: AstNode, right: AstNode): Value {
  const value = machine.evaluate(left)
  // A test that takes arguments is a call.
  const name = String((right.name as AstNode | undefined)?.value ?? right.value)
  const given = (right.args as AstNode | undefined)?.children.map(child => machine.evaluate(child)) ?? []
  const isBuiltin = machine.isBuiltin('test', name)
  if (isBuiltin && KINDS.has(name)) return text(unionOf([machine.uses.presence(value), machine.uses.all(...given)]))
  return text(isBuiltin ? machine.uses.all(value, ...given) : usesOf(machine, [value, ...given]))
}
