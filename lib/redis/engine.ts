// The engine whose topics live in Redis, for channels of several processes.
import { setTimeout as wait } from 'node:timers/promises'
import type { Beat, Engine, EngineStatus, Holding, Page, Publication, StoredEvent } from '../channel/engine.js'
import { FST_CHIRP_ENGINE } from '../errors.js'
import { within } from '../util/promise.js'
import { messageOf } from '../util/thrown.js'
import { clientsOf } from './clients.js'
import { Connection } from './connection.js'
import type { RedisPage } from './follower.js'
import { redisSettings, type RedisEngineOptions, type RedisSettings } from './options.js'
import { OfflineQueue } from './queue.js'
import type { ScriptClient } from './runner.js'
import { Store } from './store.js'
import { Subscriptions } from './subscriptions.js'
import { Tails } from './tail.js'

// Bytes of events that are kept here for clients that come back.
const TAIL_BYTES = 32 * 1024 * 1024

// Milliseconds, at most, before a failure is tried again.
const MAX_PAUSE = 5000

// The error of ioredis for a command that it did not send.
const UNSENT = /enableOfflineQueue options is false/

/** The engine over Redis, made by `redisEngine()`. */
export class RedisEngine implements Engine {
  readonly #settings: RedisSettings
  readonly #address: string
  readonly #connection: Connection
  readonly #store: Store
  readonly #subscriptions: Subscriptions
  readonly #queue: OfflineQueue
  readonly #statuses = new Set<EngineStatus>()
  readonly #timer: NodeJS.Timeout | undefined
  #isClosed = false

