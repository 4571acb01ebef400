// One client's connection: frames go straight to the response, and what does
// not go out in time ends it. Knows nothing of sources or values.
import { HEARTBEAT, splitFrames, type SharedBytes } from '../sse/frame.js'
import type { Linked } from '../util/list.js'
import type { RecentBlocks } from './blocks.js'
import { Clock, type Sleeper } from './clock.js'
import { Counted, type Counters } from './counted.js'
import { isInjected, kConnection, keepAlive, writeChunk, type Destination, type Drainable } from './destination.js'
import { isPlain } from './private.js'

// Bytes that are joined into one write; more gains nothing.
const JOIN_LIMIT = 16384

// Half the price of queueMicrotask().
const settled = Promise.resolve()

const NONE: Drainable[] = []

/** The shared part of the connections of an app. */
export interface ConnectionApp {
  clock: Clock
  counters: Counters
  blocks: RecentBlocks
  /** Bytes that may wait for a client. */
  maxBuffer: number
  /** Ticks that they may wait; 0 is off. */
  writeTimeout: number
}

export interface ConnectionOwner {
  /** The connection can take more. */
  drained (): void
  /** The stream is old enough to be ended, or the client too slow to be kept. */
  expired (reason: 'maxAge' | 'maxBuffer' | 'writeTimeout'): void
  /** The frame to send after a silence; undefined is a comment. */
  heartbeat (): string | undefined
  /** The response was ended, but the client does not take the rest of it. */
  cut (): void
  /** The response could not be ended. */
  endFailed (error: unknown): void
}

export class Connection extends Counted implements Sleeper {
  previous: Linked | undefined
  next: Linked | undefined
  due = -1
  /** Whether what was written last still waits for the client. */
  blocked = false
  readonly app: ConnectionApp
  readonly dest: Destination
  readonly #owner: ConnectionOwner
  #pending = ''
  // In ticks, 0 is off.
  readonly #heartbeat: number
  readonly #expiry: number
  // The clock's turn when it became blocked: ticks that the server itself has missed are not the client's.
  #blockedSince = 0
  #settlesAt: number
  #isLast = false
  #ending = false
  // Emitters with a drain listener; mostly none, so all share one list.
  #drainables: Drainable[] = NONE

  constructor (dest: Destination, times: { heartbeat: number, maxAge: number }, app: ConnectionApp, owner: ConnectionOwner) {
    const { clock } = app
    super(clock.refresh())
    this.dest = dest
    this.app = app
    this.#owner = owner
    this.#heartbeat = Clock.ticks(times.heartbeat)
    // All streams opened by one deploy must not come back in the same second.
    this.#expiry = times.maxAge === 0 ? 0 : clock.now + Clock.ticks(times.maxAge * (0.8 + 0.2 * Math.random()))
    this.#settlesAt = clock.now + SETTLED
    this.#reschedule()
  }

  /** Bytes that wait for the client. */
  get waiting (): number {
    return this.dest.writableLength + this.#pending.length
  }

  /** Adds the first frame, which leaves together with the head and with what the source has at once. */
  open (frame: string): void {
    this.#pending = frame
    // The receiver of an injected answer may look for its first bytes as soon as there is a head.
    if (isInjected(this.dest)) return this.flush()
    // A tick later, but after all promises that are settled already.
    settled.then(() => process.nextTick(flush, this))
  }

  /** Adds frames, of so many events, to what goes out at the end of this tick. */
  add (frame: string, events = 0): void {
    this.countEvents(events, this.app.counters)
    if (this.#pending === '') {
      this.leave()
      process.nextTick(flush, this)
    }
    this.#pending += frame
  }

  /** Whether `frame` would make the next write larger than it should be. */
  isFull (frame: string): boolean {
    return this.#pending !== '' && this.#pending.length + frame.length > JOIN_LIMIT
  }

  /**
   * Writes what many connections get, after what was added. Where that comes to the same, its chunk goes to
   * the socket as it is, which spares most of what Node.js does for a write.
   */
  share (frames: SharedBytes, events = 0): void {
    this.leave()
    this.countEvents(events, this.app.counters)
    this.flush()
    if (!this.mayWrite(frames.size)) return
    if (isPlain(this.dest)) {
      const socket = this.dest.socket!
      if (writeChunk(socket, frames.chunk)) this.block(socket)
    } else {
      this.pass(frames.text)
    }
  }

  isOf (owner: object): boolean {
    return this.#owner === owner
  }

  /** Whether it has nothing to do and what many get may go to its socket as it is. */
  get isIdle (): boolean {
    return this.company === undefined && this.#pending === '' && !this.blocked && !this.#ending && isPlain(this.dest)
  }

  /** Writes what was added. */
  flush (): void {
    const frames = this.#pending
    if (frames === '') return
    this.#pending = ''
    this.write(frames)
  }

