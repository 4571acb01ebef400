// The signals of one app: what app.signal(), app.derived() and app.signals() do.
import type { AudienceFilter } from '../../channel/audience.js'
import type { Channels } from '../../channel/channels.js'
import { muteLate } from '../../channel/late.js'
import { MemoryEngine } from '../../channel/memory.js'
import { Producer, type ProducerHost } from '../../channel/producer.js'
import { SIGNALS_TOPIC } from '../../channel/topics.js'
import type { EventRecord } from '../../dialects/record.js'
import { FST_CHIRP_CHANNEL_CLOSED, FST_CHIRP_OPTION, FST_CHIRP_SIGNAL } from '../../errors.js'
import type { PrintedSignals } from '../../render/renderer.js'
import { isPromise } from '../../util/promise.js'
import { Derivation, isEqual, type Equals } from './derivation.js'
import { Entries, type Entry } from './entries.js'
import { SignalFeed, type FeedHost } from './feed.js'
import { Graph, Input } from './graph.js'
import { audienceOf, checkDerived, checkFeed, checkName, checkSignal, type DerivedOptions, type SetOptions, type SignalOptions, type SignalsOptions } from './options.js'
import { Outbox } from './outbox.js'
import { Place, type PlaceHost } from './place.js'
import { SharedValues } from './shared.js'
import { Derived, Signal, type SignalHost } from './signal.js'
import { copyOf } from './value.js'

/** The parts of the app that signals need. */
export interface SignalsEnvironment extends Omit<PlaceHost, 'run'>, Pick<ProducerHost, 'log'> {
  readonly channels: Channels
}

/** One stream, and the sources that run for it. */
interface Follower { only: ReadonlySet<string> | undefined, producers: Producer[] }

type Only = Follower['only']

// As that of a channel.
const LINGER = 1000

export class Signals implements SignalHost, FeedHost, PrintedSignals {
  readonly #app: SignalsEnvironment
  readonly #entries = new Entries()
  readonly #graph: Graph
  readonly #outbox: Outbox
  readonly #host: PlaceHost
  readonly #followers = new Set<Follower>()
  // With an engine that others may have too, as soon as there are signals.
  #shared: SharedValues | undefined
  // Values of names that are not declared here yet, by audience.
  readonly #early = new Map<string, Map<string, { audience: unknown, value: unknown }>>()
  #isStarted = false
  #isClosed = false

  constructor (app: SignalsEnvironment) {
    this.#app = app
    this.#outbox = new Outbox(this.#channel(new MemoryEngine()))
    this.#graph = new Graph(() => this.#outbox.send())
    const { renderer, counters, debug, report } = app
    this.#host = { renderer, counters, debug, report, run: code => this.#graph.run(code) }
  }

  get channel (): FeedHost['channel'] {
    return this.#outbox.channel
  }

