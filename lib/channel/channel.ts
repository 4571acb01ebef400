// A named line of events that many streams follow. A value is rendered when it
// is published and encoded once, however many follow.
import type { FastifyBaseLogger } from 'fastify'
import type { EventRecord } from '../dialects/record.js'
import { FST_CHIRP_CHANNEL_CLOSED, FST_CHIRP_OPTION } from '../errors.js'
import { Entry, keyOf } from '../message/entry.js'
import { kAttach, type Attachment, type Feed, type Location, type Outlet } from '../stream/feed.js'
import { describe } from '../util/describe.js'
import { isOf } from '../util/kind.js'
import { refuseUnknown } from '../util/options.js'
import { isPromise, type MaybePromise } from '../util/promise.js'
import { messageOf } from '../util/thrown.js'
import type { AudienceFilter } from './audience.js'
import type { ChannelEngine, StoredEvent } from './engine.js'
import { Hub } from './hub.js'
import { checkKeeping, KEEPING_DEFAULTS, KEEPING_OPTIONS, type KeepingOptions } from './keeping.js'
import { muteLate } from './late.js'
import { Presence } from './presence.js'
import { Producer } from './producer.js'
import type { Reader } from './reader.js'
import { StreamSink } from './sink.js'
import { Subscription, type SubscribeOptions } from './subscription.js'
import type { ReaderTarget } from './target.js'

/** Options of `app.channel()`. */
export interface ChannelOptions<Event = unknown> extends KeepingOptions<Event> {
  /** How many events are kept for clients that come back. Default: 1000. Off: `0`. */
  history?: number | undefined
  /**
   * Keeps the newest value of each event name instead of a history: who
   * connects gets them all, and a slow client skips to the newest. For values
   * that replace each other, such as a dashboard's. Default: `false`.
   */
  latest?: boolean | undefined
}

/** Options of {@link Channel.publish}. */
export interface PublishOptions<Audience = unknown> {
  /**
   * Whom the event is for: anything that the filters of
   * {@link Channel.subscribe} understand. Streams without a filter do not get
   * it. Default: that of an event that another channel gave, else none, it is
   * for everyone.
   */
  audience?: Audience | undefined
}

/** Options of {@link Channel.remove}. */
export interface RemoveOptions<Audience = unknown> {
  /** Whom the value was published for. Default: everyone. */
  audience?: Audience | undefined
}

/** What a channel needs of the app. */
export interface ChannelEnvironment {
  engine: ChannelEngine
  /** What the engine calls the channel. Default: its name. */
  topic?: string
  maxBuffer: number
  log: FastifyBaseLogger
  toRecord (value: unknown): EventRecord | Promise<EventRecord>
  /** In debug, what takes the place of a fragment that could not be rendered. */
  errorRecord (value: unknown, error: unknown): EventRecord | undefined
  /** The channel has been closed, and its name is free. */
  closed? (): void
  /** Whether the app has closed. */
  isClosed? (): boolean
  /** Logs and counts an error. */
  report (error: unknown, message: string): void
}

export const CHANNEL_DEFAULTS = { history: 1000, latest: false, ...KEEPING_DEFAULTS }

/**
 * A named line of events. `Audience` is what `publish()` and filters name readers
 * by, `Event` is what can be published.
 */
export class Channel<Audience = unknown, Event = unknown> implements Feed {
  readonly name: string
  readonly #app: ChannelEnvironment
  readonly #topic: string
  readonly #history: number
  readonly #ttl: number | undefined
  readonly #hub: Hub
  #presence: Presence | undefined
  // The publication before, while it still renders: order is that of the calls.
  #before: Promise<unknown> | undefined
  #isClosed = false
  // What publications failed with.
  readonly #told = new WeakSet<object>()

  /** Made by `app.channel()`. @internal */
  constructor (name: string, options: ChannelOptions, app: ChannelEnvironment) {
    const { history = CHANNEL_DEFAULTS.history, latest = CHANNEL_DEFAULTS.latest, ttl, every, source, linger = CHANNEL_DEFAULTS.linger } = options
    this.name = name
    this.#app = app
    this.#topic = app.topic ?? name
    this.#history = latest ? 0 : history
    this.#ttl = ttl
    const { log } = app
    const report = app.report.bind(app)
    const producer = source && new Producer({ name, source, linger, log, publish: value => this.publish(value as Event), report })
    const notLoaded = (error: unknown): void => report(error, `the values of channel ${JSON.stringify(name)} from before are not known`)
    this.#hub = new Hub(this.#topic, app.engine, { latest, ttl, every, producer, notLoaded })
  }

