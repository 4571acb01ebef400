// Macros, and the bodies of `call`, which are macros that see their surroundings.
import type { Read } from '../../reads.js'
import type { AstNode } from '../internals.js'
import type { Machine } from './machine.js'
import { Frame, Locals, type Context, type Position } from './scope.js'
import { macrosIn, made, text, type Macro, type Value } from './value.js'

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
}

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
  const { node, position, context, around } = macro as BoundMacro
  // Whatever it reads of its arguments further on is in them, and all else was read on the way to here.
  if (machine.active.has(node)) return text(recursion(machine, given))
  machine.active.add(node)
  const registers = {
    position,
    context,
    frame: new Frame(around?.frame, around !== undefined),
    locals: new Locals(around?.locals),
    isSetup: false,
    isExtending: false
  }
  const reads = machine.collect(registers, () => {
    pass(machine, node, given)
    machine.execute(node.body)
  })
  machine.active.delete(node)
  return text(reads)
}

function recursion (machine: Machine, { list, named }: Arguments): ReadonlySet<Read> {
  const values = [...list, ...named.values()]
  return machine.uses.all(...values, ...callAll(machine, values.flatMap(macrosIn)))
}

/** The results of macros that may be called with unknown arguments. */
export function callAll (machine: Machine, macros: readonly Macro[]): Value[] {
  const results: Value[] = []
  for (const macro of new Set(macros)) {
    const run = (): void => { results.push(callMacro(machine, macro, { list: [], named: new Map() })) }
    machine.journal.branch([run, () => {}])
  }
  return results
}

// More arguments than there are names go to those with a default.
function pass (machine: Machine, node: AstNode, { list, named }: Arguments): void {
  const parameters = (node.args as AstNode).children
  const last = parameters.at(-1)
  const defaults = last?.typename === 'KeywordArgs' || last?.typename === 'Dict' ? last.children : []
  const names = parameters.filter(({ typename }) => typename === 'Symbol').map(({ value }) => value as string)
  const caller = named.get('caller')
  if (caller !== undefined) machine.bindInFrame('caller', caller)
  names.forEach((name, index) => {
    const value = list[index] ?? named.get(name) ?? made()
    machine.bindLocally(name, value)
    machine.bindInFrame(name, value)
  })
  defaults.forEach((pair, index) => {
    const name = (pair.key as AstNode).value as string
    const value = list[names.length + index] ?? named.get(name)
    machine.bindInFrame(name, value ?? machine.evaluate(pair.value as AstNode))
  })
}
