// One open stream: from the first frame to the close of the response. What it
// sends is pulled from a source by a pump, or pushed by a channel.
import type { Socket } from 'node:net'
import type { Dialect } from '../dialects/dialect.js'
import type { Entry } from '../message/entry.js'
import { encodeFrame, type SharedFrames } from '../sse/frame.js'
import { errorFrame, openFrame } from '../sse/own.js'
import { Connection, type ConnectionOwner } from '../transport/connection.js'
import type { Destination } from '../transport/destination.js'
import { cutOff, dequeue, enqueue, type Queued } from '../transport/queue.js'
import type { Linked } from '../util/list.js'
import { isAbortError, messageOf } from '../util/thrown.js'
import type { Context } from './context.js'
import { Encoder } from './encoder.js'
import type { Opening, StreamEnvironment } from './environment.js'
import { attachFeed, cursorFrame, detachFeed, discardFeed, type Attachment, type Feed, type GapNotes, type Outlet } from './feed.js'
import type { RegisteredStream } from './registry.js'
import type { StreamSettings } from './settings.js'
import { noteReplayed, reportClose, reportError, reportOpen, reportReject, reportResume } from './telemetry.js'
import type { CloseReason, RejectReason } from './types.js'

const kStream = Symbol('fastify-chirp.stream')

/** The response that a stream belongs to; a listener finds its stream on it, so that no closure is made for each. */
export interface Response extends Destination {
  on (event: 'close', listener: (this: Response) => void): unknown
  on (event: 'drain', listener: (this: Destination) => void): unknown
  [kStream]?: Stream
}

/** An answer whose source is still being made: sends the stream as it is. */
interface Pending { send (): void }

export class Stream implements ConnectionOwner, RegisteredStream, Outlet, Queued {
  previous: Linked | undefined
  next: Linked | undefined
  readonly dialect: Dialect
  readonly app: StreamEnvironment
  readonly #settings: StreamSettings
  readonly #client: string | undefined
  readonly context: Context
  readonly #started = Math.round(performance.now())
  // These are released when the stream is over: a source that waits without an end
  // keeps the stream, but must not keep the connection.
  #response: Response | undefined
  #feed: Feed | undefined
  #attachment: Attachment | undefined
  connection: Connection | undefined
  #end: (() => void) | undefined
  #queuedOn: Socket | undefined
  // Until the source is there.
  #pending: Pending | undefined
  // The frame that is sent in place of a stream that was over before it began.
  #lastFrame = ''
  #reason: CloseReason | undefined
  // A stream that is fed may never need one.
  #encoder: Encoder | undefined
  // Once the connection is no more.
  #events = 0
  #gaps = 0
  #wake: (() => void) | undefined
  #drained: Promise<void> | undefined

  /** Takes a place in the registry until the response closes. */
  constructor (app: StreamEnvironment, response: Response, { settings, dialect, client, context, socket }: Opening) {
    this.app = app
    this.#settings = settings
    this.dialect = dialect
    this.#client = client
    this.context = context
    this.#response = response
    response[kStream] = this
    // It always comes, and it is the only event that does.
    response.on('close', onClose)
    // A server's idle timeout would end a quiet stream; Node sets it again for the next request.
    if (socket?.timeout) socket.setTimeout(0)
    if (socket !== undefined && response.socket !== socket) {
      // Except for a response that waits behind a pipelined one and has no socket yet.
      this.#queuedOn = socket
      enqueue(socket, this)
    }
    app.registry.add(this, client, settings.keys)
  }

  /** The source will come later, or never. */
  awaitFeed (pending: Pending): void {
    this.#pending = pending
  }

  /** Gives the stream its content, which is released at once when the stream is already over. */
  setFeed (feed: Feed): void {
    this.#pending = undefined
    if (this.isOver) this.#discard(feed)
    else this.#feed = feed
  }

