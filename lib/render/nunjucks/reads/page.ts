// Blocks, as they run in the place of their tags.
import type { Read } from '../../reads.js'
import { surveyOf, type Found } from './chain.js'
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
  machine.active.set(body, { variables: new Map() })
  const registers = { position: { chain, level, block: name }, frame: new Frame(machine.now.frame, true), locals: new Locals(), isExtending: false }
  machine.with(registers, () => {
    // Nunjucks renders it before anything else.
    const inherited = inheritedBy(machine, name, { level, body })
    machine.emit(inherited)
    machine.with({ inherited }, () => machine.execute(body))
  })
  machine.active.delete(body)
}

/** What the text of super() in a body reads. Nunjucks overlooks it in some places, and then does not run it. */
export function inheritedBy (machine: Machine, name: string, { level, body }: Found): Set<Read> {
  if (!surveyOf(machine.now.position.chain, level).supersWithin.has(body)) return new Set()
  return machine.collect({ isSetup: false }, () => machine.perhaps(() => runBody(machine, name, level + 1)))
}
