// The value of an expression, as far as it is known without a context: the
// parts of the context that it may be, and those that it was made of.
import { MEMBER, stepOf, type Steps } from '../../path.js'
import type { Read } from '../../reads.js'
import type { AstNode } from '../internals.js'
import type { Ledger, Site } from './ledger.js'

/** A part of the context that a value may be. */
export interface Alias {
  steps: Steps
  /** The expression that led there. */
  site: Site
}

/** A macro, or the body of a `call`. The caller knows the scope that it runs in. */
export interface Macro {
  node: AstNode
  /** It was reached by a member such as `call`, of which nobody knows what it passes on. */
  isIndirect?: boolean
}

export interface Value {
  aliases: readonly Alias[]
  /** What was read to get it. */
  reads: ReadonlySet<Read>
  macros: readonly Macro[]
  /** Its members by their names. */
  fields: ReadonlyMap<string, Value> | undefined
  /** What members of other names may be. */
  items: Value | undefined
  /** It is not undefined, whatever the context is. */
  isThere: boolean
}

const NONE: ReadonlySet<Read> = new Set()

/** What is made of `reads` and is not part of the context itself. */
export function made (reads: ReadonlySet<Read> = NONE, isThere = false): Value {
  return { aliases: [], reads, macros: [], fields: undefined, items: undefined, isThere }
}

/** Text, or a number. */
export const text = (reads?: ReadonlySet<Read>): Value => made(reads, true)

export const part = (alias: Alias): Value => ({ ...made(), aliases: [alias] })

export const list = (items: Value, reads?: ReadonlySet<Read>): Value => ({ ...text(reads), items })

export function unionOf (sets: Iterable<Iterable<Read>>): ReadonlySet<Read> {
  const union = new Set<Read>()
  for (const set of sets) for (const read of set) union.add(read)
  return union
}

/** The same value, reached because of `reads`. */
export function because (value: Value, reads: Iterable<Read>): Value {
  const all = unionOf([value.reads, reads])
  return all.size === value.reads.size ? value : { ...value, reads: all }
}

/** One of several values. */
export function either (values: readonly Value[]): Value {
  const [first] = values
  if (first === undefined) return made()
  if (values.length === 1) return first
  const items = values.flatMap(({ items }) => items ?? [])
  return {
    aliases: distinct(values.flatMap(({ aliases }) => aliases)),
    reads: unionOf(values.map(({ reads }) => reads)),
    macros: [...new Set(values.flatMap(({ macros }) => macros))],
    fields: eitherFields(values),
    items: items.length === 0 ? undefined : either(items),
    isThere: values.every(({ isThere }) => isThere)
  }
}

// A field that one of them does not have may be undefined.
function eitherFields (values: readonly Value[]): ReadonlyMap<string, Value> | undefined {
  const names = new Set(values.flatMap(({ fields }) => [...fields?.keys() ?? []]))
  if (names.size === 0) return values.find(({ fields }) => fields !== undefined)?.fields
  return new Map([...names].map(name => {
    const there = values.flatMap(({ fields }) => fields?.get(name) ?? [])
    const field = either(there)
    return [name, there.length === values.length ? field : perhaps(field)]
  }))
}

/** The same value, or none. */
export const perhaps = (value: Value): Value => ({ ...value, isThere: false })

/** Whether a value, or a member of it, may be undefined where another one is not. */
export function isLess (value: Value | undefined, than: Value): boolean {
  if (!than.isThere) return false
  if (value?.isThere !== true) return true
  return [...than.fields ?? []].some(([name, field]) => isLess(value.fields?.get(name), field))
}

function distinct (aliases: Alias[]): Alias[] {
  const byPath = new Map<string, Alias>()
  for (const alias of aliases) {
    const path = alias.steps.join('.')
    if (!byPath.has(path)) byPath.set(path, alias)
  }
  return [...byPath.values()]
}