  /** Sends the first frame and starts. `end` ends the response where other code has to do it. */
  start (dest: Destination, end?: () => void, Kind = Connection): void {
    // A handler that failed after all may have ended the response.
    if (dest.writableEnded) return
    if (this.isOver) {
      if (this.#lastFrame !== '') {
        dest.write(this.#lastFrame)
        reportReject(this.app, this.context, this.#reason as RejectReason)
      }
      end === undefined ? dest.end() : end()
      return
    }
    const { registry } = this.app
    this.#end = end
    registry.counters.total++
    this.connection = new Kind(dest, this.#settings, registry, this)
    reportOpen(this)
    this.connection.open(openFrame(this.#settings.retry))
    const feed = this.#feed!
    this.#feed = undefined
    const attachment = attachFeed(feed, this, this.context.lastEventId)
    // It may have come to its end at once.
    if (this.isOver) detachFeed(attachment, this)
    else this.#attachment = attachment
    this.context.settle()
  }

  /** Gives the place back: nothing could be streamed, and the response is used for an error. */
  abandon (): void {
    this.app.registry.remove(this, this.#client, this.#settings.keys)
    this.#stop('error')
  }

  /** The response has closed, by either side. */
  closed (): void {
    const connection = this.connection
    this.app.registry.remove(this, this.#client, this.#settings.keys)
    this.#stop('disconnect')
    if (this.#queuedOn !== undefined) dequeue(this.#queuedOn, this)
    this.#response = this.#end = this.#queuedOn = undefined
    if (connection === undefined) return
    connection.release()
    const duration = Math.round(performance.now()) - this.#started
    const { events, bytes } = connection
    this.#events = events
    reportClose(this, { reason: this.#reason!, duration, events, bytes })
    this.connection = undefined
  }

  drained (): void {
    this.#wake?.()
    this.#wake = this.#drained = undefined
  }

  heartbeat (): string | undefined {
    return cursorFrame(this.#attachment, error => { this.#reportError(error, 'the cursor of an event stream was not sent') })
  }

  expired (reason: 'maxAge' | 'maxBuffer' | 'writeTimeout'): void {
    if (reason === 'maxAge') return this.#finish('maxAge', '')
    this.app.registry.counters.dropped++
    this.#stop(reason)
    this.cut()
  }

  cut (): void {
    if (this.#response !== undefined) cutOff(this.#response, this.#queuedOn)
  }

  leave (reason: 'shutdown' | 'closed', frame: string): boolean {
    if (this.isOver) return false
    if (this.connection === undefined) this.#lastFrame = frame
    this.#finish(reason, frame)
    return true
  }

  destroy (): void {
    const session = this.#response?.stream?.session
    this.cut()
    // An HTTP/2 peer that does not read would keep the server from closing.
    session?.destroy()
  }

  /** Events handed to the connection so far. */
  get events (): number {
    return this.connection?.events ?? this.#events
  }

  get isBlocked (): boolean {
    return !this.isOver && this.connection!.blocked
  }

  isFull (frame: string): boolean {
    return this.connection?.isFull(frame) === true
  }

  send (frames: string, events: number): void {
    this.connection?.add(frames, events)
  }

  share (frames: SharedFrames, events: number): void {
    this.connection?.share(frames, events)
  }

  flush (): void {
    this.connection?.flush()
  }

  whenDrained (): Promise<void> {
    this.#drained ??= new Promise(resolve => { this.#wake = resolve })
    return this.#drained
  }

  encode (value: unknown): string | Promise<string> {
    this.#encoder ??= new Encoder(this.app, this.dialect, this.#settings.event, (error, message) => { this.#reportError(error, message) })
    return this.#encoder.encode(value)
  }

  /** The source has no more values. */
  ended (): void {
    const { closeEvent } = this.#settings
    this.app.warnings?.checkName(closeEvent)
    this.#finish('end', closeEvent === undefined ? '' : encodeFrame({ event: closeEvent, data: '' }))
  }

  /** The source failed: the client gets an event and reconnects. */
  failed (error: unknown): void {
    this.#reportError(error, 'the source of an event stream failed')
    const data = this.app.settings.debug ? messageOf(error) : 'Internal Server Error'
    this.#finish('error', errorFrame(data))
  }

  failedLate (error: unknown): void {
    // A source that was asked to stop may say so by an AbortError.
    if (!isAbortError(error)) this.#reportError(error, 'the source failed after its stream was closed')
  }

  noteGap (): GapNotes {
    reportResume(this, 'gap')
    // One that comes after events is not what the page was loaded for.
    const isAtStart = this.events === this.#gaps++
    // Each part of a merge may have one.
    const spread = this.app.registry.gaps.note(isAtStart && this.#gaps > 1)
    return { ...(isAtStart && this.context.isAfterGap && { again: true }), ...(spread > 0 && { spread }) }
  }

  noteReplayed (entries: readonly Entry[]): void {
    noteReplayed(this, entries)
  }

  noteLive (): void {
    reportResume(this, this.context.lastEventId === '' ? 'fresh' : 'replayed')
  }

  endFailed (error: unknown): void {
    this.#reportError(error, 'an event stream could not be ended')
    this.cut()
  }

  /** Sends the rest and a last frame, and ends the response. */
  #finish (reason: CloseReason, lastFrame: string): void {
    if (this.isOver) return
    if (lastFrame !== '') this.connection?.add(lastFrame)
    this.#stop(reason)
    this.connection?.end(this.#end)
  }

  /** Stops the source, once. The response may take longer to close. */
  #stop (reason: CloseReason): void {
    if (this.isOver) return
    this.#reason = reason
    // The signal first: it wakes a source that waits, which `return()` cannot.
    this.context.close(reason)
    if (this.#feed !== undefined) this.#discard(this.#feed)
    if (this.#attachment !== undefined) detachFeed(this.#attachment, this)
    const pending = this.#pending
    this.#feed = this.#attachment = this.#pending = undefined
    // After the end of its source no code keeps the request.
    if (reason !== 'end') this.context.release()
    this.drained()
    // Also for a client that has left: hooks of the app may wait for the answer, such as those that trace requests.
    pending?.send()
  }

  #discard (feed: Feed): void {
    discardFeed(feed, error => { this.failedLate(error) })
  }

  #reportError (error: unknown, message: string): void {
    this.app.registry.counters.errors++
    reportError(this, error, message)
  }

  /** Whether it has come to its end; the response may take longer. */
  get isOver (): boolean {
    return this.#reason !== undefined
  }
}

function onClose (this: Response): void {
  this[kStream]!.closed()
}
