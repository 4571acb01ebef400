// Where variables are while a template is analysed, as Nunjucks has them when
// it renders: in frames, in the context, and in the compiled code itself.
import { either, weightOf, type Value } from './value.js'
import type { Chain } from './chain.js'

/** A variable. */
export interface Entry {
  value: Value
  /** Every way there has set it. */
  isSure: boolean
}

type Variables = Map<string, Entry>

/** A frame, as it is when a template renders. */
export class Frame {
  readonly variables: Variables = new Map()
  readonly parent: Frame | undefined
  readonly isIsolated: boolean
  readonly isTopLevel: boolean

  constructor (parent?: Frame, isIsolated = false, isTopLevel = false) {
    this.parent = parent
    this.isIsolated = isIsolated
    this.isTopLevel = isTopLevel
  }
}

/** The names that compiled code has in variables of its own: loops, arguments, imports. */
export class Locals {
  readonly variables: Variables = new Map()
  readonly parent: Locals | undefined

  constructor (parent?: Locals) {
    this.parent = parent
  }
}

/** The variables that a template shares with its blocks and macros. */
export class Context {
  readonly variables: Variables
  readonly exported = new Set<string>()
  /** What templates do not set comes from the caller; imports see nothing of it. */
  readonly isGiven: boolean

  constructor (isGiven: boolean, variables: Variables = new Map()) {
    this.isGiven = isGiven
    this.variables = new Map(variables)
  }
}

/** Where in a chain of templates code stands. */
export interface Position {
  chain: Chain
  level: number
  block: string | undefined
}

interface Change {
  variables: Variables
  name: string
  before: Entry | undefined
}

/** Writes variables so that it can be undone. */
export class Journal {
  #changes: Change[] = []

  write (variables: Variables, name: string, entry: Entry | undefined): void {
    this.#changes.push({ variables, name, before: variables.get(name) })
    put(variables, name, entry)
  }

  /** Runs `run` and takes back what it wrote. Gives what that was. */
  try (run: () => void): Map<Variables, Variables> {
    const outer = this.#changes
    const own: Change[] = this.#changes = []
    run()
    this.#changes = outer
    const written = new Map<Variables, Variables>()
    for (const { variables, name } of own) {
      const names: Variables = written.get(variables) ?? new Map()
      written.set(variables, names.set(name, variables.get(name) as Entry))
    }
    for (const { variables, name, before } of own.reverse()) put(variables, name, before)
    return written
  }

  /** Runs one of several ways, or the only one. */
  choose (ways: Array<() => void>): void {
    if (ways.length === 1) ways[0]?.()
    else this.branch(ways)
  }

  /**
   * Runs ways of which a render goes one. Gives whether a variable got more
   * than it had before; with `settle` that is what it has then.
   */
  branch (ways: Array<() => void>, settle = (value: Value) => value): boolean {
    const results = ways.map(way => this.try(way))
    let hasGrown = false
    for (const variables of new Set(results.flatMap(result => [...result.keys()]))) {
      const changed = results.map(result => result.get(variables))
      for (const name of new Set(changed.flatMap(names => [...names?.keys() ?? []]))) {
        const before = variables.get(name)
        const entries = changed.map(names => names?.get(name) ?? before)
        let entry = join(entries)
        if (before === undefined || weightOf(entry.value) !== weightOf(before.value) || entry.isSure !== before.isSure) {
          hasGrown = true
          entry = { ...entry, value: settle(entry.value) }
        }
        this.write(variables, name, entry)
      }
    }
    return hasGrown
  }
}

function put (variables: Variables, name: string, entry: Entry | undefined): void {
  if (entry === undefined) variables.delete(name)
  else variables.set(name, entry)
}

function join (entries: Array<Entry | undefined>): Entry {
  const there = entries.filter(entry => entry !== undefined)
  return { value: either(there.map(({ value }) => value)), isSure: there.length === entries.length && there.every(({ isSure }) => isSure) }
}
