// A named sequence of events with many readers. A value is rendered when it
// is published and encoded once, for any number of readers.
import type { FastifyBaseLogger } from 'fastify'
import type { EventRecord } from '../dialects/record.js'
import { FST_CHIRP_CHANNEL_CLOSED, FST_CHIRP_OPTION } from '../errors.js'
import { keyOf } from '../message/entry.js'
import { kAttach, type Attachment, type Feed, type Location, type Outlet } from '../stream/feed.js'
import { describe } from '../util/describe.js'
import { refuseUnknown } from '../util/options.js'
import { isPromise, type MaybePromise } from '../util/promise.js'
import { audienceOf, checkAudience, type AudienceFilter } from './audience.js'
import type { ChannelEngine, StoredEvent } from './engine.js'
import { Hub } from './hub.js'
import { muteLate } from './late.js'
import { CHANNEL_DEFAULTS, type ChannelOptions } from './options.js'
import { Presence, type PresenceHost, type PresenceOptions } from './presence.js'
import { Producer } from './producer.js'
import { DirectSink } from './sink.js'
import { Subscription, type SubscribeOptions } from './subscription.js'
import type { Following, ReaderTarget } from './target.js'
import { isPublishTraced, tracePublish, type ChannelAbout, type PublishMessage } from './telemetry.js'
import { ViewerTarget } from './viewer-target.js'
import { Views } from './views.js'

/** Options of {@link Channel.publish}. */
export interface PublishOptions<Audience = unknown> {
  /**
   * The readers that the event is for, as anything that the filters of
   * {@link Channel.subscribe} understand. Streams without a filter do not get
   * it. Default: that of an event that another channel gave, else none, it is
   * for everyone.
   */
  audience?: Audience | undefined
}

/** Options of {@link Channel.remove}. */
export interface RemoveOptions<Audience = unknown> {
  /** The audience that the value was published with. Default: everyone. */
  audience?: Audience | undefined
}

/** The parts of the app that a channel needs. */
export interface ChannelEnvironment {
  /** For diagnostics. Default: none. */
  app?: object
  engine: ChannelEngine
  /** The name of the channel in the engine. Default: its name. */
  topic?: string
  maxBuffer: number
  log: FastifyBaseLogger
  /** With `isForViewers` fragments stay unrendered. */
  toRecord (value: unknown, isForViewers?: boolean): EventRecord | Promise<EventRecord>
  /** A record with the values that signals have now, where it shows some. */
  renewed? (record: EventRecord): EventRecord
  /** In debug, what takes the place of a fragment that could not be rendered. */
  errorRecord (value: unknown, error: unknown): EventRecord | undefined
  /** The channel has been closed, and its name is free. */
  closed? (): void
  /** Whether the app is closed. */
  isClosed? (): boolean
  /** Whether the app ends its streams. */
  isClosing? (): boolean
  /** Opens what all processes know of its members; undefined where there is one process. */
  roster?: PresenceHost['open']
  /** Logs and counts an error. */
  report (error: unknown, message: string): void
}

/**
 * A named sequence of events. `Audience` is what `publish()` and filters name readers
 * by, `Event` is what can be published.
 */
export class Channel<Audience = unknown, Event = unknown> implements Feed {
  /** The name that it was made with. */
  readonly name: string
  readonly #app: ChannelEnvironment
  readonly #about: ChannelAbout
  readonly #topic: string
  readonly #history: number
  readonly #ttl: number | undefined
  readonly #hub: Hub
  readonly #views: Views | undefined
  #presence: Presence | undefined
  // The publication before, while it still renders: order is that of the calls.
  #before: Promise<unknown> | undefined
  #isClosed = false
  // The errors of publications.
  readonly #told = new WeakSet<object>()

  /** Made by `app.channel()`. @internal */
  constructor (name: string, options: ChannelOptions, app: ChannelEnvironment) {
    const { history = CHANNEL_DEFAULTS.history, latest = CHANNEL_DEFAULTS.latest, viewer = CHANNEL_DEFAULTS.viewer, ttl, every, source, linger = CHANNEL_DEFAULTS.linger } = options
    this.name = name
    this.#app = app
    this.#about = { app: app.app, channel: name }
    this.#topic = app.topic ?? name
    this.#history = latest ? 0 : history
    this.#ttl = ttl
    const owner = `channel ${JSON.stringify(name)}`
    const producer = source && new Producer({ owner, source, linger, log: app.log, publish: value => this.publish(value as Event), report: app.report.bind(app) })
    const notLoaded = (error: unknown): void => app.report(error, `the values of ${owner} from before are not known`)
    this.#hub = new Hub(this.#topic, app.engine, { about: this.#about, latest, ttl, every, producer, notLoaded })
    this.#views = viewer ? new Views({ ...app, name, keepsLatest: latest }) : undefined
  }

  /** Number of its streams and other readers in this process. */
  get size (): number {
    return this.#hub.size
  }

  /** Bytes that may wait for a consumer that iterates. @internal */
  get maxBuffer (): number {
    return this.#app.maxBuffer
  }

