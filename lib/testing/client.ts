// A client for the tests of an app: it reads streams as a browser does.
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyInstance } from 'fastify'
import { connect, inject, type StreamResponse } from './connect.js'
import { EventStreamParser, type ReceivedEvent } from './parser.js'

/** Options of {@link TestClient}. */
export interface TestClientOptions {
  /**
   * `true` sends requests over a real socket, and makes the app listen on a
   * free port of 127.0.0.1 if it does not yet. Default: `false`, they are injected.
   */
  listen?: boolean
}

/** Options of {@link TestClient.open}. */
export interface OpenOptions {
  /** Default: `GET`. */
  method?: string
  /** Request headers. Default: `accept: text/event-stream`, as EventSource sends it. */
  headers?: Record<string, string>
  /** Sent as the Last-Event-ID header. Default: none. */
  lastEventId?: string
  /** The request's body; an object is sent as JSON. Default: none. */
  payload?: string | object
}

/** Options of {@link TestClient.sse}. */
export interface SSEOptions extends OpenOptions {
  /** Return when so many events are there. Default: no limit. */
  maxEvents?: number
  /** Return after so many milliseconds, with what is there. Default: 1000. */
  timeout?: number
}

/** What {@link TestClient.sse} read. */
export interface SSEResult {
  status: number
  headers: IncomingHttpHeaders
  events: ReceivedEvent[]
  /** How many heartbeats came. */
  heartbeats: number
  /** Whether the server ended the stream. */
  ended: boolean
  /** What an EventSource would send back as Last-Event-ID. */
  lastEventId: string
  /** The last reconnection time in milliseconds that the server asked for. */
  retry: number | undefined
  /** The body of an answer that is no event stream, else `''`. */
  body: string
}

/** Opens event streams of an app and reads them with an independent parser. */
export class TestClient {
  readonly #app: FastifyInstance
  readonly #send: typeof inject

  constructor (app: FastifyInstance, { listen = false }: TestClientOptions = {}) {
    this.#app = app
    this.#send = listen ? connect : inject
  }

  /**
   * Reads a stream until `maxEvents` events are there, it ends, or `timeout`
   * milliseconds passed, and closes it.
   */
  async sse (path: string, { maxEvents = Infinity, timeout = 1000, ...options }: SSEOptions = {}): Promise<SSEResult> {
    const stream = await this.open(path, options)
    const deadline = Date.now() + timeout
    const events: ReceivedEvent[] = []
    while (events.length < maxEvents) {
      const event = await stream.next(deadline - Date.now())
      if (event === undefined) break
      events.push(event)
    }
    stream.close()
    const { status, headers, heartbeats, ended, lastEventId, retry, body } = stream
    return { status, headers, events, heartbeats, ended, lastEventId, retry, body }
  }

  /** Opens a stream and leaves it open. */
  async open (path: string, { method = 'GET', headers = {}, lastEventId, payload }: OpenOptions = {}): Promise<TestStream> {
    const sent: Record<string, string> = { accept: 'text/event-stream', ...headers }
    if (lastEventId !== undefined) {
      // As a browser does it: UTF-8 bytes, which Node.js writes as latin1.
      sent['last-event-id'] = Buffer.from(lastEventId).toString('latin1')
    }
    let text: string | undefined
    if (typeof payload === 'object') {
      sent['content-type'] ??= 'application/json'
      text = JSON.stringify(payload)
    } else {
      text = payload
    }
    return new TestStream(await this.#send(this.#app, { method, path, headers: sent, payload: text }))
  }
}

/** A stream that is open until one side closes it. */
export class TestStream {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Heartbeats so far. */
  heartbeats = 0
  /** Whether the server ended the stream. */
  ended = false
  /** The body so far of an answer that is no event stream, else `''`. */
  body = ''
  readonly #response: StreamResponse
  readonly #queue: ReceivedEvent[] = []
  #isClosed = false
  #wake: (() => void) | undefined
  readonly #parser = new EventStreamParser({
    onEvent: event => { this.#queue.push(event) },
    // The stream's first comment has a text; a heartbeat has none.
    onComment: text => { if (text === '') this.heartbeats++ }
  })

  constructor (response: StreamResponse) {
    this.#response = response
    this.status = response.status
    this.headers = response.headers
    const isStream = String(response.headers['content-type']).startsWith('text/event-stream')
    response.body.on('data', (chunk: Buffer) => {
      if (isStream) this.#parser.feed(chunk)
      else this.body += String(chunk)
      this.#wake?.()
    })
    response.body.on('end', () => {
      this.#parser.end()
      this.ended = true
    })
    response.body.on('close', () => {
      this.#isClosed = true
      this.#wake?.()
    })
  }

  /** What an EventSource would send back as Last-Event-ID. */
  get lastEventId (): string {
    return this.#parser.lastEventId
  }

  /** The last reconnection time in milliseconds that the server asked for. */
  get retry (): number | undefined {
    return this.#parser.retry
  }

  /** The next event; undefined when the stream is over or `timeout` milliseconds (default: 1000) passed. */
  async next (timeout = 1000): Promise<ReceivedEvent | undefined> {
    const deadline = Date.now() + timeout
    while (this.#queue.length === 0 && !this.#isClosed) {
      const left = deadline - Date.now()
      if (left <= 0) break
      await this.#change(left)
    }
    return this.#queue.shift()
  }

  /** Goes away like a client that closes its page. */
  close (): void {
    this.#response.close()
  }

  async #change (milliseconds: number): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, milliseconds)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }
}