  /** How many readers follow it in this process. */
  get size (): number {
    return this.#hub.size
  }

  /** Bytes that may wait for one who iterates. @internal */
  get maxBuffer (): number {
    return this.#app.maxBuffer
  }

  /**
   * Sends a value to everyone who follows, and keeps it for those who come
   * back. Resolves to its id. It need not be awaited: what fails is logged. A
   * promise that you make of it is yours to catch.
   *
   * @throws FST_CHIRP_* (as a rejection) when the value cannot be sent.
   * @throws FST_CHIRP_CHANNEL_CLOSED (as a rejection) when the channel is closed.
   */
  publish (value: Event, options: PublishOptions<Audience> = {}): Promise<string> {
    const published = this.#publish(value, options)
    // Who does not wait for it must not bring the process down.
    published.catch(error => this.#failed(error, value, options))
    // It is settled, or waits for a render, which may take longer than the app lives.
    return this.#isClosed || this.#before !== undefined ? muteLate(published, () => this.#isLate) : published
  }

  /**
   * Takes a value out of a channel with `latest`: whoever connects from now on does not get it, and those who follow
   * hear nothing of it. `name` is the event name of the value, or its target. It need not be awaited, as
   * {@link publish}, and comes after what was published before.
   *
   * @throws FST_CHIRP_OPTION (as a rejection) on a channel without `latest`, and for a bad name or option.
   * @throws FST_CHIRP_CHANNEL_CLOSED (as a rejection) when the channel is closed.
   */
  remove (name: string, options: RemoveOptions<Audience> = {}): Promise<void> {
    const removed = this.#remove(name, options)
    removed.catch(error => this.#app.report(error, `a value of channel ${JSON.stringify(this.name)} was not removed`))
    return removed
  }

  get #isLate (): boolean {
    return this.#app.isClosed?.() === true
  }

  /**
   * Follows the channel: for `reply.eventStream()`, or to iterate. Gives events
   * after `lastEventId` first, if there is one.
   */
  subscribe (options: SubscribeOptions<Audience> = {}): Subscription {
    return new Subscription(this as unknown as Channel, options as SubscribeOptions)
  }

  /** Who is here. The same object at every call; `Info` is what `join()` takes of each member. */
  presence<Info = unknown> (): Presence<Info> {
    this.#presence ??= new Presence((error, event) => {
      // What publish() rejected with has been told already.
      if (!this.#told.has(error as object)) this.#app.report(error, `a "${event}" listener of the presence of channel ${JSON.stringify(this.name)} failed`)
    })
    return this.#presence as Presence<unknown> as Presence<Info>
  }