  /** Of all signals and derived values. */
  get names (): string[] {
    return [...this.#entries.all].map(({ name }) => name)
  }

  /** The signal of this name. It is made by the first call. */
  signal (name: string, options: SignalOptions = {}): Signal {
    checkName('app.signal()', name)
    checkSignal(name, options)
    const known = this.#entries.find(name)
    return known === undefined ? this.#declare(name, options) : same(known, options)
  }

  derived (name: string, deps: readonly unknown[], make: (...values: never[]) => unknown, options: DerivedOptions = {}): Derived {
    checkName('app.derived()', name)
    checkDerived(name, deps, make, options)
    if (this.#entries.find(name) !== undefined) throw new FST_CHIRP_SIGNAL(`there is something named "${name}" already. Give each derived value a name of its own, and declare it once`)
    const names = deps.map(dep => this.#entries.nameOf(dep, `derived value "${name}"`))
    this.#entries.refuseCircle(name, names)
    const derivation = new Derivation(name, make as (...values: unknown[]) => unknown, options.equals as Equals, this.#host)
    const node = this.#graph.derive(() => names.map(name => this.#entries.find(name)?.node), boxes => derivation.derive(boxes))
    const handle = new Derived(name, this)
    this.#add({ name, handle, node, options: { ...options }, deps: names, input: undefined })
    return handle
  }

  feed (options: SignalsOptions = {}): SignalFeed {
    checkFeed(options)
    const only = options.only?.map(given => this.#entries.nameOf(given, 'option "only" of app.signals()'))
    return new SignalFeed(this, only && new Set(only), options.filter as AudienceFilter)
  }

  valueOf (name?: string): unknown {
    return this.#entries.find(name!)!.node.box.value
  }

  set (name: string, value: unknown, options: SetOptions): Promise<void> {
    const done = this.#set(this.#entries.find(name)!, value, options)
    // A caller that does not await it must not bring the process down.
    done.catch(() => {})
    return muteLate(done, () => this.#isClosed)
  }

  has (name: string): boolean {
    return this.#entries.find(name) !== undefined
  }

  html (name: string, filter?: AudienceFilter): string {
    this.#graph.settle()
    return this.#outbox.placeFor(this.#entries.get(name, `signal("${name}") in a template`), filter).html
  }

  /** The renders that a page waits for; undefined when none is asynchronous. */
  ready (only: Only, filter: AudienceFilter | undefined): Promise<unknown> | undefined {
    this.#graph.settle()
    const rendered = [...this.#entries.all].filter(({ name, options: { render } }) => render !== undefined && only?.has(name) !== false)
    const waiting = rendered.map(entry => this.#outbox.placeFor(entry, filter).refresh()).filter(isPromise)
    return waiting.length === 0 ? undefined : Promise.all(waiting)
  }

  follow (only: Only): () => void {
    this.#graph.settle()
    this.#outbox.publish()
    const follower: Follower = { only, producers: [] }
    for (const entry of this.#entries.reachedFrom(only)) start(entry, follower)
    this.#followers.add(follower)
    return () => {
      this.#followers.delete(follower)
      for (const producer of follower.producers) producer.leave()
    }
  }

  /**
   * The app starts.
   *
   * @throws FST_CHIRP_SIGNAL for a name without a signal or a derived value, and errors of functions for initial values.
   */
  async start (): Promise<void> {
    this.#entries.complete()
    this.#isStarted = true
    await this.#shared?.ready()
    await Promise.all([...this.#entries.all].map(entry => this.#begin(entry)))
  }

  close (): void {
    this.#isClosed = true
    for (const { producer } of this.#entries.all) producer?.close()
    this.#graph.close()
  }

  #declare (name: string, options: SignalOptions): Signal {
    const { initial } = options
    const copy = typeof initial === 'function' ? undefined : copyOf(name, initial)
    if (this.#app.channels.isShared) this.#shared ??= this.#share()
    const input = new Input(this.#graph)
    if (copy?.value !== undefined) input.set({ value: copy.value })
    const handle = new Signal(name, this)
    const entry = this.#add({ name, handle, node: input, options: { ...options }, deps: [], input })
    for (const { audience, value } of this.#early.get(name)?.values() ?? []) this.#apply(entry, audience, value)
    this.#early.delete(name)
    if (this.#isStarted) this.#begin(entry).catch(error => this.#app.report(error, `signal "${name}" has no initial value, because its function failed`))
    return handle
  }

  #add (made: Pick<Entry, 'name' | 'handle' | 'node' | 'options' | 'deps' | 'input'>): Entry {
    const { name, node, options: { render, source } } = made
    const { log, report } = this.#app
    const producer = source && new Producer({ owner: `signal "${name}"`, source, linger: LINGER, log, report, publish: value => this.set(name, value, {}) })
    const place = this.#place(name, undefined, render, node)
    const entry: Entry = { ...made, place, audiences: new Map(), producer, isSet: false, turn: undefined }
    this.#entries.add(entry)
    this.#graph.declared()
    this.#graph.watch(node, () => this.#outbox.changed(entry, place))
    for (const follower of this.#followers) if (this.#entries.reachedFrom(follower.only).includes(entry)) start(entry, follower)
    return entry
  }

  #place (name: string, audience: unknown, render: SignalOptions['render'], node: Entry['node']): Place {
    return new Place(name, audience, render, this.#host, () => node.box)
  }

  /** Starts with the option `initial`, unless it was set before. */
  async #begin (entry: Entry): Promise<void> {
    const { name, input, options: { initial } } = entry
    if (typeof initial !== 'function' || entry.isSet) return
    const { value } = copyOf(name, await (initial as () => unknown)())
    if (!entry.isSet) input!.set({ value })
  }

  async #set (entry: Entry, value: unknown, options: SetOptions): Promise<void> {
    const { name, isSet } = entry
    const { audience, copy } = this.#checked(name, value, options)
    const isUntold = this.#shared?.isUntold(name, audience) === true
    const isNews = this.#apply(entry, audience, copy.value)
    if (isNews || isUntold || !isSet) await this.#shared?.set(name, audience, copy.text)
  }

  #checked (name: string, value: unknown, options: SetOptions): { audience: unknown, copy: ReturnType<typeof copyOf> } {
    try {
      if (this.#isClosed) throw new FST_CHIRP_CHANNEL_CLOSED(name)
      if (this.#graph.isRunning) throw new FST_CHIRP_SIGNAL(`"${name}" was set by a function that derives, compares or renders values. Set it in the code that makes the new value`)
      const audience = audienceOf(options)
      return { audience, copy: copyOf(name, value) }
    } catch (error) {
      this.#app.report(error, `signal "${name}" was not set`)
      throw error
    }
  }

  /** Takes over a value; false when it is the same as before. */
  #apply (entry: Entry, audience: unknown, value: unknown): boolean {
    const { name, input, options } = entry
    const isSame = (before: unknown): boolean => isEqual(name, before, value, options.equals as Equals, this.#host)
    if (audience === undefined) {
      entry.isSet = true
      if (isSame(input!.box.value)) return false
      input!.set({ value })
      return true
    }
    // In the order of the calls.
    this.#graph.settle()
    const key = JSON.stringify(audience)
    let place = entry.audiences.get(key)
    if (isSame(place?.own?.value)) return false
    if (place === undefined) entry.audiences.set(key, place = this.#place(name, audience, options.render, entry.node))
    place.own = value === undefined ? undefined : { value }
    this.#outbox.changed(entry, place)
    this.#graph.schedule()
    return true
  }

  #share (): SharedValues {
    return new SharedValues(this.#channel(), {
      report: this.#app.report,
      apply: (name, audience, value) => {
        const entry = this.#entries.find(name)
        if (entry?.input !== undefined) return this.#apply(entry, audience, value)
        const early = this.#early.get(name) ?? new Map()
        early.set(JSON.stringify(audience), { audience, value })
        this.#early.set(name, early)
      }
    })
  }

  #channel (engine?: MemoryEngine): FeedHost['channel'] {
    return this.#app.channels.own('signals', SIGNALS_TOPIC, { latest: true }, record => record as EventRecord, engine)
  }
}

/** @throws FST_CHIRP_OPTION for options that differ from those that it was made with. */
function same ({ name, handle, input, options: made }: Entry, options: SignalOptions): Signal {
  if (input === undefined) throw new FST_CHIRP_SIGNAL(`"${name}" is a derived value already. Give the signal another name`)
  for (const option of Object.keys(options) as Array<keyof SignalOptions>) {
    if (options[option] !== undefined && !Object.is(options[option], made[option])) {
      throw new FST_CHIRP_OPTION(`signal "${name}" was made with another "${option}" before. Give its options in one place, and its name alone elsewhere`)
    }
  }
  return handle as Signal
}

function start ({ producer }: Entry, { producers }: Follower): void {
  if (producer === undefined) return
  producers.push(producer)
  producer.come(() => undefined)
}
