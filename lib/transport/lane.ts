// Connections that all get the same bytes, and have nothing else to do. A delivery touches the response and the socket
// of each and no object of ours: what they have in common is counted once, and one that has something of its own leaves.
import type { SharedBytes } from '../sse/frame.js'
import type { Connection, ConnectionApp } from './connection.js'
import type { Company } from './counted.js'
import type { Destination, Drainable } from './destination.js'
import { isPlain } from './private.js'

/** A connection whose socket holds bytes back. */
export interface Full {
  connection: Connection
  socket: Drainable
}

/** @template User the user of a connection. */
export class Lane<User> implements Company {
  readonly app: ConnectionApp
  events = 0
  bytes = 0
  written = 0
  // Dense lists with the same places.
  readonly #dests: Destination[] = []
  readonly #connections: Connection[] = []
  readonly #users: User[] = []
  readonly #left: (user: User) => void

  /** @param left hears of each that has left by itself. */
  constructor (app: ConnectionApp, left: (user: User) => void) {
    this.app = app
    this.#left = left
  }

  get size (): number {
    return this.#users.length
  }

  get connections (): readonly Connection[] {
    return this.#connections
  }

  add (user: User, connection: Connection): void {
    connection.join(this, this.#users.push(user) - 1)
    this.#connections.push(connection)
    this.#dests.push(connection.dest)
  }

  /** Gives its user. */
  remove (connection: Connection): User {
    const { place } = connection
    const user = this.#users[place]!
    connection.part()
    const last = this.#connections.pop()!
    const lastUser = this.#users.pop()!
    const lastDest = this.#dests.pop()!
    if (last !== connection) {
      this.#connections[place] = last
      this.#users[place] = lastUser
      this.#dests[place] = lastDest
      last.place = place
    }
    return user
  }

  leave (connection: Connection): void {
    this.#left(this.remove(connection))
  }

  /** Writes to all that can take it; the others leave. Gives those that are to wait for the client now. */
  write ({ chunk, size }: SharedBytes, events: number): Full[] {
    const { app } = this
    const refused: Connection[] = []
    const full: Full[] = []
    // Copies, because a socket may have a write() of the app, which may do anything.
    const dests = [...this.#dests]
    const connections = [...this.#connections]
    for (let place = 0; place < dests.length; place++) {
      const dest = dests[place]!
      if (dest.destroyed === true || dest.writableEnded || !isPlain(dest)) {
        refused.push(connections[place]!)
        continue
      }
      const socket = dest.socket!
      if (!socket.write(chunk) && socket.writableLength > 0) full.push({ connection: connections[place]!, socket })
    }
    for (const connection of refused) if (connection.company === this) this.leave(connection)
    const count = dests.length - refused.length
    this.events += events
    this.bytes += size
    this.written = app.clock.now
    app.counters.events += events * count
    app.counters.bytes += size * count
    return full
  }
}
