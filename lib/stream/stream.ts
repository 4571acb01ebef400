// The pipeline: pulls values from the source, encodes them, joins what comes
// within one tick into one write, and waits for the client where it must.
import type { Renderer } from '../html/render.js'
import { encodeFrame } from '../sse/frame.js'
import type { Dialect } from '../html/dialect.js'
import { messageOf } from '../html/error-box.js'
import type { Settings, StreamSettings } from '../options.js'
import type { CloseReason } from '../types.js'
import { Connection, type ConnectionOwner, type Destination } from './connection.js'
import type { Context } from './context.js'
import type { Linked } from './list.js'
import { jitter, type RegisteredStream, type Registry } from './registry.js'
import { reportClose, reportError, reportOpen } from './report.js'
import { isPromise, type OpenSource } from './source.js'
import { encodeValue, encodeValueError, ERROR_EVENT } from './value.js'

// Values that are pulled before other work gets its turn, however small they are.
const TURN_LIMIT = 2048

const OPEN_COMMENT = ': open\n\n'

/** What a stream needs of the app that it belongs to. */
export interface StreamEnvironment {
  settings: Settings
  registry: Registry
  renderer: Renderer
}

/** What is fixed when a stream is made. */
export interface StreamParts {
  settings: StreamSettings
  dialect: Dialect
  client: string | undefined
  context: Context
}

const kStream = Symbol('fastify-chirp.stream')

/** The response that a stream belongs to; a listener finds its stream on it, so that no closure is made for each. */
export interface Response extends Destination {
  on (event: 'close', listener: (this: Response) => void): unknown
  on (event: 'drain', listener: (this: Destination) => void): unknown
  [kStream]?: Stream
}

export class Stream implements ConnectionOwner, RegisteredStream {
  before: Linked | undefined
  after: Linked | undefined
  readonly #app: StreamEnvironment
  readonly #settings: StreamSettings
  readonly #dialect: Dialect
  readonly #client: string | undefined
  readonly #context: Context
  readonly #started = performance.now()
  // The next four are let go when the stream is over: a source that waits for
  // ever keeps the stream, but must not keep the connection.
  #response: Response | undefined
  #source: OpenSource | undefined
  #connection: Connection | undefined
  #end: (() => void) | undefined
  #reason: CloseReason | undefined
  #turn = 0
  #events = 0
  #wake: (() => void) | undefined

  /** Takes a place in the registry until the response closes. */
  constructor (app: StreamEnvironment, response: Response, { settings, dialect, client, context }: StreamParts) {
    this.#app = app
    this.#settings = settings
    this.#dialect = dialect
    this.#client = client
    this.#context = context
    this.#response = response
    response[kStream] = this
    // It always comes, and it is the only event that does.
    response.on('close', onClose)
    app.registry.add(this, client)
  }

