// What blocks read, for each template found once, and again when one of the
// templates concerned is another one.
import { parsePath } from '../../path.js'
import { touches, type Read, type Readers, type ReadsAnalysis, type TemplateReads } from '../../reads.js'
import type { MaybePromise } from '../../../util/promise.js'
import { checkName } from '../environment.js'
import type { Host, Twin } from '../host.js'
import { settle } from '../settle.js'
import { Chain } from './chain.js'
import { evaluate } from './expressions.js'
import { runFrom } from './inclusion.js'
import { Ledger } from './ledger.js'
import { Machine } from './machine.js'
import { Context, Frame } from './scope.js'
import { Loader, type Sources } from './sources.js'
import { execute } from './statements.js'
import { Walk } from './walk.js'

interface Known {
  sources: Sources
  reads: TemplateReads
}

export class Analysis implements ReadsAnalysis {
  readonly #host: Host
  readonly #loader: Loader
  readonly #known = new WeakMap<Twin, Known>()

  constructor (host: Host) {
    this.#host = host
    this.#loader = new Loader(host)
  }

  analyse (template: string): MaybePromise<TemplateReads> {
    checkName(template)
    return settle<TemplateReads>(this.#host, { template }, undefined, callback => {
      this.#host.load(template, (error, twin) => {
        if (twin === undefined) callback(error)
        else this.#learn(twin, reads => callback(null, reads))
      })
    })
  }

  /** The analysis of a template that is loaded. */
  of (template: string, twin: Twin): MaybePromise<TemplateReads> {
    return settle<TemplateReads>(this.#host, { template }, undefined, callback => this.#learn(twin, reads => callback(null, reads)))
  }

  #learn (twin: Twin, callback: (reads: TemplateReads) => void): void {
    const known = this.#known.get(twin)
    if (known === undefined) return this.#find(twin, callback)
    this.#loader.check(known.sources.links, isSame => {
      if (isSame) callback(known.reads)
      else this.#find(twin, callback)
    })
  }

  #find (twin: Twin, callback: (reads: TemplateReads) => void): void {
    this.#loader.gather(twin, sources => {
      const reads = new Found(this.#host, sources, twin)
      this.#known.set(twin, { sources, reads })
      callback(reads)
    })
  }
}

/** The page and its blocks are analysed when somebody asks for them: few ask for both. */
class Found implements TemplateReads {
  readonly #host: Host
  readonly #sources: Sources
  readonly #chain: Chain
  // Both passes meet the same reads.
  readonly #ledger: Ledger
  #blocks: TemplateReads['blocks'] | undefined
  #page: Omit<TemplateReads, 'blocks'> | undefined

  constructor (host: Host, sources: Sources, leaf: Twin) {
    this.#host = host
    this.#sources = sources
    this.#chain = new Chain([sources.level(leaf)])
    this.#ledger = new Ledger(host.nunjucks, name => name in host.env.globals)
  }

  get blocks (): TemplateReads['blocks'] {
    this.#blocks ??= this.#analyse(machine => {
      const walk = new Walk(machine)
      walk.run(this.#chain)
      return walk.blocks
    }) ?? unknownBlocks(this.#ledger, this.#chain)
    return this.#blocks
  }

  get swaps (): TemplateReads['swaps'] {
    return this.#readPage().swaps
  }

  readersOf (path: string): Readers {
    return this.#readPage().readersOf(path)
  }

  #readPage (): Omit<TemplateReads, 'blocks'> {
    this.#page ??= this.#analyse(machine => pageOf(machine, this.#chain)) ?? unknownPage(this.#ledger, this.#chain)
    return this.#page
  }

  /** Gives undefined for what is deeper than the stack, without an end in sight, or of nodes that a custom tag made up. */
  #analyse<T> (pass: (machine: Machine) => T): T | undefined {
    this.#ledger.evaluated = new Set()
    try {
      return pass(new Machine(this.#host, this.#sources, this.#ledger, { chain: this.#chain, level: 0, block: undefined }, evaluate, execute))
    } catch {
      return undefined
    }
  }
}

// Runs the whole page, and notes which block is the smallest around each read.
function pageOf (machine: Machine, chain: Chain): Omit<TemplateReads, 'blocks'> {
  const leaf = chain.last
  const blocks = new Map<string, Set<Read>>()
  machine.enter = (name, run) => {
    // Blocks of included templates are none of the page's own.
    if (machine.now.position.chain.levels[0] !== leaf) return run()
    const own = machine.collect({}, run)
    for (const read of blocks.get(name) ?? []) own.add(read)
    blocks.set(name, own)
  }
  const node = leaf.survey?.root ?? machine.ledger.unknown
  const own = { context: new Context(true), frame: new Frame(undefined, false, true) }
  const outside = machine.collect({}, () => runFrom(machine, node, chain, own))
  for (const read of machine.effects) outside.add(read)
  return { swaps: [...machine.swaps.values()], readersOf: path => readersOf(path, blocks, outside) }
}

function readersOf (path: string, blocks: ReadonlyMap<string, Iterable<Read>>, outside: Iterable<Read>): Readers {
  const steps = parsePath(path) ?? []
  const reads = (read: Read): boolean => touches(steps, read)
  return { blocks: [...blocks].filter(([, own]) => [...own].some(reads)).map(([name]) => name), outside: [...outside].filter(reads) }
}

function everything (ledger: Ledger, chain: Chain): Read {
  return ledger.read([], { node: ledger.unknown, label: chain.label(0) })
}

function unknownBlocks (ledger: Ledger, chain: Chain): TemplateReads['blocks'] {
  const reads = [everything(ledger, chain)]
  return new Map([...chain.names].map(name => [name, { reads, evaluated: reads, within: [] }]))
}

function unknownPage (ledger: Ledger, chain: Chain): Omit<TemplateReads, 'blocks'> {
  return { swaps: [], readersOf: () => ({ blocks: [...chain.names], outside: [everything(ledger, chain)] }) }
}
