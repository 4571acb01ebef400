// A connection to Redis that comes back: each attempt is a client of its own, so that nothing that one of them had in
// flight is sent again by the next.
import type { Cluster, Redis } from 'ioredis'
import { isError } from '../util/thrown.js'

export interface LinkHost<Client> {
  /** Makes a client that does not reconnect, and connects when asked. It may throw. */
  create (): Client
  /** Makes a connection ready to use; what fails here is the end of it. */
  prepare? (client: Client): Promise<unknown>
  /** There is a client. */
  up (): void
  down (error: Error): void
  /** Milliseconds that an attempt may take. */
  timeout: number
}

const MAX_DELAY = 1000

export class Link<Client extends Redis | Cluster = Redis | Cluster> {
  /** The client of now, once it can be used. */
  client: Client | undefined
  /** The error of the last attempt. */
  error = new Error('there is no connection yet')
  readonly #host: LinkHost<Client>
  // The client that is used, or tried.
  #current: Client | undefined
  #timer: NodeJS.Timeout | undefined
  #failures = 0

  constructor (host: LinkHost<Client>) {
    this.#host = host
  }

  /** Tries until it is closed. */
  open (): void {
    let client: Client
    try {
      client = this.#current = this.#host.create()
    } catch (error) {
      this.#failed(error)
      return
    }
    const failed = (error: unknown): void => { if (client === this.#current) this.#failed(error) }
    // Its messages say more than "Connection is closed".
    client.on('error', (error: Error) => { if (client === this.#current) this.error = error })
    client.once('end', () => failed(this.error))
    client.once('ready', () => { this.#ready(client).catch(failed) })
    client.connect().catch(failed)
    this.#timer = setTimeout(() => failed(new Error(`it did not answer within ${this.#host.timeout} ms`)), this.#host.timeout)
  }

  /** Gives the connection up, and makes another one. */
  restart (error: Error): void {
    if (this.client !== undefined) this.#failed(error)
  }

  close (): void {
    this.#drop()
  }

  async #ready (client: Client): Promise<void> {
    await this.#host.prepare?.(client)
    if (client !== this.#current) return
    clearTimeout(this.#timer)
    this.#failures = 0
    this.error = new Error('the connection was closed')
    this.client = client
    this.#host.up()
  }

  #failed (error: unknown): void {
    this.error = isError(error) ? error : new Error(String(error))
    this.#drop()
    const delay = Math.min(MAX_DELAY, 20 * 2 ** this.#failures++)
    this.#timer = setTimeout(() => this.open(), delay * (0.5 + Math.random() / 2))
    this.#host.down(this.error)
  }

  #drop (): void {
    clearTimeout(this.#timer)
    const client = this.#current
    this.client = this.#current = undefined
    client?.disconnect()
  }
}