/** A number that grows when a value that stays in its place gets more. */
export function weightOf (value: Value): number {
  let weight = (value.isThere ? 1 : 2) + value.aliases.length + value.reads.size + value.macros.length
  for (const field of value.fields?.values() ?? []) weight += weightOf(field)
  return weight + (value.items === undefined ? 0 : weightOf(value.items))
}

/** All macros in a value. */
export function macrosIn (value: Value): Macro[] {
  const inside = [...value.fields?.values() ?? [], ...value.items === undefined ? [] : [value.items]]
  return [...value.macros, ...inside.flatMap(macrosIn)]
}

/** Whether parts of the context are in it. */
export function hasParts (value: Value): boolean {
  if (value.aliases.length > 0) return true
  return [...value.fields?.values() ?? [], ...value.items === undefined ? [] : [value.items]].some(hasParts)
}

const indirect = new WeakMap<Macro, Macro>()

// The same one each time, because values are compared.
function indirectly (macro: Macro): Macro {
  if (macro.isIndirect === true) return macro
  let found = indirect.get(macro)
  if (found === undefined) indirect.set(macro, found = { ...macro, isIndirect: true })
  return found
}

/** Uses of values. */
export class Uses {
  readonly #ledger: Ledger

  constructor (ledger: Ledger) {
    this.#ledger = ledger
  }

  /** The reads of a use of all of a value. */
  all (...values: Value[]): ReadonlySet<Read> {
    const reads = new Set<Read>()
    for (const value of values) this.#collect(value, reads)
    return reads
  }

  /** Notes that it was evaluated, used or not. */
  note ({ aliases }: Value): void {
    for (const { steps, site } of aliases) this.#ledger.read(steps, site, true)
  }

  /** The reads of a test whether a value exists. */
  presence (value: Value): ReadonlySet<Read> {
    return unionOf([value.reads, value.aliases.map(({ steps, site }) => this.#ledger.read(steps, site, true))])
  }

  /** The reads of a list of its members. */
  shape (value: Value): ReadonlySet<Read> {
    return unionOf([value.reads, value.aliases.map(({ steps, site }) => this.#ledger.read([...steps, MEMBER], site, true))])
  }

  /** A member of a value; any of them if `key` is undefined. Without a site it has that of the value. */
  member (value: Value, key: unknown, site?: Site): Value {
    const values: Value[] = []
    if (value.aliases.length > 0) {
      const step = stepOf(key)
      values.push({ ...made(), aliases: value.aliases.map(alias => ({ steps: [...alias.steps, step], site: site ?? alias.site })) })
    }
    const field = typeof key === 'string' ? value.fields?.get(key) : undefined
    if (field !== undefined) values.push(value.isThere ? field : perhaps(field))
    // A method of all objects may give any of them.
    else if (typeof key !== 'string' || key in Object.prototype) values.push(...[...value.fields?.values() ?? []].map(perhaps))
    if (value.items !== undefined) values.push(perhaps(value.items))
    // Of a value that is not followed any more, each member may be each of its macros.
    if (value.macros.length > 0) values.push({ ...made(), macros: value.macros.map(indirectly) })
    const member = because(either(values), value.reads)
    return member.aliases.some(({ steps }) => steps.length > MOST_STEPS) || member.aliases.length > MOST_ALIASES ? this.flat(member) : member
  }

  /** The same value, with its parts no longer followed. */
  flat (value: Value): Value {
    return { ...made(this.all(value)), macros: macrosIn(value) }
  }

  #collect (value: Value, reads: Set<Read>): void {
    for (const read of value.reads) reads.add(read)
    for (const { steps, site } of value.aliases) reads.add(this.#ledger.read(steps, site))
    for (const field of value.fields?.values() ?? []) this.#collect(field, reads)
    if (value.items !== undefined) this.#collect(value.items, reads)
  }
}

// Beyond these a value is read as a whole: loops and macros that call
// themselves would go on.
const MOST_STEPS = 12
const MOST_ALIASES = 24
