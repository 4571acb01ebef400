// A client for the tests of an app: it reads streams and pages as a browser does.
import type { IncomingHttpHeaders } from 'node:http'
import { connect, inject, type App, type StreamRequest, type StreamResponse, type TestableApp } from './connect.js'
import { decoded } from './decode.js'
import { checkOptions } from './options.js'
import { assemble, type PageResult } from './page.js'
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
  /**
   * Request headers. Default: `accept: text/event-stream`, as EventSource sends it. Answers that an `accept-encoding`
   * asks for are decompressed.
   */
  headers?: Record<string, string>
  /** Sent as the Last-Event-ID header. Default: none. */
  lastEventId?: string
  /** The request's body; an object is sent as JSON. Default: none. */
  payload?: string | object
  /** Reject after so many milliseconds without an answer. Default: no limit. */
  timeout?: number
}

/** Options of {@link TestClient.page}. Its `accept` is `text/html` by default. */
export type PageRequest = Pick<OpenOptions, 'method' | 'headers' | 'payload' | 'timeout'>

/** Options of {@link TestClient.sse}. */
export interface SSEOptions extends OpenOptions {
  /** Return when so many events are there. Default: no limit. */
  maxEvents?: number
  /** Return after so many milliseconds, with what is there; without an answer, reject. Default: 1000. */
  timeout?: number
}

/** The result of {@link TestClient.sse}. */
export interface SSEResult {
  /** Status of the answer. */
  status: number
  /** Headers of the answer, with names in lower case. */
  headers: IncomingHttpHeaders
  /** The events, in their order. */
  events: ReceivedEvent[]
  /** Number of heartbeats. */
  heartbeats: number
  /** Whether the server ended the stream. */
  ended: boolean
  /** The id that an EventSource would send back as Last-Event-ID. */
  lastEventId: string
  /** The last reconnection time in milliseconds that the server asked for. */
  retry: number | undefined
  /** The body of an answer that is not an event stream, else `''`. */
  body: string
}

const PAGE_OPTIONS = ['method', 'headers', 'payload', 'timeout']
const OPEN_OPTIONS = ['method', 'headers', 'lastEventId', 'payload', 'timeout']

/** Opens event streams of an app and reads them with an independent parser. */
export class TestClient {
  readonly #app: App
  readonly #send: typeof inject

  constructor (app: TestableApp, options: TestClientOptions = {}) {
    checkOptions('of new TestClient()', options, ['listen'])
    const { listen = false } = options
    this.#app = app as App
    this.#send = listen ? connect : inject
  }

