// The state of an analysis: what a render would have at the same place of a
// template. Nothing is rendered; all ways through a template are gone.
import type { PlacedSwap, Read } from '../../reads.js'
import type { Host } from '../host.js'
import type { AstNode } from '../internals.js'
import type { Ledger, Site } from './ledger.js'
import { Context, Frame, Journal, Locals, type Entry, type Position } from './scope.js'
import type { Sources } from './sources.js'
import { because, either, made, part, unionOf, Uses, type Value } from './value.js'

/** What changes from place to place. */
export interface Registers {
  position: Position
  context: Context
  frame: Frame
  locals: Locals
  /** Only what sets variables runs, as on the way to a block. */
  isSetup: boolean
  /** The template extends another one, which has been met: Nunjucks leaves out the tags of blocks. */
  isExtending: boolean
  /** The conditions around. */
  conditions: ReadonlySet<Read>
  /** What super() gives here. */
  inherited: ReadonlySet<Read>
  /** Gets what is printed here, and what decides about it. */
  sink: Set<Read>
  /** Those of what runs this. */
  below: Registers | undefined
}

/** What a macro or a template that is being run began with. */
export interface Activation {
  /** Those that it may find undefined later on. */
  variables: ReadonlyMap<string, Value>
  /** For macros: how often names had been given. */
  bindings?: number | undefined
}

// About a second of work.
const MOST_STEPS = 400_000

export class Machine {
  readonly host: Host
  readonly sources: Sources
  readonly ledger: Ledger
  readonly uses: Uses
  readonly journal = new Journal()
  readonly swaps = new Map<AstNode, PlacedSwap>()
  /** Macros, templates and bodies of blocks that are being run. */
  readonly active = new Map<object, Activation>()
  /** Macros that called themselves with values that may be undefined where they were not before. */
  readonly lessened = new Set<AstNode>()
  /** The values of filters that Nunjucks calls ahead of the statement that they are in. */
  readonly ahead = new Map<AstNode, Value>()
  /** What matters to all that runs later, because a function may have put one value into another. */
  effects = new Set<Read>()
  /** What decides whether a function that may have changed a value was called. */
  occasions = new Set<Read>()
  /** How often macros and imports have got names. */
  bindings = 0
  now: Registers
  /** Runs the body of a block of the page. */
  enter: (name: string, run: () => void) => void = (_, run) => run()
  readonly #evaluate: (machine: Machine, node: AstNode) => Value
  readonly #execute: (machine: Machine, node: AstNode) => void
  readonly #builtins = new Map<string, boolean>()
  #steps = 0

  constructor (
    host: Host, sources: Sources, ledger: Ledger, position: Position,
    evaluate: (machine: Machine, node: AstNode) => Value, execute: (machine: Machine, node: AstNode) => void
  ) {
    this.host = host
    this.sources = sources
    this.ledger = ledger
    this.uses = new Uses(ledger)
    this.#evaluate = evaluate
    this.#execute = execute
    this.now = {
      position,
      context: new Context(true),
      frame: new Frame(undefined, false, true),
      locals: new Locals(),
      isSetup: false,
      isExtending: false,
      conditions: new Set(),
      inherited: new Set(),
      sink: new Set(),
      below: undefined
    }
  }

  evaluate (node: AstNode): Value {
    this.#tick()
    return this.#evaluate(this, node)
  }

  execute (node: AstNode): void {
    this.#tick()
    this.#execute(this, node)
  }

  site (node: AstNode): Site {
    const { chain, level } = this.now.position
    return { node, label: chain.label(level) }
  }

  with<T> (changes: Partial<Registers>, run: () => T): T {
    const outer = this.now
    this.now = { ...outer, ...changes, below: outer }
    try {
      return run()
    } finally {
      this.now = outer
    }
  }

  /** What `run` prints. */
  collect (changes: Partial<Registers>, run: () => void): Set<Read> {
    const sink = new Set<Read>()
    this.with({ ...changes, sink }, run)
    return sink
  }

  /** The frame of a function of compiled code that is being run. */
  frameAt (position: Position): Frame | undefined {
    for (let at: Registers | undefined = this.now; at !== undefined; at = at.below) if (at.position === position) return at.frame
    return undefined
  }

  /** Runs what may be left out. */
  perhaps<T> (run: () => T): T {
    const results: T[] = []
    this.journal.branch([() => { results.push(run()) }, () => {}])
    return results[0] as T
  }

  under<T> (reads: Iterable<Read>, run: () => T): T {
    return this.with({ conditions: unionOf([this.now.conditions, reads]) }, run)
  }

  emit (reads: Iterable<Read>): void {
    for (const read of reads) this.now.sink.add(read)
  }

  affect (reads: Iterable<Read>): void {
    for (const read of reads) this.effects.add(read)
  }

  /** A function was called here that may have changed a value, by means of `reads`. */
  happens (reads: Iterable<Read>): void {
    for (const read of unionOf([reads, this.now.conditions])) this.occasions.add(read)
  }

  /** What is not understood reads everything, and may have changed everything. */
  giveUp (node: AstNode): ReadonlySet<Read> {
    const reads = new Set([this.ledger.read([], this.site(node))])
    this.emit(reads)
    this.affect(reads)
    return reads
  }

