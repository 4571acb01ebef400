// The topics that this process subscribes to: those with a reader, and for a while those that had one.
import type { Redis } from 'ioredis'
import { Follower, type FollowerHost, type Listener } from './follower.js'
import type { TopicKeys } from './keys.js'
import { toTold } from './wire.js'

// Milliseconds that a subscription is kept after the last reader has left: clients come back.
const LINGER = 5000

// Channels that are subscribed to in one command.
const CHUNK = 500

export interface SubscriptionsHost {
  /** The connection that listens, while there is one. */
  client (): Redis | undefined
  keysOf (topic: string): TopicKeys
  followerHost (topic: string): FollowerHost
}

export class Subscriptions {
  readonly #host: SubscriptionsHost
  readonly #followers = new Map<string, Follower>()
  readonly #channels = new Map<string, Follower>()

  constructor (host: SubscriptionsHost) {
    this.#host = host
  }

  get (topic: string): Follower | undefined {
    return this.#followers.get(topic)
  }

  /** Of the topics that are heard of. */
  followers (): Follower[] {
    return [...this.#followers.values()]
  }

  /** Adds a listener; resolves when it hears everything from then on. */
  async add (topic: string, listener: Listener): Promise<void> {
    let follower = this.#followers.get(topic)
    if (follower === undefined) {
      follower = new Follower(this.#host.followerHost(topic))
      const { channel } = this.#host.keysOf(topic)
      this.#followers.set(topic, follower)
      this.#channels.set(channel, follower)
      follower.subscribing = this.#subscribe([channel])
    }
    clearTimeout(follower.timer)
    follower.listeners.add(listener)
    try {
      await follower.subscribing
    } catch (error) {
      // Redis has refused it.
      this.forget(topic)
      throw error
    }
    await follower.begun
  }

  remove (topic: string, listener: Listener): void {
    const follower = this.#followers.get(topic)
    if (follower?.listeners.delete(listener) !== true || follower.listeners.size > 0) return
    follower.timer = setTimeout(() => this.forget(topic), LINGER).unref()
  }

  forget (topic: string): void {
    const follower = this.#followers.get(topic)
    if (follower === undefined) return
    follower.drop()
    const { channel } = this.#host.keysOf(topic)
    this.#followers.delete(topic)
    this.#channels.delete(channel)
    // One that is lost has no subscriptions any more.
    this.#host.client()?.unsubscribe(channel).catch(() => {})
  }

  /** There is a new connection. */
  async resume (): Promise<void> {
    const channels = [...this.#channels.keys()]
    for (let start = 0; start < channels.length; start += CHUNK) await this.#subscribe(channels.slice(start, start + CHUNK))
  }

  cut (): void {
    for (const follower of this.#followers.values()) follower.cut()
  }

  message (channel: string, message: string): void {
    const told = toTold(message)
    if (told !== undefined) this.#channels.get(channel)?.take(told)
  }

  /** Without a connection it is done when there is one. */
  async #subscribe (channels: readonly string[]): Promise<void> {
    const client = this.#host.client()
    if (client === undefined) return
    try {
      await client.subscribe(...channels)
    } catch (error) {
      if (client === this.#host.client()) throw error
    }
    if (client === this.#host.client()) for (const channel of channels) this.#channels.get(channel)?.resume()
  }

  close (): void {
    for (const follower of this.#followers.values()) follower.drop()
    this.#followers.clear()
    this.#channels.clear()
  }
}
