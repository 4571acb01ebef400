// One client's connection: frames go straight to the response, and what does
// not go out in time ends it. Knows nothing of sources or values.
import type { Socket } from 'node:net'
import { HEARTBEAT } from '../sse/frame.js'
import { Clock, type Sleeper } from './clock.js'

// Listeners find their connection on the response itself, so that no closure
// is made for each one.
const kConnection = Symbol('fastify-chirp.connection')

/** Where frames are written: a response of HTTP/1.1 or HTTP/2, or a transform that a hook put before it. */
export interface Destination {
  write (text: string): boolean
  end (): unknown
  destroy (): unknown
  on (event: 'drain', listener: (this: Destination) => void): unknown
  removeListener (event: 'drain', listener: (this: Destination) => void): unknown
  /** Unknown on HTTP/2. */
  readonly destroyed?: boolean
  readonly writableEnded: boolean
  readonly writableLength: number
  /** The socket of an HTTP/1.1 response. */
  readonly socket?: Socket | null
  /** The stream of an HTTP/2 response. */
  readonly stream?: { readonly destroyed: boolean, readonly session?: { destroy (): void } | undefined }
  /** Compressors have one. */
  flush?: () => void
  [kConnection]?: Connection | undefined
}

/** Times in milliseconds, 0 is off. */
export interface ConnectionLimits {
  maxBuffer: number
  writeTimeout: number
  heartbeat: number
  maxAge: number
}

/** What the connections of an app share. */
export interface ConnectionApp {
  clock: Clock
  counters: { bytes: number }
}

export interface ConnectionOwner {
  /** The connection can take more. */
  drained (): void
  /** The stream is old enough to be ended, or the client too slow to be kept. */
  expired (reason: 'maxAge' | 'maxBuffer' | 'writeTimeout'): void
  /** The response was ended, but the client does not take the rest of it. */
  cut (): void
}

export class Connection implements Sleeper {
  due = -1
  /** Whether what was written last still waits for the client. */
  blocked = false
  /** Bytes of frames handed over so far. */
  bytes = 0
  readonly #dest: Destination
  readonly #clock: Clock
  readonly #counters: { bytes: number }
  readonly #owner: ConnectionOwner
  readonly #maxBuffer: number
  // In ticks, 0 is off.
  readonly #writeTimeout: number
  readonly #heartbeat: number
  readonly #expiry: number
  // The tick of the last write, and of the moment when it became blocked.
  #written: number
  #blockedSince = 0
  #blockedBytes = 0
  #ending = false
  #listening = false

  constructor (dest: Destination, limits: ConnectionLimits, app: ConnectionApp, owner: ConnectionOwner) {
    const { clock, counters } = app
    this.#dest = dest
    this.#clock = clock
    this.#counters = counters
    this.#owner = owner
    this.#maxBuffer = limits.maxBuffer
    this.#writeTimeout = Clock.ticks(limits.writeTimeout)
    this.#heartbeat = Clock.ticks(limits.heartbeat)
    this.#written = clock.refresh()
    // All streams opened by one deploy must not come back in the same second.
    this.#expiry = limits.maxAge === 0 ? 0 : clock.now + Clock.ticks(limits.maxAge * (0.8 + 0.2 * Math.random()))
    dest[kConnection] = this
    keepAlive(dest)
  }

  /** Writes whole frames of `size` bytes. Drops the connection instead when too much waits already. */
  write (frames: string, size = Buffer.byteLength(frames)): void {
    if (this.#ending || this.#dropIfFull()) return
    this.bytes += size
    this.#counters.bytes += size
    this.#written = this.#clock.now
    const dest = this.#dest
    if (!dest.write(frames)) this.#block()
    if (this.blocked) this.#blockedBytes += size
    // A compressor that a hook put in between keeps what it gets until told not to.
    dest.flush?.()
    if (this.due === -1) this.#reschedule()
  }

  /** Ends the response after what was written. `end` is how, where it is not ours to end. */
  end (end: (() => void) | undefined): void {
    if (this.#ending) return
    this.#ending = true
    // From now on only the last bytes may be late, and for no longer than any other.
    this.#blockedSince = this.#clock.now
    this.#reschedule()
    if (end === undefined) this.#dest.end()
    else end()
  }

  /** Forgets the connection; for when the response has closed. */
  release (): void {
    this.#ending = true
    this.#clock.cancel(this)
    this.#dest[kConnection] = undefined
    if (this.#listening) this.#dest.removeListener('drain', onDrain)
  }

  wake (): void {
    const { now } = this.#clock
    if (this.#ending) {
      this.#owner.cut()
      return
    }
    if (this.blocked && this.#writeTimeout !== 0 && now >= this.#blockedSince + this.#writeTimeout) {
      return this.#drop('writeTimeout')
    }
    if (this.#expiry !== 0 && now >= this.#expiry) return this.#owner.expired('maxAge')
    if (this.#heartbeat !== 0 && now >= this.#written + this.#heartbeat) {
      // What waits keeps a blocked connection busy; a heartbeat would only wait too.
      if (!this.blocked) return this.write(HEARTBEAT)
      if (this.#dropIfFull()) return
      this.#written = now
    }
    this.#reschedule()
  }

  drained (): void {
    this.blocked = false
    this.#blockedBytes = 0
    this.#owner.drained()
  }

  #block (): void {
    if (this.blocked) return
    this.blocked = true
    this.#blockedSince = this.#clock.now
    if (!this.#listening) {
      this.#listening = true
      this.#dest.on('drain', onDrain)
    }
    const deadline = this.#clock.now + this.#writeTimeout
    if (this.#writeTimeout !== 0 && (this.due === -1 || this.due > deadline)) this.#clock.schedule(this, deadline)
  }

  #dropIfFull (): boolean {
    if (!this.blocked) return false
    // An injected response passes its bytes on and counts none of them.
    const waiting = this.#dest.writableLength || this.#blockedBytes
    if (waiting <= this.#maxBuffer) return false
    this.#drop('maxBuffer')
    return true
  }

  #drop (reason: 'maxBuffer' | 'writeTimeout'): void {
    this.#ending = true
    this.#owner.expired(reason)
  }

  #reschedule (): void {
    let due = Infinity
    if (this.#heartbeat !== 0 && !this.#ending) due = this.#written + this.#heartbeat
    if (this.#expiry !== 0 && !this.#ending) due = Math.min(due, this.#expiry)
    if (this.#writeTimeout !== 0 && (this.blocked || this.#ending)) due = Math.min(due, this.#blockedSince + this.#writeTimeout)
    if (due !== Infinity) this.#clock.schedule(this, due)
  }
}

function onDrain (this: Destination): void {
  this[kConnection]?.drained()
}

// Probes notice a peer that vanished without a word. HTTP/2 sockets are not
// ours to touch (see plugin.ts), injected and wrapped ones cannot do it.
function keepAlive (dest: Destination): void {
  if (dest.stream !== undefined || !dest.socket) return
  const { socket } = dest
  if (typeof socket.setKeepAlive === 'function') socket.setKeepAlive(true, KEEP_ALIVE_DELAY)
  // A server's idle timeout would end a quiet stream; Node sets it anew for the next request.
  if (typeof socket.setTimeout === 'function' && socket.timeout) socket.setTimeout(0)
}

/** Milliseconds of silence before the first keep-alive probe. */
export const KEEP_ALIVE_DELAY = 5000
