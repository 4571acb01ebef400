// The holdings of all processes that share an engine, in one topic: every change is an event of the topic,
// so there is one order of changes. A lost holding of this process is published again.
import { OWN_EVENTS } from '../sse/own.js'
import { FST_CHIRP_ENGINE } from '../errors.js'
import { quote } from '../util/describe.js'
import { messageOf } from '../util/thrown.js'
import type { ChannelEngine, StoredEvent } from './engine.js'
import { fromRecord, toRecord, type Told } from './holding.js'
import { SILENCE, type Beating, type Pulse } from './pulse.js'

/** The holding of one process under a key. */
export interface Held<T> {
  readonly data: T
  /** When it was held first, in milliseconds since 1970 by the engine's clock. */
  readonly since: number
}

/** The holders of a key, by the name of the process, in the order in which they came. */
export type Holders<T> = ReadonlyMap<string, Held<T>>

export interface RosterHost<T> {
  readonly engine: ChannelEngine
  readonly topic: string
  /** Names this process. */
  readonly owner: string
  readonly pulse: Pulse
  /** A key has other holders: those of before, and whether it is for this process to tell. */
  changed (key: string, before: Holders<T>, isOurs: boolean): void
  report (error: unknown, message: string): void
}

const NOBODY: Holders<never> = new Map()

export class Roster<T> implements Beating {
  /** Resolves when it was asked once what is held already, which may have failed. */
  readonly ready: Promise<void>
  readonly #host: RosterHost<T>
  readonly #stopListening: () => void
  #held = new Map<string, Map<string, Held<T>>>()
  // The holdings of this process, known to others or not.
  readonly #mine = new Map<string, T>()
  // The keys of this process, and those with another holder. What the engine does not know yet counts.
  #present = new Set<string>()
  // Keys of which the engine has yet to be told.
  readonly #stale = new Set<string>()
  // Those of them that it did not take; the next beat tries again.
  readonly #refused = new Set<string>()
  // The last error of that.
  #refusal: string | undefined
  #flushing: Promise<void> | undefined
  // The events that are not taken into account yet, because it is not known what they change.
  #waiting: StoredEvent[] | undefined = []
  #isLoading = false
  #isAgain = false
  #last: string | undefined
  // Owners that this process has taken out.
  readonly #evicted = new Set<string>()
  #isBeating = false
  #isClosed = false

  constructor (host: RosterHost<T>) {
    this.#host = host
    this.#stopListening = host.engine.listen(host.topic, event => this.#receive(event), () => { this.#reload() })
    this.ready = this.#load()
    host.pulse.add(this)
  }

  /** Names this process. */
  get owner (): string {
    return this.#host.owner
  }

  /** The holders of a key, as all processes know them. */
  holders (key: string): Holders<T> {
    return this.#held.get(key) ?? NOBODY
  }

  /** The keys that are held, those of this process as it knows them itself. */
  get present (): ReadonlySet<string> {
    return this.#present
  }

