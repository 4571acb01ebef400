// Calls: of macros, which are known, and of all other functions, which are not.
import type { Read } from '../../reads.js'
import type { AstNode } from '../internals.js'
import { surveyOf } from './chain.js'
import type { Machine } from './machine.js'
import type { Frame, Locals } from './scope.js'
import { callMacro, usesOf, type Arguments } from './macros.js'
import { because, either, hasParts, made, unionOf, type Value } from './value.js'

/** The functions of the plugin that ask which htmx a page is for. */
const PRINTERS = new Set(['sse_connect', 'sse_swap', 'sse_close', 'signal', 'signal_attrs'])
const DIALECT = 'dialect'

/** What a call gives. */
export function call (machine: Machine, node: AstNode): Value {
  const { name } = node
  // The function first: a macro that an argument calls may define another one of that name.
  const target = machine.evaluate(name)
  const given = argumentsOf(machine, (node.args as AstNode).children)
  // The text of a parent's block is read where the block begins.
  const { chain, level } = machine.now.position
  const isSeen = surveyOf(chain, level).superCalls.get(node)
  if (isSeen !== undefined) return made(machine.now.inherited, isSeen)
  const results: Value[] = []
  const ways = target.macros.map(macro => () => { results.push(because(callMacro(machine, macro, given), target.reads)) })
  // It is a macro only if nothing else can be called there.
  if (ways.length === 0 || !target.isThere || hasParts(target)) ways.push(() => { results.push(foreign(machine, node, target, given)) })
  // It is one of them.
  machine.journal.branch(ways)
  return either(results)
}

/** The arguments of a call, those with names apart. */
export function argumentsOf (machine: Machine, nodes: readonly AstNode[]): Arguments {
  const list: Value[] = []
  let named: ReadonlyMap<string, Value> = new Map()
  for (const node of nodes) {
    if (node.typename === 'KeywordArgs') named = fieldsOf(machine, node)
    else list.push(machine.evaluate(node))
  }
  return { list, named }
}

/** What is written as `name: value` or `name=value`. */
export function fieldsOf (machine: Machine, node: AstNode): ReadonlyMap<string, Value> {
  return new Map(node.children.map(({ key, value }) => [(key as AstNode).value as string, machine.evaluate(value as AstNode)]))
}

// It may do anything with what it gets, and a method also with what it belongs to.
function foreign (machine: Machine, node: AstNode, target: Value, { list, named }: Arguments): Value {
  const { uses, ledger } = machine
  const values = [...list, ...named.values()]
  const owners = target.aliases.map(({ steps, site }) => ledger.read(steps.length > 1 ? steps.slice(0, -1) : steps, site))
  const passed = usesOf(machine, values)
  noteLink(machine, node.name, values, passed, target)
  return made(unionOf([uses.all(target), owners, passed, printed(machine, node)]))
}

/**
 * A function may put one value into another, where it is read later under a name of its own. A method may also change
 * what it belongs to, and a function that another one made, such as `joiner()`, what it remembers.
 */
export function noteLink (machine: Machine, name: AstNode, values: readonly Value[], passed: ReadonlySet<Read>, target?: Value): void {
  const isMethod = name.typename !== 'Symbol'
  const mayLink = isMethod || values.length > 1
  if (mayLink && values.some(hasParts)) machine.affect(passed)
  const isMade = target !== undefined && !isMethod && isSet(machine, name.value as string)
  if (isMethod || isMade || (mayLink && values.some(isObject))) machine.happens([...passed, ...target?.reads ?? []])
}

function isSet ({ now: { locals, frame, context } }: Machine, name: string): boolean {
  for (const start of [locals, frame]) {
    for (let scope: Locals | Frame | undefined = start; scope !== undefined; scope = scope.parent) if (scope.variables.has(name)) return true
  }
  return context.variables.has(name)
}

// It may be one.
function isObject ({ aliases, fields, items, isThere }: Value): boolean {
  return aliases.length > 0 || fields !== undefined || items !== undefined || !isThere
}

function printed (machine: Machine, node: AstNode): ReadonlySet<Read> {
  const { name, args } = node
  const site = machine.site(node)
  if (name.typename !== 'Symbol' || !PRINTERS.has(name.value as string)) return new Set()
  const [first] = (args as AstNode).children
  if (name.value === 'sse_swap' && first?.typename === 'Literal') {
    machine.swaps.set(node, { name: String(first.value), place: machine.ledger.place(site) })
  }
  return machine.uses.all(...machine.inContext(DIALECT, site))
}
