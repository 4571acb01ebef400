// The two connections of an engine, and whether Redis answers: a bell that is rung through the one must be heard
// through the other, or a server that is frozen, or no longer the same for both, would go unnoticed.
import { randomBytes } from 'node:crypto'
import type { Cluster, Redis } from 'ioredis'
import type { Clients } from './clients.js'
import { Link } from './link.js'
import type { RedisSettings } from './options.js'

export interface ConnectionHost {
  /** Publications can be sent. */
  commandsUp (): void
  /** Both connections can be used. */
  ready (): void
  /** One of them is lost. */
  lost (error: Error): void
  /** There is a new connection that listens to nothing yet. */
  subscriberUp (): void
  /** Events from now on are missed. */
  subscriberDown (): void
  message (channel: string, message: string): void
}

export class Connection {
  readonly commands: Link
  readonly subscriber: Link<Redis>
  readonly #host: ConnectionHost
  readonly #bell: string
  readonly #timeout: number
  #isReady = false
  #isOpen = false
  #isListening = false
  #isClosed = false
  // The numbers of the last ring, and of the last one that was heard.
  #rings = 0
  #heard = 0
  #timer: NodeJS.Timeout | undefined
  #hasFailed = false
  readonly #waiting = new Set<() => void>()

  constructor (clients: Clients, { prefix, commandTimeout, connectTimeout }: RedisSettings, host: ConnectionHost) {
    this.#host = host
    this.#timeout = commandTimeout
    this.#bell = `${clients.keyPrefix}${prefix}bell:${randomBytes(9).toString('base64url')}`
    this.commands = new Link<Redis | Cluster>({
      create: clients.commands,
      up: () => {
        // It may need to know the nodes of a cluster first.
        if (!this.#isListening) this.subscriber.open()
        this.#isListening = true
        host.commandsUp()
        this.#update()
      },
      down: error => this.#lost(error),
      timeout: connectTimeout
    })
    this.subscriber = new Link({
      create: () => clients.subscriber(this.commands.client),
      prepare: client => {
        client.on('message', (channel: string, message: string) => this.#message(channel, message))
        return client.subscribe(this.#bell)
      },
      up: () => {
        this.#heard = this.#rings
        host.subscriberUp()
        this.#update()
      },
      down: error => {
        host.subscriberDown()
        this.#lost(error)
      },
      timeout: connectTimeout
    })
  }

  /** Whether Redis answered lately. */
  get isReady (): boolean {
    return this.#isReady
  }

  /** Connects, and stays so until it is closed. */
  open (): void {
    if (this.#isOpen || this.#isClosed) return
    this.#isOpen = true
    this.commands.open()
    this.#timer = setInterval(() => this.#ring(), Math.ceil(this.#timeout / 2)).unref()
  }

  /** Opens it, and waits at most `timeout` ms until it can be used in whole, or for commands. @throws the error of now. */
  async whenOpen (what: 'both' | 'commands', timeout: number): Promise<void> {
    this.open()
    const isOpen = (): boolean => what === 'both' ? this.#isReady : this.commands.client !== undefined
    if (!isOpen() && !this.#isClosed) {
      await new Promise<void>(resolve => {
        const look = (): void => { if (this.#isClosed || isOpen()) done() }
        const done = (): void => {
          clearTimeout(timer)
          this.#waiting.delete(look)
          resolve()
        }
        const timer = setTimeout(done, timeout)
        this.#waiting.add(look)
      })
    }
    if (!isOpen()) throw this.error
  }

  /** Why it cannot be used. */
  get error (): Error {
    return this.#isClosed ? new Error('the engine is closed') : this.commands.client === undefined ? this.commands.error : this.subscriber.error
  }

  /** The same, once an attempt has failed. */
  get failure (): Error | undefined {
    return this.#hasFailed || this.#isClosed ? this.error : undefined
  }

  close (): void {
    this.#isClosed = true
    this.#isReady = false
    clearInterval(this.#timer)
    this.commands.close()
    this.subscriber.close()
    this.#look()
  }

  #update (): void {
    if (this.commands.client !== undefined && this.subscriber.client !== undefined) {
      this.#isReady = true
      this.#host.ready()
    }
    this.#look()
  }

  #look (): void {
    for (const look of [...this.#waiting]) look()
  }

  #lost (error: Error): void {
    this.#isReady = false
    this.#hasFailed = true
    this.#host.lost(error)
  }

  #message (channel: string, message: string): void {
    if (channel === this.#bell) this.#heard = Number(message)
    else this.#host.message(channel, message)
  }

  #ring (): void {
    if (!this.#isReady) return
    const ring = ++this.#rings
    this.commands.client!.publish(this.#bell, String(ring)).catch(error => this.commands.restart(error))
    // Data that arrived while this process was busy is read before the immediate.
    setTimeout(() => setImmediate(() => {
      if (this.#heard < ring) this.subscriber.restart(new Error(`it did not answer within ${this.#timeout} ms`))
    }), this.#timeout).unref()
  }
}