  /** This process holds a key, or another value of it. */
  hold (key: string, data: T): void {
    if (this.#isClosed) return
    this.#mine.set(key, data)
    this.#present.add(key)
    this.#tell(key)
  }

  /** This process holds a key no more. */
  release (key: string): void {
    if (this.#isClosed || !this.#mine.delete(key)) return
    this.#count(key)
    this.#tell(key)
  }

  /** Resolves when the engine has all changes of now, or cannot take them. */
  async settled (): Promise<void> {
    await this.#flushing
  }

  /** Reports that this process is alive, removes the holdings of dead ones, and repeats what failed before. */
  beat (): void {
    if (this.#isBeating || this.#host.engine.ready === false) return
    this.#isBeating = true
    this.#beat().catch(error => this.#failed(error)).finally(() => { this.#isBeating = false })
  }

  /** The same once released keys are published. */
  async leave (): Promise<void> {
    this.#host.pulse.remove(this)
    await this.#flushing
    this.close()
  }

  /** Stops listening. The holdings of this process are left to the others, to which it is silent from now on. */
  close (): void {
    this.#isClosed = true
    this.#host.pulse.remove(this)
    this.#stopListening()
    this.#held.clear()
    this.#mine.clear()
    this.#present.clear()
    this.#stale.clear()
    this.#refused.clear()
  }

  #tell (key: string): void {
    this.#stale.add(key)
    this.#flush()
  }

  #flush (): void {
    this.#flushing ??= this.#tellAll().finally(() => { this.#flushing = undefined })
  }

  /** One at a time for each key, so that the last one is what holds. */
  async #tellAll (): Promise<void> {
    // A join and a leave in one tick are published as their result.
    await null
    while (this.#stale.size > 0) {
      const keys = [...this.#stale]
      this.#stale.clear()
      const told = await Promise.allSettled(keys.map(key => this.#tellOne(key)))
      for (const [n, outcome] of told.entries()) {
        if (outcome.status === 'fulfilled') this.#refused.delete(keys[n]!)
        else this.#refuse(keys[n]!, outcome.reason)
      }
    }
    if (this.#refused.size === 0) this.#refusal = undefined
  }

  #refuse (key: string, error: unknown): void {
    this.#refused.add(key)
    const refusal = messageOf(error)
    // A value that is too large stays so at each beat.
    if (refusal !== this.#refusal) this.#failed(error)
    this.#refusal = refusal
  }

  async #tellOne (key: string): Promise<void> {
    const { engine, topic, owner } = this.#host
    const data = this.#mine.get(key)
    const since = this.holders(key).get(owner)?.since
    const record = toRecord({ owner, by: owner, key, data, since })
    // Half a surrogate has no form in UTF-8.
    await engine.holdings!.hold(topic, { owner, key: JSON.stringify(key), record, removes: data === undefined ? true : undefined })
  }

  async #beat (): Promise<void> {
    const { engine, topic, owner } = this.#host
    const { beat, evict } = engine.holdings!
    if (this.#waiting !== undefined) this.#load()
    for (const key of this.#refused) this.#stale.add(key)
    this.#refused.clear()
    if (this.#stale.size > 0) this.#flush()
    const holds = this.#mine.size > 0
    const { silent, isKnown } = await beat(topic, SILENCE, holds ? owner : undefined)
    // Others took it for dead, or the engine has lost its data.
    if (holds && !isKnown) this.#tellAgain()
    for (const owner of silent) {
      this.#evicted.add(owner)
      const event = await evict(topic, SILENCE, owner, toRecord({ owner, by: this.#host.owner }))
      if (event === undefined) this.#evicted.delete(owner)
    }
  }

  #tellAgain (): void {
    for (const key of this.#mine.keys()) this.#stale.add(key)
    this.#flush()
  }

  #receive (event: StoredEvent): void {
    const { position, previous, record } = event
    const isNext = this.#last === undefined || previous === this.#last
    this.#last = position
    if (!isNext || record.event === OWN_EVENTS.gap) this.#reload()
    else if (this.#waiting !== undefined) this.#waiting.push(event)
    else this.#apply(event)
  }

  /** Something was lost: the values that are kept say what holds. */
  #reload (): void {
    this.#last = undefined
    this.#waiting ??= []
    this.#isAgain = true
    this.#load()
  }

  async #load (): Promise<void> {
    if (this.#isLoading) return
    this.#isLoading = true
    try {
      do {
        this.#isAgain = false
        this.#waiting = []
        const values = await this.#host.engine.holdings!.latest(this.#host.topic)
        // Events of that time are as new as the values, or newer.
        if (!this.#isAgain && !this.#isClosed) this.#start([...values, ...this.#waiting])
      } while (this.#isAgain && !this.#isClosed)
    } catch (error) {
      this.#failed(error)
    } finally {
      this.#isLoading = false
    }
  }

  #start (events: readonly StoredEvent[]): void {
    const before = this.#held
    this.#held = new Map()
    this.#present = new Set(this.#mine.keys())
    this.#waiting = undefined
    for (const event of events) this.#put(event)
    const { owner } = this.#host
    for (const key of new Set([...before.keys(), ...this.#held.keys()])) {
      const holders = before.get(key) ?? NOBODY
      const now = this.holders(key)
      // Those whose own events were lost tell of them.
      const tells = now.size > 0 ? now.keys().next().value === owner : [...holders.keys()].some(name => name === owner || this.#evicted.has(name))
      this.#host.changed(key, holders, tells)
    }
    this.#evicted.clear()
    // Released, or not known to any process.
    for (const key of this.#held.keys()) if (this.holders(key).has(owner) && !this.#mine.has(key)) this.#tell(key)
    for (const key of this.#mine.keys()) if (!this.holders(key).has(owner)) this.#tell(key)
  }

  #apply (event: StoredEvent): void {
    const told = this.#put(event)
    if (told === undefined) return
    for (const [key, before] of told.before) this.#host.changed(key, before, told.by === this.#host.owner)
    if (told.key !== undefined) return
    this.#evicted.delete(told.owner)
    if (told.owner === this.#host.owner) this.#tellAgain()
  }

  /** Takes one event into account. */
  #put (event: StoredEvent): (Told<T> & { before: Map<string, Holders<T>> }) | undefined {
    let told: Told<T>
    try {
      told = fromRecord(event.record)
    } catch (cause) {
      this.#failed(new FST_CHIRP_ENGINE('listen()', `a message of topic ${quote(this.#host.topic)} cannot be read`, { cause }))
      return undefined
    }
    const { owner, key, data, since } = told
    const keys = key === undefined ? [...this.#held.keys()].filter(key => this.holders(key).has(owner)) : [key]
    const before = new Map<string, Holders<T>>()
    for (const key of keys) {
      const holders = this.#held.get(key)
      before.set(key, holders === undefined ? NOBODY : new Map(holders))
      if (data === undefined) {
        if (holders?.delete(owner) === true && holders.size === 0) this.#held.delete(key)
      } else {
        const held = { data, since: since ?? holders?.get(owner)?.since ?? event.time ?? Date.now() }
        if (holders === undefined) this.#held.set(key, new Map([[owner, held]]))
        else holders.set(owner, held)
      }
      this.#count(key)
    }
    return { ...told, before }
  }

  #count (key: string): void {
    const holders = this.holders(key)
    if (this.#mine.has(key) || holders.size > 1 || (holders.size === 1 && !holders.has(this.#host.owner))) this.#present.add(key)
    else this.#present.delete(key)
  }

  #failed (error: unknown): void {
    if (!this.#isClosed) this.#host.report(error, 'the members and jobs of the processes are not known to all of them')
  }
}