  /** The value of a name, as compiled code looks for it. */
  lookUp (name: string, site: Site): Value {
    const found: Value[] = []
    for (let locals: Locals | undefined = this.now.locals; locals !== undefined; locals = locals.parent) {
      const entry = locals.variables.get(name)
      if (entry === undefined) continue
      found.push(entry.value)
      if (entry.isSure) return either(found)
      break
    }
    if (!this.#findInFrames(name, found)) found.push(...this.inContext(name, site))
    return either(found)
  }

  // Gives whether it is there for sure. One that is undefined is not seen.
  #findInFrames (name: string, found: Value[]): boolean {
    for (let frame: Frame | undefined = this.now.frame; frame !== undefined; frame = frame.parent) {
      const entry = frame.variables.get(name)
      if (entry === undefined) continue
      found.push(entry.value)
      if (entry.isSure && entry.value.isThere) return true
    }
    return false
  }

  /** The variables that are in a frame for sure. */
  settled (): Map<string, Value> {
    const settled = new Map<string, Value>()
    for (let frame: Frame | undefined = this.now.frame; frame !== undefined; frame = frame.parent) {
      for (const name of frame.variables.keys()) {
        const found: Value[] = []
        if (!settled.has(name) && this.#findInFrames(name, found)) settled.set(name, either(found))
      }
    }
    return settled
  }

  /** What a name may be in the context. */
  inContext (name: string, site: Site): Value[] {
    const { context } = this.now
    const entry = context.variables.get(name)
    if (entry?.isSure === true) return [entry.value]
    const given = context.isGiven ? part({ steps: [name], site }) : made()
    return entry === undefined ? [given] : [entry.value, given]
  }

  /** `{% set %}`: changes the variable where there is one. */
  assign (name: string, given: Value): void {
    const { context, frame, locals } = this.now
    const value = because(given, this.now.conditions)
    for (let scope: Locals | undefined = locals; scope !== undefined; scope = scope.parent) {
      if (!scope.variables.has(name)) continue
      this.#write(scope, name, value)
      break
    }
    this.#assignInFrame(name, value)
    if (!frame.isTopLevel) return
    this.#write(context, name, value)
    if (!name.startsWith('_')) context.exported.add(name)
  }

  /** What imports and macros do: a variable here. */
  bind (name: string, given: Value, isExported = false): void {
    const { context, frame, locals } = this.now
    const value = because(given, this.now.conditions)
    this.#write(locals, name, value)
    if (locals.parent !== undefined) return this.#write(frame, name, value)
    this.bindings++
    this.#write(context, name, value)
    if (isExported && !name.startsWith('_')) context.exported.add(name)
  }

  /** A variable of the frame, without one in the compiled code. */
  bindInFrame (name: string, value: Value): void {
    this.#write(this.now.frame, name, value)
  }

  bindLocally (name: string, value: Value): void {
    this.#write(this.now.locals, name, value)
  }

  /** All variables that an included template sees. */
  * visible (): Generator<Value> {
    for (let frame: Frame | undefined = this.now.frame; frame !== undefined; frame = frame.parent) {
      for (const { value } of frame.variables.values()) yield value
    }
    for (const { value } of this.now.context.variables.values()) yield value
  }

  /** Whether a filter or a test is the one that comes with Nunjucks. */
  isBuiltin (kind: 'filter' | 'test', name: string): boolean {
    const key = `${kind} ${name}`
    let is = this.#builtins.get(key)
    if (is === undefined) this.#builtins.set(key, is = this.#compare(kind, name))
    return is
  }

  #compare (kind: 'filter' | 'test', name: string): boolean {
    const { env, nunjucks: { pristine } } = this.host
    try {
      return kind === 'filter' ? env.getFilter(name) === pristine.getFilter(name) : env.getTest(name) === pristine.getTest(name)
    } catch {
      return false
    }
  }

  // A frame changes the nearest one above that has the name, unless it is isolated.
  #assignInFrame (name: string, value: Value): void {
    const { frame } = this.now
    let mayBeThere = false
    for (let scope: Frame | undefined = frame; scope !== undefined; scope = scope === frame && frame.isIsolated ? undefined : scope.parent) {
      const entry = scope.variables.get(name)
      if (entry === undefined) continue
      if (entry.isSure && entry.value.isThere) return this.#write(scope, name, value, mayBeThere ? entry : undefined)
      mayBeThere = true
      this.#write(scope, name, value, entry)
    }
    if (!mayBeThere || !frame.variables.has(name)) this.#write(frame, name, value, undefined, !mayBeThere)
  }

  #write ({ variables }: { variables: Map<string, Entry> }, name: string, value: Value, before?: Entry, isSure = true): void {
    const entry = before === undefined ? { value, isSure } : { value: either([before.value, value]), isSure: before.isSure }
    this.journal.write(variables, name, entry)
  }

  // A template that is too much to analyse is given up.
  #tick (): void {
    if (++this.#steps > MOST_STEPS) throw new RangeError('too many steps')
  }
}
