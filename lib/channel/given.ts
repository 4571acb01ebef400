// An engine that the app gave, which cannot be trusted: it may throw, reject,
// or give something that is not an event, and none of this may end the process or a stream of
// another topic. What it gives is checked once, and what it loses becomes a gap.
import type { FastifyBaseLogger } from 'fastify'
import { FST_CHIRP_ID } from '../errors.js'
import { isUnrendered } from '../message/unrendered.js'
import { OWN_EVENTS } from '../sse/own.js'
import { describe, quote } from '../util/describe.js'
import { look, messageOf } from '../util/thrown.js'
import { isPosition } from './cursor.js'
import type { Beat, ChannelEngine, Engine, EngineStatus, Holdings, Page, Publication, StoredEvent } from './engine.js'
import { failure, gapOf, outage, plain, wrong } from './given-faults.js'
import { Outage } from './outage.js'
import { recordProblem, toStored } from './stored.js'

const UNEXPECTED = 'it is rendered for viewers, and this channel has none. Give app.channel() the same options in every process'

type Listener = (event: StoredEvent) => void
type LostListener = (from: string, to: string) => void

/** The listener of a topic. */
interface Listening {
  begin (): Promise<void>
  /** Resolves when it listens; rejects when it could not. */
  begun: Promise<void>
  hasFailed: boolean
}

// Several registrations may share one; the last that closes closes it.
const users = new WeakMap<Engine, number>()

export class GivenEngine implements ChannelEngine {
  /** As the engine has it, or none. */
  readonly latest: ChannelEngine['latest']
  readonly holdings: Holdings | undefined
  readonly #engine: Engine
  readonly #patience: number
  readonly #report: (error: unknown, message: string) => void
  readonly #outage: Outage
  readonly #topics = new Map<string, Listening>()
  // Topics of channels with viewers.
  readonly #viewed = new Set<string>()
  #isTimeMissed = false
  // Entries that were checked already, with those that are sent for them.
  readonly #checked = new WeakMap<object, StoredEvent>()

