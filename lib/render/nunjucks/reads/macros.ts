// Macros, and the bodies of `call`, which are macros that see their surroundings.
import type { Read } from '../../reads.js'
import type { AstNode } from '../internals.js'
import type { Activation, Machine } from './machine.js'
import { Frame, Locals, type Context, type Position } from './scope.js'
import { because, either, isLess, macrosIn, made, perhaps, text, type Macro, type Value } from './value.js'

interface BoundMacro extends Macro {
  position: Position
  context: Context
  /** What is around the body of a `call`. */
  around: { frame: Frame, locals: Locals } | undefined
}

/** What a call passes. */
export interface Arguments {
  list: readonly Value[]
  named: ReadonlyMap<string, Value>
  /** There may be others, and each of them may be undefined. */
  isUnsure?: boolean
}

const UNKNOWN: Arguments = { list: [], named: new Map(), isUnsure: true }

/** A macro as it is where it is defined. */
export function bound ({ now: { position, context, frame, locals } }: Machine, node: AstNode, seesAround: boolean): Macro {
  const macro: BoundMacro = { node, position, context, around: seesAround ? { frame, locals } : undefined }
  return macro
}

/** What the text of a body depends on. */
export function bodyOf (machine: Machine, body: AstNode): Set<Read> {
  return machine.collect({ isSetup: false }, () => machine.execute(body))
}

/** What a macro gives. */
export function callMacro (machine: Machine, macro: Macro, given: Arguments): Value {
  const { node, isIndirect } = macro
  if (machine.active.has(node)) return text(recursion(machine, macro, given))
  if (isIndirect === true) return because(run(machine, macro, UNKNOWN), usesOf(machine, valuesOf(given)))
  const result = run(machine, macro, given)
  // It also called itself with less, and may then find other variables.
  return machine.lessened.delete(node) ? either([result, run(machine, macro, { ...given, isUnsure: true })]) : result
}

function run (machine: Machine, macro: Macro, given: Arguments): Value {
  const { node, position, context, around } = macro as BoundMacro
  const registers = {
    position,
    context,
    // Macros of the same function share its variable for the frame, and the body of a `call` goes by that.
    frame: new Frame(around && (machine.frameAt(position) ?? around.frame), around !== undefined),
    locals: new Locals(around?.locals),
    isSetup: false,
    isExtending: false
  }
  const reads = machine.collect(registers, () => {
    machine.active.set(node, { variables: pass(machine, node, given), bindings: machine.bindings })
    machine.execute(node.body)
  })
  machine.active.delete(node)
  return text(reads)
}

// Whatever it reads of its arguments further on is in them, and all else was read on the way to here.
function recursion (machine: Machine, macro: Macro, given: Arguments): ReadonlySet<Read> {
  const { node, context } = macro as BoundMacro
  const began = machine.active.get(node) as Activation
  const again = parameters(node, given)
  if ([...began.variables].some(([name, value]) => again.has(name) && isLess(again.get(name), value))) machine.lessened.add(node)
  const values = valuesOf(given)
  const { bindings } = began
  if (bindings === undefined || bindings === machine.bindings) return usesOf(machine, values)
  // Names have got other macros since, which may call it as well.
  began.bindings = undefined
  for (const { value } of context.variables.values()) values.push(value)
  const reads = usesOf(machine, values)
  began.bindings = machine.bindings
  return reads
}

function valuesOf ({ list, named }: Arguments): Value[] {
  return [...list, ...named.values()]
}

/** All that code without limits may read of values. */
export function usesOf (machine: Machine, values: readonly Value[]): ReadonlySet<Read> {
  return machine.uses.all(...values, ...callAll(machine, values.flatMap(macrosIn)))
}

/** After so many turns of a loop, what it sets is not followed any more. */
const TURNS = 2
const MOST_TURNS = 12

/** Runs a way any number of times, or not at all. */
export function repeat (machine: Machine, way: () => void): void {
  for (let turn = 1; turn <= MOST_TURNS; turn++) {
    const settle = turn <= TURNS ? undefined : (value: Value) => machine.uses.flat(value)
    if (!machine.journal.branch([way, () => {}], settle)) return
  }
}

/** The results of macros that may be called with unknown arguments. */
export function callAll (machine: Machine, macros: readonly Macro[]): Value[] {
  const results: Value[] = []
  for (const macro of new Set(macros)) {
    repeat(machine, () => { results.push(callMacro(machine, macro, UNKNOWN)) })
  }
  return results
}

// More arguments than there are names go to those with a default; of these only what is passed.
function parameters (node: AstNode, { list, named }: Arguments): Map<string, Value | undefined> {
  const [names, defaults] = signature(node)
  return new Map([
    ['caller', named.get('caller')],
    ...names.map((name, index) => [name, list[index] ?? named.get(name)] as const),
    ...defaults.map(([name], index) => [name, list[names.length + index] ?? named.get(name)] as const).filter(([, value]) => value !== undefined)
  ])
}

function signature (node: AstNode): [names: string[], defaults: Array<[name: string, value: AstNode]>] {
  const parameters = (node.args as AstNode).children
  const last = parameters.at(-1)
  const pairs = last?.typename === 'KeywordArgs' || last?.typename === 'Dict' ? last.children : []
  return [
    parameters.filter(({ typename }) => typename === 'Symbol').map(({ value }) => value as string),
    pairs.map(({ key, value }) => [(key as AstNode).value as string, value as AstNode])
  ]
}

function pass (machine: Machine, node: AstNode, given: Arguments): Map<string, Value> {
  const passed = parameters(node, given)
  const sure = (value: Value): Value => given.isUnsure === true ? perhaps(value) : value
  const [names, defaults] = signature(node)
  const variables = new Map<string, Value>()
  const caller = passed.get('caller')
  if (caller !== undefined) bind('caller', caller)
  for (const name of names) machine.bindLocally(name, bind(name, passed.get(name) ?? made()))
  for (const [name, value] of defaults) bind(name, passed.get(name) ?? machine.evaluate(value))
  return variables

  function bind (name: string, value: Value): Value {
    variables.set(name, sure(value))
    machine.bindInFrame(name, sure(value))
    return sure(value)
  }
}