  /**
   * Reads a stream until `maxEvents` events are there, it ends, or `timeout`
   * milliseconds passed, and closes it.
   *
   * @throws Error when the handler has not answered by then.
   */
  async sse (path: string, options: SSEOptions = {}): Promise<SSEResult> {
    checkOptions('of client.sse()', options, ['maxEvents', ...OPEN_OPTIONS])
    const { maxEvents = Infinity, timeout = 1000, ...opening } = options
    // How long an app takes to start is not the handler's time.
    await this.#app.ready()
    const deadline = Date.now() + timeout
    const stream = await this.open(path, { ...opening, timeout })
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

  /**
   * Reads a page to its end, with the parts that follow it.
   *
   * @throws Error when it is not there within `timeout` milliseconds. Default: no limit.
   */
  async page (path: string, options: PageRequest = {}): Promise<PageResult> {
    checkOptions('of client.page()', options, PAGE_OPTIONS)
    const { timeout, headers, ...rest } = options
    await this.#app.ready()
    const { status, text, chunks } = await within(timeout, `${options.method ?? 'GET'} ${path}`, async signal => {
      const { status, body } = await this.#request({ ...requestOf(path, { ...rest, headers: { accept: 'text/html', ...lowerCase(headers) } }), signal })
      const chunks: string[] = []
      const decoder = new TextDecoder()
      for await (const chunk of body) chunks.push(decoder.decode(chunk, { stream: true }))
      return { status, chunks, text: chunks.join('') }
    })
    return { status, html: assemble(text), chunks }
  }

  /**
   * Opens a stream and leaves it open.
   *
   * @throws Error when the handler has not answered within `timeout`.
   */
  async open (path: string, options: OpenOptions = {}): Promise<TestStream> {
    checkOptions('of client.open()', options, OPEN_OPTIONS)
    const { lastEventId, timeout, ...rest } = options
    const headers: Record<string, string> = { accept: 'text/event-stream', ...lowerCase(rest.headers) }
    if (lastEventId !== undefined) {
      // As a browser does it: UTF-8 bytes, which Node.js writes as latin1.
      headers['last-event-id'] = Buffer.from(lastEventId).toString('latin1')
    }
    const request = requestOf(path, { ...rest, headers })
    return new TestStream(await within(timeout, `${request.method} ${path}`, signal => this.#request({ ...request, signal })))
  }

  async #request (request: StreamRequest): Promise<StreamResponse> {
    const response = await this.#send(this.#app, request)
    return { ...response, body: decoded(response.body, response.headers) }
  }
}

// Names in capitals would stand beside those that are set here.
function lowerCase (headers: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

function requestOf (path: string, { method = 'GET', headers = {}, payload }: Pick<OpenOptions, 'method' | 'headers' | 'payload'>): Omit<StreamRequest, 'signal'> {
  const isJson = typeof payload === 'object'
  return {
    method: method.toUpperCase(),
    path,
    headers: isJson ? { 'content-type': 'application/json', ...headers } : headers,
    payload: isJson ? JSON.stringify(payload) : payload
  }
}

/** The answer to a request, or an error when there is none in time; then the request is taken back. */
function within<T> (timeout: number | undefined, what: string, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const answer = send(controller.signal)
  if (timeout === undefined) return answer
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`The handler of ${what} did not answer within ${timeout} ms. Does it return reply.eventStream(), and do its hooks end?`))
      controller.abort()
    }, timeout)
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}

/** A stream that is open until one side closes it. */
export class TestStream {
  /** Status of the answer. */
  readonly status: number
  /** Headers of the answer, with names in lower case. */
  readonly headers: IncomingHttpHeaders
  /** Heartbeats so far. */
  heartbeats = 0
  /** Whether the server ended the stream. */
  ended = false
  /** The body so far of an answer that is not an event stream, else `''`. */
  body = ''
  readonly #response: StreamResponse
  readonly #queue: ReceivedEvent[] = []
  // The first call gets the first event.
  readonly #waiting: Array<(event?: ReceivedEvent) => void> = []
  readonly #decoder = new TextDecoder()
  #isClosed = false
  readonly #parser = new EventStreamParser({
    onEvent: event => {
      const next = this.#waiting.shift()
      if (next === undefined) this.#queue.push(event)
      else next(event)
    },
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
      else this.body += this.#decoder.decode(chunk, { stream: true })
    })
    response.body.on('end', () => {
      this.#parser.end()
      this.body += this.#decoder.decode()
      this.ended = true
    })
    response.body.on('close', () => {
      this.#isClosed = true
      for (const next of this.#waiting.splice(0)) next()
    })
  }

  /** The id that an EventSource would send back as Last-Event-ID. */
  get lastEventId (): string {
    return this.#parser.lastEventId
  }

  /** The last reconnection time in milliseconds that the server asked for. */
  get retry (): number | undefined {
    return this.#parser.retry
  }

  /** The next event; undefined when the stream is over or `timeout` milliseconds (default: 1000) passed. */
  async next (timeout = 1000): Promise<ReceivedEvent | undefined> {
    if (this.#queue.length > 0 || this.#isClosed || timeout <= 0) return this.#queue.shift()
    return new Promise(resolve => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(next), 1)
        resolve(undefined)
      }, timeout)
      const next = (event?: ReceivedEvent): void => {
        clearTimeout(timer)
        resolve(event)
      }
      this.#waiting.push(next)
    })
  }

  /** Goes away like a client that closes its page. */
  close (): void {
    this.#response.close()
  }
}
