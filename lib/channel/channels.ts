// The channels of one app, by name.
import { randomUUID } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { EventRecord } from '../dialects/record.js'
import { FST_CHIRP_CHANNEL_CLOSED, FST_CHIRP_ENGINE, FST_CHIRP_ID, FST_CHIRP_OPTION } from '../errors.js'
import { failuresOf, partMessage, type RenderHost } from '../message/compose.js'
import { toErrorRecord, toRecord } from '../message/encode.js'
import { Fragment } from '../message/fragment.js'
import { Fragments } from '../message/fragments.js'
import { toUnrendered } from '../message/unrendered.js'
import { Unpaged } from '../render/printed.js'
import type { PrintedSignals } from '../render/renderer.js'
import type { StreamEnvironment } from '../stream/environment.js'
import { reportFailure } from '../stream/telemetry.js'
import { isOf } from '../util/kind.js'
import { tryLog } from '../util/log.js'
import { whenDone, type MaybePromise } from '../util/promise.js'
import { Channel, type ChannelEnvironment } from './channel.js'
import { Control } from './control.js'
import type { ChannelEngine, Engine } from './engine.js'
import { GivenEngine } from './given.js'
import { MemoryEngine } from './memory.js'
import { CHANNEL_DEFAULTS, checkChannel, type ChannelOptions } from './options.js'
import { Pulse } from './pulse.js'
import { Roster, type RosterHost } from './roster.js'
import { channelTopic, presenceTopic } from './topics.js'

/** A record with the values of now. */
function renewed (record: EventRecord, page: Unpaged | undefined): EventRecord {
  if (page === undefined) return record
  const { data, parts } = record
  return { ...record, data: data && page.renewed(data), parts: parts?.map(part => ({ ...part, data: page.renewed(part.data) })) }
}

export class Channels {
  readonly engine: ChannelEngine
  /** Whether other processes may have the engine too. */
  readonly isShared: boolean
  readonly #channels = new Map<string, { channel: Channel, options: ChannelOptions }>()
  // Those that the app has no name for.
  readonly #own = new Set<Channel>()
  readonly #control: Control | undefined
  readonly #pulse = new Pulse()
  // Names this process where it holds something.
  readonly #owner = randomUUID()
  #isClosed = false
  // What was rendered with values of signals, and may wait until it is published.
  readonly #printed = new WeakMap<EventRecord, Unpaged>()
  readonly #environment: Omit<ChannelEnvironment, 'closed'>

  constructor ({ settings, registry, renderer, warnings }: StreamEnvironment, app: FastifyInstance, engine: Engine | undefined, signals: PrintedSignals) {
    const { debug } = settings
    const report = (error: unknown, message: string): void => {
      // Timers and listeners outlive the app, and that is not a fault.
      if (this.#isClosed && isOf(error, FST_CHIRP_CHANNEL_CLOSED)) {
        tryLog(app.log, 'debug', { err: error }, message)
        return
      }
      for (const failure of failuresOf(error)) {
        registry.counters.errors++
        reportFailure(app.log, failure, message)
      }
    }
    // As the streams of an app that closes, with half a second more.
    this.engine = engine === undefined ? new MemoryEngine() : new GivenEngine(engine, settings.shutdownGrace + 500, report, app.log)
    this.isShared = engine !== undefined
    if (engine !== undefined) {
      this.#control = new Control(this.engine, key => { registry.closeKey(key) }, report)
      registry.counters.reach(this.#control)
    }
    const host: RenderHost = { renderer, debug, partFailed: error => report(error, partMessage(debug)) }
    this.#environment = {
      app,
      engine: this.engine,
      maxBuffer: settings.maxBuffer,
      log: app.log,
      toRecord: (value, isForViewers = false) => {
        warnings?.check(value)
        return (isForViewers ? toUnrendered(value) : undefined) ?? this.#toRecord(value, host, signals)
      },
      renewed: record => renewed(record, this.#printed.get(record)),
      // An event that the engine refused, or did not keep, was rendered all the same.
      errorRecord: (value, error) => debug && !(isOf(error, FST_CHIRP_ID) || isOf(error, FST_CHIRP_ENGINE)) ? toErrorRecord(value, error) : undefined,
      isClosed: () => this.#isClosed,
      isClosing: () => registry.isEnding,
      report
    }
  }

  #toRecord (value: unknown, host: RenderHost, signals: PrintedSignals): MaybePromise<EventRecord> {
    if (!isOf(value, Fragment) && !isOf(value, Fragments)) return toRecord(value, host)
    const page = new Unpaged(signals)
    const { renderer } = host
    const record = toRecord(value, { ...host, renderer: { renderBlock: (template, block, context) => renderer.renderBlock(template, block, context, page) } })
    return whenDone(record, record => {
      if (page.isPrinted) this.#printed.set(record, page)
      return record
    })
  }

  get (name: string, options: ChannelOptions = {}): Channel {
    checkChannel(name, options)
    const known = this.#channels.get(name)
    if (known === undefined) {
      const channel = new Channel(name, options, { ...this.#environment, roster: this.opener(presenceTopic(name)), topic: this.engine.open(channelTopic(name), options.viewer === true), closed: () => { this.#channels.delete(name) } })
      if (this.#isClosed) channel.close()
      else this.#channels.set(name, { channel, options: { ...options } })
      return channel
    }
    for (const option of Object.keys(options) as Array<keyof ChannelOptions>) {
      if (options[option] !== undefined && options[option] !== (known.options[option] ?? (CHANNEL_DEFAULTS as ChannelOptions)[option])) {
        throw new FST_CHIRP_OPTION(`channel "${name}" was made with another "${option}" before. Give its options in one place, and its name alone elsewhere`)
      }
    }
    return known.channel
  }

  /** @throws FST_CHIRP_ENGINE when the engine cannot start. */
  async start (): Promise<void> {
    await this.engine.start?.()
  }

  /**
   * A channel of our own. `name` is for messages; `recordOf` knows the values that apps do not publish. What is for
   * this process alone has an engine of its own.
   */
  own (name: string, topic: string, options: ChannelOptions, recordOf: (value: unknown) => EventRecord | undefined, engine = this.engine): Channel {
    const channel: Channel = new Channel(name, options, {
      ...this.#environment,
      engine,
      topic: engine.open(topic),
      toRecord: value => recordOf(value) ?? this.#environment.toRecord(value),
      closed: () => { this.#own.delete(channel) }
    })
    this.#own.add(channel)
    return channel
  }

  /** What processes hold in a topic; undefined where the engine knows of no such thing. */
  opener<T> (topic: string): ((changed: RosterHost<T>['changed']) => Roster<T>) | undefined {
    const { engine, report } = this.#environment
    if (engine.holdings === undefined) return undefined
    return changed => new Roster<T>({ engine, topic, owner: this.#owner, pulse: this.#pulse, changed, report })
  }

  /** Logs and counts an error. */
  report (error: unknown, message: string): void {
    this.#environment.report(error, message)
  }

  /** Ends all of them; the streams have had their last frame by then. */
  async close (): Promise<void> {
    this.#isClosed = true
    for (const { channel } of [...this.#channels.values()]) channel.close()
    for (const channel of [...this.#own]) channel.close()
    this.#control?.close()
    await this.engine.close()
  }
}
