// Blocks, as they run in the place of their tags.
import type { AstNode, Nunjucks } from '../internals.js'
import type { Machine } from './machine.js'
import { Frame, Locals } from './scope.js'

/** Runs the body of a block that is in effect. */
export function runBlock (machine: Machine, name: string): void {
  machine.enter(name, () => runBody(machine, name, 0))
}

/** Runs the body from a level on, with those that it calls by super(). */
export function runBody (machine: Machine, name: string, from: number): void {
  const { chain } = machine.now.position
  const found = chain.find(name, from)
  if (found === undefined) return
  const { level, body } = found
  // Blocks that hold each other never end; what they read was read on the way to here.
  if (machine.active.has(body)) return
  machine.active.add(body)
  const registers = { position: { chain, level, block: name }, frame: new Frame(machine.now.frame, true), locals: new Locals() }
  machine.with(registers, () => {
    // Nunjucks renders it before anything else.
    if (callsSuper(machine.host.nunjucks, body)) runBody(machine, name, level + 1)
    machine.execute(body)
  })
  machine.active.delete(body)
}

/** Whether a body calls super(), also from within other blocks. */
export function callsSuper (nunjucks: Nunjucks, node: AstNode): boolean {
  if (node.typename === 'FunCall' && node.name.value === 'super') return true
  return nunjucks.childrenOf(node).some(child => callsSuper(nunjucks, child))
}
