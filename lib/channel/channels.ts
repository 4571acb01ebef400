// The channels of one app, by name.
import type { FastifyInstance } from 'fastify'
import { FST_CHIRP_CHANNEL_CLOSED, FST_CHIRP_ENGINE, FST_CHIRP_ID, FST_CHIRP_OPTION } from '../errors.js'
import { failuresOf, partMessage, type RenderHost } from '../message/compose.js'
import { toErrorRecord, toRecord } from '../message/encode.js'
import type { StreamEnvironment } from '../stream/environment.js'
import { reportFailure } from '../stream/telemetry.js'
import { isOf } from '../util/kind.js'
import { tryLog } from '../util/log.js'
import { Channel, CHANNEL_DEFAULTS, checkChannel, type ChannelEnvironment, type ChannelOptions } from './channel.js'
import type { ChannelEngine, Engine } from './engine.js'
import { GivenEngine } from './given.js'
import { MemoryEngine } from './memory.js'

export class Channels {
  readonly #engine: ChannelEngine
  readonly #channels = new Map<string, { channel: Channel, options: ChannelOptions }>()
  #isClosed = false
  readonly #environment: Omit<ChannelEnvironment, 'closed'>

  constructor ({ settings, registry, renderer, warnings }: StreamEnvironment, app: FastifyInstance, engine: Engine | undefined) {
    const { debug } = settings
    const report = (error: unknown, message: string): void => {
      // Timers and listeners outlive the app, and that is no fault.
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
    this.#engine = engine === undefined ? new MemoryEngine() : new GivenEngine(engine, settings.shutdownGrace + 500, report, app.log)
    const host: RenderHost = { renderer, debug, partFailed: error => report(error, partMessage(debug)) }
    this.#environment = {
      engine: this.#engine,
      maxBuffer: settings.maxBuffer,
      log: app.log,
      toRecord (value) {
        warnings?.check(value)
        return toRecord(value, host)
      },
      // An event that the engine refused, or did not keep, was rendered all the same.
      errorRecord: (value, error) => debug && !(isOf(error, FST_CHIRP_ID) || isOf(error, FST_CHIRP_ENGINE)) ? toErrorRecord(value, error) : undefined,
      isClosed: () => this.#isClosed,
      report
    }
  }

  get (name: string, options: ChannelOptions = {}): Channel {
    checkChannel(name, options)
    const known = this.#channels.get(name)
    if (known === undefined) {
      const channel = new Channel(name, options, { ...this.#environment, topic: this.#engine.open(name), closed: () => { this.#channels.delete(name) } })
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
    await this.#engine.start?.()
  }

  /** Ends all of them; the streams have had their last frame by then. */
  async close (): Promise<void> {
    this.#isClosed = true
    for (const { channel } of [...this.#channels.values()]) channel.close()
    await this.#engine.close()
  }
}
