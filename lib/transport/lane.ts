// Connections that all get the same bytes, and have nothing else to do. A delivery touches the response and the socket
// of each and no object of ours: what they have in common is counted once, and one that has something of its own leaves.
import type { SharedBytes } from '../sse/frame.js'
import type { Connection, ConnectionApp } from './connection.js'
import type { Company } from './counted.js'
import { writeChunk, type Destination, type Drainable } from './destination.js'
import { isPlain } from './private.js'

/** A connection whose socket holds bytes back; undefined where it has left meanwhile. */
export interface Full {
  connection: Connection | undefined
  socket: Drainable
}

/** The user of a connection. */
export interface User { connection: Connection | undefined }

/** What is to be done after a write. */
export interface Outcome<U> {
  /** Those that are to wait for the client now. */
  full: Full[]
  /** Those that are to be ended, each with the error that a write() of the app threw. They have left. */
  failed: Map<U, unknown>
}

export class Lane<U extends User> implements Company {
  readonly app: ConnectionApp
  events = 0
  bytes = 0
  written = 0
  // Dense lists with the same places.
  readonly #dests: Destination[] = []
  readonly #users: U[] = []
  readonly #left: (user: U) => void

  /** @param left hears of each that has left by itself. */
  constructor (app: ConnectionApp, left: (user: U) => void) {
    this.app = app
    this.#left = left
  }

  get size (): number {
    return this.#users.length
  }

  get users (): readonly U[] {
    return this.#users
  }

  add (user: U, connection: Connection): void {
    user.connection = connection
    connection.join(this, this.#users.push(user) - 1)
    this.#dests.push(connection.dest)
  }

  leave (connection: Connection): void {
    const { place } = connection
    const user = this.#users[place]!
    const last = this.#users.pop()!
    const lastDest = this.#dests.pop()!
    if (last !== user) {
      this.#users[place] = last
      this.#dests[place] = lastDest
      last.connection!.place = place
    }
    connection.part()
    user.connection = undefined
    this.#left(user)
  }

  /** Writes to all that can take it; the others leave. */
  write ({ chunk, size }: SharedBytes, events: number): Outcome<U> {
    const { app } = this
    const refused: U[] = []
    const full: Full[] = []
    const failed = new Map<U, unknown>()
    // Copies, because a socket may have a write() of the app, which may do anything.
    const dests = [...this.#dests]
    const users = [...this.#users]
    for (let place = 0; place < dests.length; place++) {
      const dest = dests[place]!
      if (dest.destroyed === true || dest.writableEnded || !isPlain(dest)) {
        refused.push(users[place]!)
        continue
      }
      const socket = dest.socket!
      try {
        if (writeChunk(socket, chunk)) full.push({ connection: users[place]!.connection, socket })
      } catch (error) {
        failed.set(users[place]!, error)
      }
    }
    for (const { connection } of [...refused, ...failed.keys()]) if (connection?.company === this) this.leave(connection)
    const count = dests.length - refused.length - failed.size
    this.events += events
    this.bytes += size
    this.written = app.clock.now
    app.counters.events += events * count
    app.counters.bytes += size * count
    return { full, failed }
  }
}
