// What statements read and set.
import type { Read } from '../../reads.js'
import type { AstNode } from '../internals.js'
import { surveyOf } from './chain.js'
import type { Machine } from './machine.js'
import { bound, repeat } from './macros.js'
import { runBlock } from './page.js'
import { exportsOf, include } from './inclusion.js'
import { Frame, Locals } from './scope.js'
import { because, either, made, perhaps, text, unionOf, type Value } from './value.js'

export function execute (machine: Machine, node: AstNode): void {
  switch (node.typename) {
    case 'Root':
    case 'NodeList':
      for (const child of node.children) machine.execute(child)
      return
    case 'Output':
      if (!machine.now.isSetup) for (const child of node.children) output(machine, child)
      return
    case 'If':
    case 'IfAsync':
      return branch(machine, machine.uses.presence(deciding(machine, node.cond as AstNode)), [node.body, node.else_ as AstNode | null])
    case 'For':
    case 'AsyncEach':
    case 'AsyncAll':
      return loop(machine, node)
    case 'Switch':
      return choose(machine, node)
    case 'Set':
      return assign(machine, node)
    case 'Macro':
      return machine.bind(node.name.value as string, { ...text(), macros: [bound(machine, node, false)] }, true)
    case 'Import':
      return machine.bind((node.target as AstNode).value as string, exportsOf(machine, node))
    case 'FromImport':
      return importNames(machine, node)
    case 'Include':
      if (!machine.now.isSetup) include(machine, node)
      return
    case 'Block':
      if (!machine.now.isSetup && !machine.now.isExtending) place(machine, node.name.value as string)
      return
    case 'Extends':
      // The caller that runs the template looks for it.
      return machine.affect(machine.uses.all(machine.evaluate(node.template as AstNode)))
    default:
      foreign(machine, node)
  }
}

// In a macro of a template that extends another one it may be left out too.
function place (machine: Machine, name: string): void {
  const { chain, level, block } = machine.now.position
  if (block !== undefined || chain.levels[level]?.extending === 'never') runBlock(machine, name)
  else machine.perhaps(() => runBlock(machine, name))
}

function output (machine: Machine, node: AstNode): void {
  if (node.typename === 'TemplateData') return
  machine.emit(machine.uses.all(evaluateWhole(machine, node)))
}

/** What a statement evaluates: filters that answer later first, because Nunjucks calls them in front of it. */
function evaluateWhole (machine: Machine, node: AstNode): Value {
  const filters = answersLater(machine, node) ? calledAhead(machine, node, false) : []
  for (const { filter, isContent } of filters) {
    const value = machine.evaluate(filter)
    // In the content of a tag that is an output it sees no variable of a loop there.
    if (isContent) machine.emit(machine.uses.all(value))
    else machine.ahead.set(filter, value)
  }
  const value = machine.evaluate(node)
  for (const { filter } of filters) machine.ahead.delete(filter)
  return value
}

/** On the way to a block, what decides about statements of no interest is left out too. */
export function deciding (machine: Machine, node: AstNode): Value {
  return machine.now.isSetup ? machine.perhaps(() => evaluateWhole(machine, node)) : evaluateWhole(machine, node)
}

function calledAhead (machine: Machine, node: AstNode, isContent: boolean): Array<{ filter: AstNode, isContent: boolean }> {
  if (node.typename === 'Block') return []
  const isWithin = isContent || node.typename === 'Capture' || node.typename === 'Caller'
  const inside = machine.host.nunjucks.childrenOf(node).flatMap(child => calledAhead(machine, child, isWithin))
  return isAsyncFilter(machine, node) ? [...inside, { filter: node, isContent }] : inside
}

function isAsyncFilter ({ host }: Machine, node: AstNode): boolean {
  return node.typename === 'Filter' && host.env.asyncFilters.includes(node.name.value as string)
}

/** One of the bodies runs, because of `reads`. */
function branch (machine: Machine, reads: ReadonlySet<Read>, bodies: ReadonlyArray<AstNode | null>): void {
  machine.emit(reads)
  machine.under(reads, () => {
    machine.journal.branch(bodies.map(body => () => { if (body !== null) machine.execute(body) }))
  })
}

function loop (machine: Machine, node: AstNode): void {
  const { now: { frame, locals }, uses } = machine
  const inside = { frame: new Frame(frame), locals: new Locals(locals) }
  machine.with(inside, () => {
    const value = deciding(machine, node.arr as AstNode)
    // Nunjucks counts the turns over an object by its values when they may answer later.
    const shape = answersLater(machine, node) ? unionOf([uses.shape(value), uses.all(uses.member(value, undefined))]) : uses.shape(value)
    machine.emit(shape)
    machine.under(shape, () => {
      repeat(machine, () => {
        bindItem(machine, node.name, value, shape)
        machine.execute(node.body)
      })
      if (node.else_ !== null) machine.perhaps(() => machine.execute(node.else_ as AstNode))
    })
  })
}

function answersLater ({ now: { position: { chain, level } } }: Machine, node: AstNode): boolean {
  return surveyOf(chain, level).later.has(node)
}

// Nunjucks gives the names of a list's members' members to compiled code only,
// those of an object also to the frame.
function bindItem (machine: Machine, name: AstNode, value: Value, shape: ReadonlySet<Read>): void {
  const { uses } = machine
  const item = because(uses.member(value, undefined), shape)
  if (name.typename !== 'Array') {
    bindBoth(machine, name.value as string, item)
  } else {
    const inList = uses.member(item, undefined)
    // They are evaluated, used or not.
    uses.note(inList)
    name.children.forEach((child, index) => {
      const inObject = index === 0 ? text(shape) : index === 1 ? item : made()
      bindBoth(machine, child.value as string, perhaps(either([inList, inObject])))
    })
  }
  machine.bindInFrame('loop', { ...text(shape), fields: new Map() })
}

function bindBoth (machine: Machine, name: string, value: Value): void {
  machine.bindLocally(name, value)
  machine.bindInFrame(name, value)
}

function choose (machine: Machine, node: AstNode): void {
  const cases = node.cases as AstNode[]
  const value = deciding(machine, node.expr as AstNode)
  // Those behind the one that it is are not evaluated.
  const reads = machine.uses.all(value, ...cases.map(({ cond }) => machine.perhaps(() => machine.evaluate(cond as AstNode))))
  branch(machine, reads, [...cases.map(({ body }) => body), node.default as AstNode | null])
}

function assign (machine: Machine, node: AstNode): void {
  const value = node.value ? evaluateWhole(machine, node.value as AstNode) : machine.evaluate(node.body)
  for (const { value: name } of node.targets as AstNode[]) machine.assign(name as string, value)
}

function importNames (machine: Machine, node: AstNode): void {
  const exported = exportsOf(machine, node)
  for (const item of (node.names as AstNode).children) {
    const [name, alias] = item.typename === 'Pair' ? [item.key as AstNode, item.value as AstNode] : [item, item]
    machine.bind(alias.value as string, machine.uses.member(exported, name.value))
  }
}

// A custom tag may do anything, also with its content.
function foreign (machine: Machine, node: AstNode): void {
  if (machine.now.isSetup) return
  machine.giveUp(node)
  const contents = node.contentArgs as Array<AstNode | null | undefined>
  for (const child of (node.args as AstNode).children) machine.emit(machine.uses.all(machine.evaluate(child)))
  machine.perhaps(() => { for (const body of contents) if (body) machine.execute(body) })
}
