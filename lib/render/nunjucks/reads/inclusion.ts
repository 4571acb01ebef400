// Templates inside of templates: what includes print and imports give.
import type { AstNode } from '../internals.js'
import type { Twin } from '../host.js'
import type { Machine } from './machine.js'
import { Chain, type Level } from './chain.js'
import { Context, Frame, Locals, type Entry } from './scope.js'
import { namesIn } from './sources.js'
import { usesOf } from './macros.js'
import { because, either, isLess, made, perhaps, text, type Value } from './value.js'

/** The templates that a tag may mean, or undefined if that is not known. Those that cannot be loaded are left out. */
export function targetsOf (machine: Machine, node: AstNode): Twin[] | undefined {
  const { chain, level } = machine.now.position
  const from = (chain.levels[level] as Level).twin
  return namesIn(node.template as AstNode)?.flatMap(name => machine.sources.follow(from, name) ?? [])
}

/** `{% include %}` */
export function include (machine: Machine, node: AstNode): void {
  const reads = machine.uses.all(machine.evaluate(node.template as AstNode))
  machine.emit(reads)
  const targets = targetsOf(machine, node)
  if (targets === undefined) machine.giveUp(node)
  const { context, frame } = machine.now
  const ways = (targets ?? []).map(twin => () => {
    const began = machine.active.get(twin)
    if (began !== undefined) {
      // All that it sees, it or what is in it.
      machine.emit(usesOf(machine, [...machine.visible()]))
      const variables = machine.settled()
      if ([...began.variables].some(([name, value]) => isLess(variables.get(name), value))) machine.giveUp(node)
      return
    }
    const own = { context: new Context(context.isGiven, context.variables), frame: new Frame(frame, true, true) }
    machine.under(reads, () => run(machine, node, twin, own))
  })
  if (node.ignoreMissing === true) ways.push(() => {})
  machine.journal.choose(ways)
}

/** What `{% import %}` gives, with its names as fields. */
export function exportsOf (machine: Machine, node: AstNode): Value {
  const reads = machine.uses.all(machine.evaluate(node.template as AstNode))
  const targets = targetsOf(machine, node)
  if (targets === undefined || targets.some(twin => machine.active.has(twin))) return made(machine.giveUp(node))
  const { context, frame } = machine.now
  const values: Value[] = []
  const ways = targets.map(twin => () => {
    const withContext = node.withContext === true
    const own = withContext
      ? { context: new Context(context.isGiven, context.variables), frame: new Frame(frame, false, true) }
      : { context: new Context(false), frame: new Frame(undefined, false, true) }
    // Its outputs go nowhere.
    const unknown = machine.with({ sink: new Set(), isSetup: false }, () => run(machine, node, twin, own))
    const fields = new Map([...own.context.exported].map(name => {
      const { value, isSure } = own.context.variables.get(name) as Entry
      return [name, isSure ? value : perhaps(value)]
    }))
    values.push({ ...text(unknown ? machine.giveUp(node) : undefined), fields })
  })
  machine.under(reads, () => machine.journal.choose(ways))
  return because(either(values), reads)
}

/** Runs a template. Gives whether it is not known what it does. */
function run (machine: Machine, tag: AstNode, twin: Twin, own: { context: Context, frame: Frame }): boolean {
  machine.active.set(twin, { variables: machine.settled() })
  try {
    return runFrom(machine, tag, new Chain([machine.sources.level(twin)]), own)
  } finally {
    machine.active.delete(twin)
  }
}

/** Runs the last template of a chain, and those that it extends. */
export function runFrom (machine: Machine, tag: AstNode, chain: Chain, own: { context: Context, frame: Frame }): boolean {
  const { survey, extending } = chain.last
  if (survey === undefined || extending === 'maybe') {
    machine.giveUp(tag)
    return true
  }
  const { root } = survey
  const registers = { ...own, position: { chain, level: chain.levels.length - 1, block: undefined }, locals: new Locals(), isExtending: false }
  if (extending === 'never') {
    machine.with(registers, () => machine.execute(root))
    return false
  }
  let targets: Twin[] | undefined
  machine.with({ ...registers, sink: new Set() }, () => {
    for (const node of root.children) {
      machine.execute(node)
      if (node.typename !== 'Extends') continue
      targets = targetsOf(machine, node)
      machine.now.isExtending = true
    }
  })
  const known = (targets ?? []).filter(twin => !chain.has(twin))
  if (targets === undefined) machine.giveUp(tag)
  const results: boolean[] = []
  machine.journal.choose(known.map(twin => () => { results.push(runFrom(machine, tag, chain.extend(machine.sources.level(twin)), own)) }))
  return targets === undefined || results.includes(true)
}