  /** Ends every stream that follows, and takes no more events. */
  close (): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#hub.close()
    this.#app.closed?.()
  }

  /** @internal */
  get keepsLatest (): boolean {
    return this.#hub.latest !== undefined
  }

  /** @internal */
  locate (cursor: string, filter?: AudienceFilter): MaybePromise<Location> {
    return this.#hub.locate(cursor, filter)
  }

  [kAttach] (outlet: Outlet, lastEventId: string): Attachment {
    return this.attach(new StreamSink(outlet), lastEventId)
  }

  /** @internal */
  attach (target: ReaderTarget, lastEventId: string, filter?: AudienceFilter): Reader {
    return this.#hub.attach(target, lastEventId, filter)
  }

  async #publish (value: unknown, options: PublishOptions): Promise<string> {
    if (this.#isClosed) throw new FST_CHIRP_CHANNEL_CLOSED(this.name)
    const audience = audienceOf(value, options)
    if (audience !== undefined && this.#hub.latest !== undefined) checkAudience(audience)
    return await this.#inTurn(this.#app.toRecord(value), audience)
  }

  async #remove (key: unknown, options: RemoveOptions): Promise<void> {
    if (this.#isClosed) throw new FST_CHIRP_CHANNEL_CLOSED(this.name)
    refuseUnknown('of remove()', options, ['audience'])
    if (!this.keepsLatest) {
      throw new FST_CHIRP_OPTION(`channel ${JSON.stringify(this.name)} keeps a history, from which nothing is removed. Make it with { latest: true }, or publish an event that says what is gone`)
    }
    if (typeof key !== 'string') throw new FST_CHIRP_OPTION(`remove() needs the name of a value, its event name or target, not ${describe(key)}`)
    const { audience } = options
    if (audience !== undefined) checkAudience(audience)
    await this.#inTurn({ key, removes: true }, audience)
  }

  async #inTurn (record: MaybePromise<EventRecord>, audience: unknown): Promise<string> {
    if (this.#before === undefined && !isPromise(record)) return await this.#keep(record as EventRecord, audience)
    const turn = this.#wait(this.#before, record).then(record => this.#keep(record, audience))
    const before = turn.catch(() => {}).finally(() => { if (this.#before === before) this.#before = undefined })
    this.#before = before
    return turn
  }

  /** Publishes the box for what failed, if there is one, and tells what became of it. Never rejects. */
  async #failed (error: unknown, value: unknown, options: PublishOptions): Promise<void> {
    const name = JSON.stringify(this.name)
    if (typeof error === 'object' && error !== null) this.#told.add(error)
    let isReplaced = false
    try {
      const box = this.#isClosed ? undefined : this.#app.errorRecord(value, error)
      if (box !== undefined) {
        await this.#keep(box, options.audience)
        isReplaced = true
      }
    } catch (error) {
      this.#app.report(error, `the error box of an event of channel ${name} was not published`)
    }
    this.#app.report(error, isReplaced ? `the error box of an event of channel ${name} was published instead of it` : `an event of channel ${name} was not published`)
  }

  async #wait (before: Promise<unknown> | undefined, record: EventRecord | Promise<EventRecord>): Promise<EventRecord> {
    // Both at once, so that a failing one is never without a listener.
    const [, settled] = await Promise.allSettled([before, record])
    if (settled.status === 'rejected') throw settled.reason
    return settled.value
  }

  #keep (record: EventRecord, audience: unknown): string | Promise<string> {
    // It may have been closed while the value was rendered.
    if (this.#isClosed) throw new FST_CHIRP_CHANNEL_CLOSED(this.name)
    // An empty id would make clients forget their cursor.
    const kept = record.id === '' ? { ...record, id: undefined } : record
    const latest = this.keepsLatest
    const event = this.#app.engine.publish(this.#topic, {
      record: kept,
      audience,
      history: this.#history,
      latest,
      ttl: this.#ttl,
      key: latest ? keyOf({ record, audience }) : undefined,
      removes: record.removes
    })
    return isPromise(event) ? (event as Promise<StoredEvent>).then(event => kept.id ?? event.position) : kept.id ?? (event as StoredEvent).position
  }
}

// A misspelt audience would send to everyone what is for one. What was for some in another channel stays so.
function audienceOf (value: unknown, options: PublishOptions): unknown {
  refuseUnknown('of publish()', options, ['audience'])
  const { audience } = options
  return audience === undefined && isOf(value, Entry) ? value.audience : audience
}

// Values are told apart by the JSON of their audiences.
function checkAudience (audience: unknown): void {
  try {
    JSON.stringify(audience)
  } catch (cause) {
    throw new FST_CHIRP_OPTION(`option "audience" of publish() must be plain data, and JSON refused it (${messageOf(cause)})`, { cause })
  }
}

/** @throws FST_CHIRP_OPTION for a bad name or option. */
export function checkChannel (name: unknown, options: ChannelOptions): void {
  if (typeof name !== 'string' || name === '') throw new FST_CHIRP_OPTION(`a channel needs a name, app.channel('news'), not ${describe(name)}`)
  refuseUnknown('of app.channel()', options, ['history', 'latest', ...KEEPING_OPTIONS])
  const { history, latest } = options
  if (history !== undefined && (!Number.isSafeInteger(history) || history < 0)) {
    throw new FST_CHIRP_OPTION(`channel option "history" must be a whole number of at least 0, not ${describe(history)}`)
  }
  if (latest !== undefined && typeof latest !== 'boolean') throw new FST_CHIRP_OPTION(`channel option "latest" must be true or false, not ${describe(latest)}`)
  if (latest === true && history !== undefined) throw new FST_CHIRP_OPTION('a channel has either "latest" or "history". Omit one of them')
  checkKeeping(options, latest === true)
}
