// Finds what each block of a template reads when it is rendered alone: what the
// renderer runs on the way to it, and its body.
import type { BlockReads, Read } from '../../reads.js'
import type { Twin } from '../host.js'
import type { AstNode } from '../internals.js'
import { surveyOf, type Chain } from './chain.js'
import { targetsOf } from './inclusion.js'
import type { Machine } from './machine.js'
import { inheritedBy, runBody } from './page.js'
import { deciding } from './statements.js'
import { Frame, Locals } from './scope.js'

interface Found {
  reads: Set<Read>
  evaluated: Set<Read>
  within: Set<string>
}

export class Walk {
  readonly #machine: Machine
  readonly #found = new Map<string, Found>()
  #around: string[] = []
  #seen = new Set<AstNode>()
  /** The blocks that were met in the chain that runs. */
  #met = new Set<string>()

  constructor (machine: Machine) {
    this.#machine = machine
  }

  /** What was found. */
  get blocks (): Map<string, BlockReads> {
    return new Map([...this.#found].map(([name, { reads, evaluated, within }]) => {
      return [name, { reads: [...reads], evaluated: [...evaluated], within: [...within] }]
    }))
  }

  /** Runs the last template of a chain, and goes on with those that it extends. */
  run (chain: Chain): void {
    const machine = this.#machine
    const { survey, extending } = chain.last
    const registers = { position: { chain, level: chain.levels.length - 1, block: undefined }, locals: new Locals(), isSetup: true, sink: new Set<Read>() }
    machine.with(registers, () => {
      if (survey === undefined || extending === 'maybe') return this.#giveUp(chain, survey?.root)
      if (extending === 'always') return this.#extend(chain, survey.root)
      this.#seen = new Set()
      this.#met = new Set()
      this.#walk(survey.root)
      // What no tag places is rendered when all has run.
      for (const name of chain.names) if (!this.#met.has(name)) this.#analyse(name)
    })
  }

  #extend (chain: Chain, root: AstNode): void {
    const machine = this.#machine
    let targets: Twin[] | undefined
    for (const node of root.children) {
      machine.execute(node)
      if (node.typename === 'Extends') targets = targetsOf(machine, node)
    }
    const known = targets?.filter(twin => !chain.has(twin)) ?? []
    if (known.length === 0) return this.#giveUp(chain, root)
    for (const twin of known) machine.journal.try(() => this.run(chain.extend(machine.sources.level(twin))))
  }

  #giveUp (chain: Chain, root: AstNode | undefined): void {
    const machine = this.#machine
    const node = root ?? machine.ledger.unknown
    machine.giveUp(node)
    for (const name of chain.names) this.#analyse(name)
  }

  // Goes down to the tags of blocks.
  #walk (node: AstNode): void {
    const machine = this.#machine
    const { chain, level } = machine.now.position
    const { holders } = surveyOf(chain, level)
    if (!holders.has(node)) return machine.execute(node)
    switch (node.typename) {
      case 'Root':
      case 'NodeList':
        for (const child of node.children) this.#walk(child)
        return
      case 'Block':
        return this.#place(node.name.value as string)
      case 'If':
      case 'IfAsync': {
        const reads = machine.uses.presence(deciding(machine, node.cond as AstNode))
        const bodies = [node.body, node.else_ as AstNode | null]
        return machine.under(reads, () => {
          machine.journal.branch(bodies.map(body => () => { if (body !== null) this.#walk(body) }))
        })
      }
    }
    // The renderer opens what is around the tag: variables of a loop come from the caller.
    machine.journal.try(() => {
      for (const child of machine.host.nunjucks.childrenOf(node)) if (holders.has(child)) this.#walk(child)
    })
    machine.execute(node)
  }

  #place (name: string): void {
    const machine = this.#machine
    this.#analyse(name)
    this.#around.push(name)
    machine.journal.try(() => this.#enter(name, 0))
    this.#around.pop()
  }

  #enter (name: string, from: number): void {
    const machine = this.#machine
    const { chain } = machine.now.position
    const found = chain.find(name, from)
    if (found === undefined || this.#seen.has(found.body)) return
    const { level, body } = found
    this.#seen.add(body)
    const registers = { position: { chain, level, block: name }, frame: new Frame(machine.now.frame, true), locals: new Locals() }
    machine.with(registers, () => {
      if (surveyOf(chain, level).supers.has(body)) machine.journal.try(() => this.#enter(name, level + 1))
      // A variable on the way may be set to it.
      const inherited = inheritedBy(machine, name, found)
      machine.with({ inherited }, () => this.#walk(body))
    })
  }

  #analyse (name: string): void {
    const machine = this.#machine
    const { effects, occasions, ledger } = machine
    this.#met.add(name)
    const { evaluated } = ledger
    machine.effects = new Set(effects)
    machine.occasions = new Set(occasions)
    ledger.evaluated = new Set(evaluated)
    let reads = new Set<Read>()
    machine.journal.try(() => {
      reads = machine.collect({ isSetup: false, conditions: new Set() }, () => runBody(machine, name, 0))
    })
    this.#note(name, [...reads, ...machine.effects, ...machine.occasions], ledger.evaluated)
    machine.effects = effects
    machine.occasions = occasions
    ledger.evaluated = evaluated
  }

  #note (name: string, reads: Iterable<Read>, evaluated: Iterable<Read>): void {
    let found = this.#found.get(name)
    if (found === undefined) this.#found.set(name, found = { reads: new Set(), evaluated: new Set(), within: new Set() })
    for (const read of reads) found.reads.add(read)
    for (const read of evaluated) found.evaluated.add(read)
    for (const outer of this.#around) if (outer !== name) found.within.add(outer)
  }
}