  /** @throws FST_CHIRP_OPTION for an unknown option or a value that it cannot take. */
  constructor (options: RedisEngineOptions) {
    const settings = this.#settings = redisSettings(options)
    const clients = clientsOf(settings)
    this.#address = clients.address
    this.#connection = new Connection(clients, settings, {
      commandsUp: () => this.#queue.flush(),
      ready: () => { for (const status of this.#statuses) status.works() },
      lost: error => {
        const unreachable = this.#unreachable(error)
        if (this.#connection.commands.client === undefined) this.#queue.trim(unreachable)
        for (const status of this.#statuses) status.failed(unreachable)
      },
      subscriberUp: () => { this.#subscriptions.resume().catch(error => this.#connection.subscriber.restart(error)) },
      subscriberDown: () => this.#subscriptions.cut(),
      message: (channel, message) => this.#subscriptions.message(channel, message)
    })
    this.#store = new Store(settings, { ...clients, client: () => this.#client() })
    const tails = new Tails(TAIL_BYTES)
    this.#subscriptions = new Subscriptions({
      client: () => this.#connection.subscriber.client,
      keysOf: topic => this.#store.keysOf(topic),
      followerHost: topic => ({
        tails,
        read: (after, limit) => this.#read(topic, after, limit),
        pause: attempt => this.#pause(attempt)
      })
    })
    this.#queue = new OfflineQueue(settings.offlineQueue)
    if (settings.idle > 0) this.#timer = setInterval(() => { this.#keep().catch(() => {}) }, Math.min(settings.idle / 4, 2 ** 30)).unref()
  }

  /** Whether Redis answers: publications are kept, and events from other processes arrive. */
  get ready (): boolean {
    return this.#connection.isReady
  }

  /** @throws FST_CHIRP_ENGINE when Redis is not there after `connectTimeout`, unless the engine is `lazy`. */
  async start (status: EngineStatus): Promise<void> {
    const { lazy, connectTimeout } = this.#settings
    if (lazy) {
      this.#statuses.add(status)
      return this.#connection.open()
    }
    try {
      await this.#connection.whenOpen('both', connectTimeout)
    } catch (error) {
      // The app does not start, and no other code would close them.
      if (this.#statuses.size === 0) this.close()
      throw new FST_CHIRP_ENGINE('start()', messageOf(this.#unreachable(error as Error)), { cause: error })
    }
    this.#statuses.add(status)
  }

  async publish (topic: string, publication: Publication): Promise<StoredEvent> {
    const body = this.#store.bodyOf(publication)
    const send = (): Promise<StoredEvent> => this.#store.publish(topic, body, publication)
    this.#connection.open()
    const event = await (this.#connection.commands.client === undefined ? this.#queue.push(send, this.#connection.failure && this.#unreachable(this.#connection.failure)) : this.#sendOrWait(send))
    this.#subscriptions.get(topic)?.published(event.position)
    return event
  }

  // A connection that closes refuses commands before it says so, and has not sent them.
  async #sendOrWait (send: () => Promise<StoredEvent>): Promise<StoredEvent> {
    try {
      return await send()
    } catch (error) {
      if (!UNSENT.test((error as Error).message)) throw error
      return await this.#queue.push(send, this.#unreachable(error as Error))
    }
  }

  async hold (topic: string, holding: Holding): Promise<StoredEvent> {
    await this.#whenConnected()
    return await this.#store.hold(topic, this.#store.bodyOf({ record: holding.record, audience: undefined }), holding)
  }

  async beat (topic: string, silence: number, owner?: string): Promise<Beat> {
    await this.#whenConnected()
    return await this.#store.beat(topic, silence, owner)
  }

  async evict (topic: string, silence: number, owner: string, record: StoredEvent['record']): Promise<StoredEvent | undefined> {
    await this.#whenConnected()
    return await this.#store.evict(topic, silence, owner, record)
  }

  async read (topic: string, after: string, limit: number): Promise<Page> {
    const follower = this.#subscriptions.get(topic)
    if (follower !== undefined) return await follower.read(after, limit)
    const { history, ttl, sizes, ...page } = await this.#read(topic, after, limit)
    return page
  }

  async listen (topic: string, listener: (event: StoredEvent) => void, lost?: (from: string, to: string) => void): Promise<() => void> {
    const listening = { hear: listener, lost }
    this.#connection.open()
    const added = this.#subscriptions.add(topic, listening)
    try {
      await within(this.#settings.commandTimeout, added, () => this.#unreachable(this.#connection.error))
    } catch (error) {
      this.#subscriptions.remove(topic, listening)
      throw error
    }
    return () => this.#subscriptions.remove(topic, listening)
  }

  async latest (topic: string): Promise<StoredEvent[]> {
    await this.#whenConnected()
    const { events, last } = await this.#store.latest(topic)
    await this.#subscriptions.get(topic)?.reached(last)
    return events
  }

  forget (topic: string): void {
    this.#subscriptions.forget(topic)
  }

  close (): void {
    this.#isClosed = true
    clearInterval(this.#timer)
    this.#subscriptions.close()
    this.#connection.close()
    this.#queue.refuse(this.#connection.error)
  }

  #client (): ScriptClient {
    const { client } = this.#connection.commands
    if (client === undefined) throw this.#unreachable(this.#connection.error)
    return client
  }

  async #whenConnected (): Promise<void> {
    if (this.#connection.commands.client === undefined) await this.#connection.whenOpen('commands', this.#settings.commandTimeout)
  }

  async #read (topic: string, after: string, limit: number): Promise<RedisPage> {
    await this.#whenConnected()
    return await this.#store.read(topic, after, limit)
  }

  async #pause (attempt: number): Promise<boolean> {
    if (this.#connection.commands.client === undefined) await this.#connection.whenOpen('commands', MAX_PAUSE).catch(() => {})
    else await wait(Math.min(MAX_PAUSE, 50 * 2 ** attempt), undefined, { ref: false })
    return !this.#isClosed
  }

  /** Topics that are followed are not forgotten, and one that Redis has lost is noticed. */
  async #keep (): Promise<void> {
    for (const follower of this.#subscriptions.followers()) await follower.catchUp()
  }

  #unreachable (error: Error): Error {
    return new Error(`Redis (${this.#address}) is out of reach: ${messageOf(error)}`, { cause: error })
  }
}