  /** Ends the response after what was written. `end` is how, where it is not ours to end. */
  end (end: (() => void) | undefined): void {
    this.leave()
    // The last frame waits behind what was written, however much that is.
    this.#isLast = true
    this.flush()
    this.finish()
    if (this.#ending) return
    this.#ending = true
    // From now on only the last bytes may be late, and for no longer than any other.
    this.#blockedSince = this.app.clock.turns
    this.#watch()
    try {
      if (end === undefined) this.dest.end()
      else end()
    } catch (error) {
      // A trailer of the app, or a replaced end().
      this.#owner.endFailed(error)
    }
  }

  /** Forgets the connection; for when the response has closed. */
  release (): void {
    this.leave()
    this.#ending = true
    this.app.clock.cancel(this)
    // The socket lives on, for the next request.
    for (const writable of this.#drainables) {
      // Where requests are pipelined, the next response may wait for it already.
      if (writable[kConnection] === this) writable[kConnection] = undefined
      writable.removeListener('drain', onDrain)
    }
  }

  wake (): void {
    const { now, turns } = this.app.clock
    const isLate = this.app.writeTimeout !== 0 && turns >= this.#blockedSince + this.app.writeTimeout
    if (this.#ending) {
      if (isLate) this.#owner.cut()
      else this.#reschedule()
      return
    }
    if (this.#settlesAt !== 0 && now >= this.#settlesAt) {
      this.#settlesAt = 0
      keepAlive(this.dest)
    }
    if (this.blocked && isLate) return this.#drop('writeTimeout')
    if (this.#expiry !== 0 && now >= this.#expiry) return this.#owner.expired('maxAge')
    if (this.#heartbeat !== 0 && now >= this.written + this.#heartbeat) {
      // Waiting bytes keep a blocked connection busy; a heartbeat would only wait too.
      if (this.#dropIfFull()) return
      if (this.blocked) this.written = now
      else this.#beat()
    }
    this.#reschedule()
  }

  drained (): void {
    this.blocked = false
    this.#owner.drained()
  }

  #beat (): void {
    this.add(this.#owner.heartbeat() ?? HEARTBEAT)
    this.flush()
  }

  protected write (frames: string): void {
    const size = Buffer.byteLength(frames)
    // Asked once: what leaves together is as one frame, which may be larger than what may wait.
    if (!this.mayWrite(size)) return
    if (size <= JOIN_LIMIT) this.pass(frames)
    else for (const part of splitFrames(frames, JOIN_LIMIT)) this.pass(part)
  }

  /** Writes what ends the body. */
  protected finish (): void {}

  protected pass (bytes: string | Uint8Array): void {
    const dest = this.dest
    try {
      if (dest.write(bytes) === false) this.block(dest)
      // A compressor that a hook put in between keeps what it gets until told not to.
      dest.flush?.()
    } catch {
      // Only a replaced write() throws; nothing can be sent through it.
      this.#ending = true
      this.#owner.cut()
    }
  }

  /** Counts what is about to be written. Drops the connection instead when too much waits already. */
  protected mayWrite (size: number): boolean {
    const { destroyed, writableEnded } = this.dest
    // Others may have ended the response, and will not have it written to.
    if (this.#ending || destroyed === true || writableEnded || this.#dropIfFull()) return false
    this.countBytes(size, this.app.counters)
    this.written = this.app.clock.now
    return true
  }

  /** Waits until `writable` has drained, which it tells. */
  block (writable: Drainable): void {
    if (this.blocked) return
    this.leave()
    this.blocked = true
    this.#blockedSince = this.app.clock.turns
    if (writable[kConnection] !== this) {
      writable[kConnection] = this
      writable.on('drain', onDrain)
      this.#drainables = [...this.#drainables, writable]
    }
    this.#watch()
  }

  /** Makes sure that it is woken when what waits is late. Most writes are taken soon, and one wake-up is enough for many. */
  #watch (): void {
    if (this.next === undefined || this.due > this.app.clock.now + this.app.writeTimeout) this.#reschedule()
  }

  #dropIfFull (): boolean {
    if (!this.blocked || this.#isLast) return false
    if (this.dest.writableLength <= this.app.maxBuffer) return false
    this.#drop('maxBuffer')
    return true
  }

  #drop (reason: 'maxBuffer' | 'writeTimeout'): void {
    this.#ending = true
    this.#owner.expired(reason)
  }

  #reschedule (): void {
    const { clock } = this.app
    const deadline = this.app.writeTimeout === 0 ? Infinity : clock.refresh() + this.#blockedSince + this.app.writeTimeout - clock.turns
    let due = this.blocked || this.#ending ? deadline : Infinity
    if (!this.#ending) {
      if (this.#settlesAt !== 0) due = Math.min(due, this.#settlesAt)
      if (this.#heartbeat !== 0) due = Math.min(due, this.written + this.#heartbeat)
      if (this.#expiry !== 0) due = Math.min(due, this.#expiry)
    }
    if (due === Infinity) clock.cancel(this)
    else clock.schedule(this, due)
  }
}

function flush (connection: Connection): void {
  connection.flush()
}

function onDrain (this: Drainable): void {
  this[kConnection]?.drained()
}

// Streams that are shorter than this are spared the system calls of keep-alive.
const SETTLED = Clock.ticks(1000)