  /** @param patience how many ms it may take to close. */
  constructor (engine: Engine, patience: number, report: (error: unknown, message: string) => void, log: FastifyBaseLogger) {
    this.#engine = engine
    const latest = this.latest = engine.latest === undefined ? undefined : async topic => this.#latest(topic)
    if (engine.hold !== undefined) {
      this.holdings = {
        latest: latest!,
        hold: async (topic, { record, ...others }) => this.#check('hold', await this.#ask('hold', topic, { record: toStored(record), ...others }), topic),
        beat: async (topic, silence, owner) => checkBeat(await this.#ask('beat', topic, silence, owner)),
        evict: async (topic, silence, owner, record) => {
          const event = await this.#ask('evict', topic, silence, owner, toStored(record))
          return event === undefined ? undefined : this.#check('evict', event, topic)
        }
      }
    }
    this.#patience = patience
    this.#report = report
    this.#outage = new Outage(log)
    users.set(engine, (users.get(engine) ?? 0) + 1)
  }

  /** @throws FST_CHIRP_ENGINE when the engine cannot start. */
  async start (): Promise<void> {
    if (this.#engine.start === undefined) return
    const status: EngineStatus = {
      failed: error => {
        const broken = outage(error)
        this.#outage.begin(broken)
        this.#report(broken, 'the engine of the channels is out of reach')
      },
      works: () => this.#outage.end()
    }
    try {
      await this.#engine.start(status)
    } catch (error) {
      throw failure('start', error)
    }
  }

  get ready (): boolean {
    try {
      const { ready } = this.#engine as { ready?: unknown }
      return ready === undefined || ready === true
    } catch {
      return false
    }
  }

  open (channel: string, hasViewers = false): string {
    const topic = this.#open(channel)
    if (hasViewers) this.#viewed.add(topic)
    return topic
  }

  #open (channel: string): string {
    if (this.#engine.open === undefined) return channel
    let topic: unknown
    try {
      topic = this.#engine.open(channel)
    } catch (error) {
      throw failure('open', error)
    }
    if (typeof topic === 'string') return topic
    // It may be a promise that nothing awaits, and fail.
    Promise.resolve(topic).catch(() => {})
    throw wrong('open', `a string, not ${describe(topic)}`)
  }

  async publish (topic: string, { record, audience, ...others }: Publication): Promise<StoredEvent> {
    const publication = { record: toStored(record), audience: plain(audience), ...others }
    // This process also listens to its own events. An event that it misses is still kept.
    await this.#whenListening(topic).catch(() => {})
    let event: unknown
    try {
      event = await this.#engine.publish(topic, publication)
    } catch (error) {
      if (look(error).code !== 'FST_CHIRP_ID') throw this.#broken('publish', error)
      throw error instanceof FST_CHIRP_ID ? error : new FST_CHIRP_ID(quote(String(record.id)), messageOf(error), { cause: error })
    }
    this.#outage.works()
    const checked = this.#check('publish', event, topic)
    if (publication.ttl !== undefined && checked.time === undefined && !this.#isTimeMissed) {
      this.#isTimeMissed = true
      this.#report(wrong('publish', 'an event with a "time" where "ttl" was given'), 'the engine keeps events for longer than "ttl" of their channels')
    }
    return checked
  }

  async read (topic: string, after: string, limit: number): Promise<Page> {
    const page = await this.#ask('read', topic, after, limit)
    if (typeof page !== 'object' || page === null) throw wrong('read', `a page, not ${describe(page)}`)
    const { from, entries, last, audience } = page as Page
    if (!Array.isArray(entries) || !isPosition(last) || !(from === undefined || isPosition(from))) {
      throw wrong('read', 'a page of { from, entries, last }, where "last" is a position, and "from" is one or undefined')
    }
    return { from, entries: this.#checkAll(from, entries, topic), last, audience }
  }

  async #latest (topic: string): Promise<StoredEvent[]> {
    const events = await this.#ask('latest', topic)
    if (!Array.isArray(events)) throw wrong('latest', `a list of events, not ${describe(events)}`)
    // A gap is nothing that a topic keeps.
    return events.map(event => this.#check('latest', event, topic)).filter(({ record }) => record.event !== OWN_EVENTS.gap)
  }

  listen (topic: string, listener: Listener, lost?: LostListener): () => void {
    let stop: (() => unknown) | undefined
    let isStopped = false
    const listening: Listening = {
      hasFailed: false,
      begun: Promise.resolve(),
      begin: async () => {
        listening.hasFailed = false
        try {
          const given: unknown = await this.#engine.listen(topic, event => { if (!isStopped) this.#tell(topic, listener, event) },
            (from, to) => { if (!isStopped) this.#tellLoss(topic, lost, from, to) })
          if (typeof given !== 'function') throw wrong('listen', `a function that stops it, not ${describe(given)}`)
          stop = given as () => unknown
          if (isStopped) this.#quietly('listen', stop)
        } catch (error) {
          listening.hasFailed = true
          throw this.#broken('listen', error)
        }
      }
    }
    this.#topics.set(topic, listening)
    this.#begin(listening)
    return () => {
      isStopped = true
      if (this.#topics.get(topic) === listening) this.#topics.delete(topic)
      if (stop !== undefined) this.#quietly('listen', stop)
    }
  }

  forget (topic: string): void {
    this.#viewed.delete(topic)
    this.#quietly('forget', () => this.#engine.forget?.(topic))
  }

  /** Never rejects, and waits no longer than an app that closes can. */
  async close (): Promise<void> {
    const left = users.get(this.#engine)! - 1
    users.set(this.#engine, left)
    if (left > 0) return
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`it took longer than ${this.#patience} ms`)), this.#patience)
    })
    await Promise.race([(async () => this.#engine.close())(), late]).catch(error => this.#failed('close', error))
    clearTimeout(timer)
  }

  async #ask (verb: 'read' | 'latest' | 'hold' | 'beat' | 'evict', topic: string, ...given: unknown[]): Promise<unknown> {
    await this.#whenListening(topic)
    let answer: unknown
    try {
      answer = await (this.#engine[verb] as (...given: unknown[]) => unknown).call(this.#engine, topic, ...given)
    } catch (error) {
      throw this.#broken(verb, error)
    }
    this.#outage.works()
    return answer
  }

  /** In the order of the calls. What failed to listen tries again. */
  async #whenListening (topic: string): Promise<void> {
    const listening = this.#topics.get(topic)
    if (listening?.hasFailed === true) this.#begin(listening)
    await listening?.begun
  }

  #begin (listening: Listening): void {
    listening.begun = listening.begin()
    listening.begun.catch(error => this.#report(error, 'the events of a channel do not arrive'))
  }

  #tell (topic: string, listener: Listener, event: unknown): void {
    try {
      listener(this.#check('listen', event, topic))
    } catch (error) {
      this.#report(error, `an event of topic ${quote(topic)} was not sent`)
    }
  }

  #tellLoss (topic: string, lost: LostListener | undefined, from: unknown, to: unknown): void {
    if (isPosition(from) && isPosition(to)) lost?.(from, to)
    else this.#report(wrong('listen', 'two positions where events are lost'), `a loss of events of topic ${quote(topic)} was not told`)
  }

  /** A failure of the engine as a whole. A refusal with an error of this package concerns that event alone. */
  #broken (verb: string, error: unknown): Error {
    const broken = failure(verb, error)
    if (broken !== error) this.#outage.note(broken)
    return broken
  }

  /** @throws FST_CHIRP_ENGINE for what has no place in a topic. What has one, and cannot be read, is a gap. */
  #check (verb: string, event: unknown, topic: string): StoredEvent {
    if (typeof event !== 'object' || event === null) throw wrong(verb, `an event, not ${describe(event)}`)
    let checked = this.#checked.get(event)
    if (checked !== undefined) return checked
    const { position, previous, record, time } = event as StoredEvent
    if (!isPosition(position) || !isPosition(previous)) throw wrong(verb, 'an event with a "position" and a "previous" one, such as "k3x9-41"')
    if (time !== undefined && !Number.isFinite(time)) throw wrong(verb, 'an event whose "time" is a number of milliseconds, or undefined')
    const problem = recordProblem(record) ?? (isUnrendered(record) && !this.#viewed.has(topic) ? UNEXPECTED : undefined)
    checked = problem === undefined ? event as StoredEvent : gapOf(previous, position)
    if (problem !== undefined) this.#report(failure(verb, new Error(`event ${position} cannot be sent: ${problem}`)), 'an event of a channel became a gap')
    this.#checked.set(event, checked)
    return checked
  }

  #checkAll (from: string | undefined, entries: readonly unknown[], topic: string): StoredEvent[] {
    const events: StoredEvent[] = []
    let before = from
    for (const entry of entries) {
      const event = this.#check('read', entry, topic)
      if (before !== undefined && event.previous !== before) events.push(gapOf(before, event.previous))
      events.push(event)
      before = event.position
    }
    return events
  }

  /** Calls a function whose result nothing awaits. */
  #quietly (verb: string, call: () => unknown): void {
    (async () => call())().catch(error => this.#failed(verb, error))
  }

  #failed (verb: string, error: unknown): void {
    this.#report(failure(verb, error), 'the engine of the channels failed')
  }
}

function checkBeat (answer: unknown): Beat {
  const { silent, isKnown } = Object(answer) as Partial<Beat>
  if (Array.isArray(silent) && silent.every(owner => typeof owner === 'string') && typeof isKnown === 'boolean') return { silent, isKnown }
  throw wrong('beat', '{ silent, isKnown }, a list of owners and whether one is known')
}