  /** Gives the stream its source, which is closed at once when the stream is already over. */
  setSource (source: OpenSource): void {
    this.#source = source
    if (this.#isOver()) this.#closeSource()
  }

  /**
   * Sends the first frame and starts pulling. `end` ends the response where
   * somebody else has to do it.
   */
  start (dest: Destination, end?: () => void): void {
    // A handler that failed after all may have ended the response.
    if (this.#isOver() || dest.writableEnded) return
    const { settings, registry } = this.#app
    this.#end = end
    registry.counters.total++
    reportOpen(this.#context)
    this.#connection = new Connection(dest, settings, this.#settings, registry, this)
    this.#connection.open(openFrame(this.#settings.retry))
    if (registry.closing) this.shutdown()
    else this.#run(this.#source!)
  }

  /** Gives the place back: nothing could be streamed, and the response is used for an error. */
  abandon (): void {
    this.#stop('error')
    this.#app.registry.remove(this, this.#client)
  }

  /** The response has closed, whoever closed it. */
  closed (): void {
    const connection = this.#connection
    this.#stop('disconnect')
    this.#connection = undefined
    this.#response = undefined
    this.#end = undefined
    this.#app.registry.remove(this, this.#client)
    if (connection === undefined) return
    connection.release()
    const duration = Math.round(performance.now() - this.#started)
    reportClose(this.#context, { reason: this.#reason!, duration, events: this.#events, bytes: connection.bytes })
  }

  drained (): void {
    this.#wake?.()
  }

  expired (reason: 'maxAge' | 'maxBuffer' | 'writeTimeout'): void {
    if (reason === 'maxAge') return this.#finish('maxAge', '')
    this.#app.registry.counters.dropped++
    this.#stop(reason)
    this.cut()
  }

  cut (): void {
    this.#response?.destroy()
  }

  shutdown (): void {
    // Longer than the time that this process still answers with 503, which
    // would make an EventSource give up.
    const drain = this.#app.settings.shutdownGrace + 1000
    this.#finish('shutdown', encodeFrame({ event: 'chirp:closing', retry: jitter(drain, 2 * drain), data: '' }))
  }

  destroy (): void {
    const session = this.#response?.stream?.session
    this.cut()
    // An HTTP/2 peer that does not read would keep the server from closing.
    session?.destroy()
  }

  async #run (source: OpenSource): Promise<void> {
    try {
      for (;;) {
        const step = source.next()
        const result = isPromise(step) ? await step : step
        if (this.#isOver()) return
        if (result.done === true) break
        const frame = this.#encode(result.value)
        let text: string
        if (typeof frame === 'string') {
          text = frame
        } else {
          text = await frame
          if (this.#isOver()) return
        }
        // No local name for the connection here: a pending pull would keep it.
        if (this.#isTurnOver(text)) {
          await this.#yieldLoop(this.#connection!)
          if (this.#isOver()) return
        }
        if (text !== '') this.#send(text)
      }
    } catch (error) {
      return this.#failed(error)
    }
    this.#source = undefined
    const { closeEvent } = this.#settings
    this.#finish('end', closeEvent === undefined ? '' : encodeFrame({ event: closeEvent, data: '' }))
  }

  #isTurnOver (next: string): boolean {
    const connection = this.#connection!
    return connection.isFull(next) || ++this.#turn >= TURN_LIMIT || connection.blocked
  }

  #send (frame: string): void {
    this.#connection!.add(frame)
    this.#events++
    this.#app.registry.counters.events++
  }

  /** Writes what is there, lets other work have its turn, and waits until the client can take more. */
  async #yieldLoop (connection: Connection): Promise<void> {
    connection.flush()
    this.#turn = 0
    await new Promise(setImmediate)
    while (connection.blocked && !this.#isOver()) {
      await new Promise<void>(resolve => { this.#wake = resolve })
    }
    this.#wake = undefined
  }

  #encode (value: unknown): string | Promise<string> {
    try {
      const frame = encodeValue(value, this.#settings.event, this.#app.renderer, this.#dialect)
      return typeof frame === 'string' ? frame : frame.catch(error => this.#valueFailed(value, error))
    } catch (error) {
      return this.#valueFailed(value, error)
    }
  }

  /** One value fails: it is skipped and the stream goes on. */
  #valueFailed (value: unknown, error: unknown): string {
    this.#reportError(error, 'an event was not sent')
    return this.#app.settings.debug ? encodeValueError(value, error, this.#dialect) : ''
  }

  /** The source fails: the client hears of it and reconnects. */
  #failed (error: unknown): void {
    if (this.#isOver()) {
      // Who was asked to stop may say so by an AbortError.
      if (!isAbortError(error)) this.#reportError(error, 'the source failed after its stream was closed')
      return
    }
    this.#source = undefined
    this.#reportError(error, 'the source of an event stream failed')
    const data = this.#app.settings.debug ? messageOf(error) : 'Internal Server Error'
    this.#finish('error', encodeFrame({ event: ERROR_EVENT, data }))
  }

  /** Sends what is left and a last frame, and ends the response. */
  #finish (reason: CloseReason, lastFrame: string): void {
    if (this.#isOver()) return
    if (lastFrame !== '') this.#connection?.add(lastFrame)
    this.#stop(reason)
    this.#connection?.end(this.#end)
  }

  /** Stops the source, once. The response may take longer to close. */
  #stop (reason: CloseReason): void {
    if (this.#isOver()) return
    this.#reason = reason
    // The signal first: it wakes a source that waits, which `return()` cannot.
    this.#context.close(reason)
    this.#closeSource()
    this.#wake?.()
  }

  #closeSource (): void {
    const source = this.#source
    if (source === undefined) return
    this.#source = undefined
    source.close()?.catch(error => this.#failed(error))
    this.#context.release()
  }

  #reportError (error: unknown, message: string): void {
    this.#app.registry.counters.errors++
    reportError(this.#context, error, message)
  }

  #isOver (): boolean {
    return this.#reason !== undefined
  }
}

function onClose (this: Response): void {
  this[kStream]!.closed()
}

// htmx 4 takes a retry only from a block with data.
function openFrame (retry: number | undefined): string {
  return retry === undefined ? OPEN_COMMENT : encodeFrame({ event: 'chirp:open', retry, data: '' })
}

function isAbortError (error: unknown): boolean {
  const { name, code } = (error ?? {}) as { name?: unknown, code?: unknown }
  return name === 'AbortError' || code === 'ABORT_ERR'
}