  /**
   * Sends a value to every subscribed stream, and keeps it for clients that come
   * back. Resolves to its id. It need not be awaited: a failure is logged. A
   * promise that you derive from it is yours to catch.
   *
   * @throws FST_CHIRP_* (as a rejection) when the value cannot be sent.
   * @throws FST_CHIRP_CHANNEL_CLOSED (as a rejection) when the channel is closed.
   */
  publish (value: Event, options: PublishOptions<Audience> = {}): Promise<string> {
    const published = isPublishTraced() ? tracePublish(this.#about, value, mark => this.#publish(value, options, mark)) : this.#publish(value, options)
    // A caller that does not await it must not bring the process down.
    published.catch(error => this.#failed(error, value, options))
    // It is settled, or waits for a render, which may take longer than the app lives.
    return this.#isClosed || this.#before !== undefined ? muteLate(published, () => this.#app.isClosed?.() === true) : published
  }

  /**
   * Takes a value out of a channel with `latest`: a stream that opens later does not get it, and open streams
   * keep it. `name` is the event name of the value, or its target. It need not be awaited, as
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

  /**
   * Subscribes to the channel: for `reply.eventStream()`, or to iterate. Gives events
   * after `lastEventId` first, if there is one.
   */
  subscribe (options: SubscribeOptions<Audience> = {}): Subscription {
    return new Subscription(this as unknown as Channel, options as SubscribeOptions)
  }

  /**
   * The members that are present. The same object at every call; `Info` is what `join()` takes of each member.
   *
   * @throws FST_CHIRP_OPTION for a bad option, and for options that differ from those of the first call.
   */
  presence<Info = unknown> (options: PresenceOptions = {}): Presence<Info> {
    if (this.#presence === undefined) {
      this.#presence = new Presence(options, {
        open: this.#isClosed ? undefined : this.#app.roster,
        isClosing: () => this.#app.isClosing?.() === true,
        // The rejection of publish() has been logged already.
        failed: (error, event) => this.#told.has(error as object) || this.#app.report(error, `a "${event}" listener of the presence of channel ${JSON.stringify(this.name)} failed`)
      })
      if (this.#isClosed) this.#presence.close()
    } else {
      this.#presence.expect(this.name, options)
    }
    return this.#presence as Presence<unknown> as Presence<Info>
  }

  /** The position of its newest event, after which a stream can go on; `''` when it is closed or `latest`. Rejects with FST_CHIRP_ENGINE. */
  async cursor (): Promise<string> {
    return this.keepsLatest ? '' : (await this.locate('')).last
  }

  /** Ends every subscribed stream, and takes no more events. */
  close (): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#presence?.close()
    this.#hub.close()
    this.#app.closed?.()
  }

  /** A promise that lasts until the values from before are known; never rejects. @internal */
  loaded (): Promise<void> | undefined {
    return this.#hub.latest?.ready()
  }

  /** @internal */
  get keepsLatest (): boolean {
    return this.#hub.latest !== undefined
  }

  /** @internal */
  get hasViewers (): boolean {
    return this.#views !== undefined
  }

  /** @internal */
  locate (cursor: string, filter?: AudienceFilter): MaybePromise<Location> {
    return this.#hub.locate(cursor, filter)
  }

  [kAttach] (outlet: Outlet, lastEventId: string): Attachment {
    return this.attach(new DirectSink(outlet), lastEventId)
  }

  /** @internal */
  attach (target: ReaderTarget, lastEventId: string, filter?: AudienceFilter, viewer?: string): Following {
    const attach = (target: ReaderTarget): Following => this.#hub.attach(target, lastEventId, filter)
    return this.#views === undefined ? attach(target) : new ViewerTarget(target, this.#views, viewer, attach)
  }

  async #publish (value: unknown, options: PublishOptions, mark?: PublishMessage): Promise<string> {
    if (this.#isClosed) throw new FST_CHIRP_CHANNEL_CLOSED(this.name)
    const audience = audienceOf(value, options)
    if (audience !== undefined && this.#hub.latest !== undefined) checkAudience(audience)
    return await this.#inTurn(this.#app.toRecord(value, this.hasViewers), audience, mark)
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

  async #inTurn (record: MaybePromise<EventRecord>, audience: unknown, mark?: PublishMessage): Promise<string> {
    if (this.#before === undefined && !isPromise(record)) return await this.#keep(record as EventRecord, audience, mark)
    const turn = this.#wait(this.#before, record).then(record => this.#keep(record, audience, mark))
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

  #keep (record: EventRecord, audience: unknown, mark?: PublishMessage): string | Promise<string> {
    // It may have been closed while the value was rendered.
    if (this.#isClosed) throw new FST_CHIRP_CHANNEL_CLOSED(this.name)
    // An empty id would make clients forget their cursor.
    const newest = this.#app.renewed?.(record) ?? record
    const withId = newest.id === '' ? { ...newest, id: undefined } : newest
    const kept = mark === undefined ? withId : { ...withId, published: mark.published, traceparent: mark.traceparent }
    const latest = this.keepsLatest
    const event = this.#app.engine.publish(this.#topic, {
      record: kept,
      audience,
      // The end of a job takes no event's place.
      history: this.#history + (record.end === undefined ? 0 : 1),
      latest,
      ttl: this.#ttl,
      key: latest ? keyOf({ record, audience }) : undefined,
      removes: record.removes
    })
    return isPromise(event) ? (event as Promise<StoredEvent>).then(event => kept.id ?? event.position) : kept.id ?? (event as StoredEvent).position
  }
}
