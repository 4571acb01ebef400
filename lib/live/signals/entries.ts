// The signals and derived values of one app, by name: their dependencies, and names that are missing.
import { FST_CHIRP_SIGNAL } from '../../errors.js'
import type { Producer } from '../../channel/producer.js'
import { suggest } from '../../util/closest.js'
import { describe } from '../../util/describe.js'
import type { Input, Node } from './graph.js'
import type { SignalOptions } from './options.js'
import type { Place } from './place.js'
import type { Derived, Signal } from './signal.js'

/** The facts about one name. */
export interface Entry {
  readonly name: string
  readonly handle: Signal | Derived
  readonly node: Node
  /** As they were given. */
  readonly options: SignalOptions
  /** The names that a derived value is made of; none of a signal. */
  readonly deps: readonly string[]
  /** Of a signal, what is set. */
  readonly input: Input | undefined
  /** The value for everyone. */
  readonly place: Place
  /** The values for audiences, by their JSON. */
  readonly audiences: Map<string, Place>
  readonly producer: Producer | undefined
  /** Whether it was set, here or elsewhere. */
  isSet: boolean
  /** The last of its renders that wait for each other. */
  turn: Promise<unknown> | undefined
}

export class Entries {
  readonly #entries = new Map<string, Entry>()
  // Names that are used and may be declared later, with what uses them.
  readonly #expected = new Map<string, string>()
  #isComplete = false

  get all (): Iterable<Entry> {
    return this.#entries.values()
  }

  find (name: string): Entry | undefined {
    return this.#entries.get(name)
  }

  /** @throws FST_CHIRP_SIGNAL for a name without a signal or a derived value. */
  get (name: string, user: string): Entry {
    return this.#entries.get(name) ?? this.#unknown(name, user)
  }

  add (entry: Entry): void {
    this.#entries.set(entry.name, entry)
    this.#expected.delete(entry.name)
  }

  /**
   * The name of what was given as a signal, a derived value or its name. A name may be declared until the app starts.
   *
   * @throws FST_CHIRP_SIGNAL for what this app does not have.
   */
  nameOf (given: unknown, user: string): string {
    const name = typeof given === 'string' ? given : (given as { name?: unknown } | null | undefined)?.name
    if (typeof name !== 'string') throw new FST_CHIRP_SIGNAL(`${user} takes signals, derived values, or their names, not ${describe(given)}`)
    const known = this.#entries.get(name)
    if (typeof given !== 'string' && known?.handle !== given) {
      throw new FST_CHIRP_SIGNAL(`${user} was given something named "${name}" that is not a signal of this app. Signals belong to the registration of the plugin that made them`)
    }
    if (known === undefined) {
      if (this.#isComplete) this.#unknown(name, user)
      this.#expected.set(name, user)
    }
    return name
  }

  /**
   * Refuses a derived value that would be made of itself.
   *
   * @throws FST_CHIRP_SIGNAL that names the circle.
   */
  refuseCircle (name: string, deps: readonly string[]): void {
    const seen = new Set<string>()
    const visit = (dep: string, path: readonly string[]): void => {
      if (dep === name) throw new FST_CHIRP_SIGNAL(`derived value "${name}" is made of itself: ${[...path, name].map(name => `"${name}"`).join(' of ')}. Derive one of them from something else`)
      if (seen.has(dep)) return
      seen.add(dep)
      for (const next of this.#entries.get(dep)?.deps ?? []) visit(next, [...path, dep])
    }
    for (const dep of deps) visit(dep, [name])
  }

  /** The app starts: from now on every name has to be there. @throws FST_CHIRP_SIGNAL */
  complete (): void {
    this.#isComplete = true
    for (const [name, user] of this.#expected) this.#unknown(name, user)
  }

  /** These, and all that they are made of; all if undefined. */
  reachedFrom (names: ReadonlySet<string> | undefined): Entry[] {
    if (names === undefined) return [...this.all]
    const reached = new Set(names)
    for (const name of reached) for (const dep of this.#entries.get(name)?.deps ?? []) reached.add(dep)
    return [...reached].flatMap(name => this.#entries.get(name) ?? [])
  }

  #unknown (name: string, user: string): never {
    throw new FST_CHIRP_SIGNAL(`${user} asks for "${name}", which is neither a signal nor a derived value.${suggest(name, this.#entries.keys())} Declare it before the app starts: app.signal('${name.slice(0, 40)}')`)
  }
}
