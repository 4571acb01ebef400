// Two ways to reach an app: an injected request, or a real socket.
import { once } from 'node:events'
import http, { type IncomingHttpHeaders } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import tls from 'node:tls'
import type { FastifyInstance } from 'fastify'

/** Every FastifyInstance, whatever its server, logger and type provider are. */
export interface TestableApp {
  readonly server: unknown
  ready (): unknown
  inject (...values: never[]): unknown
  listen (...values: never[]): unknown
}

/** The parts of an app that are used. */
export type App = Pick<FastifyInstance, 'server' | 'inject' | 'listen'> & { ready (): PromiseLike<unknown> }

/** A request. */
export interface StreamRequest {
  method: string
  path: string
  headers: Record<string, string>
  payload: string | undefined
  /** The answer is no longer wanted. */
  signal: AbortSignal
}

/** An answer that may still be coming in. */
export interface StreamResponse {
  status: number
  headers: IncomingHttpHeaders
  body: Readable
  /** Goes away like a client that closes its page. */
  close (): void
}

/** Sends a request without a socket. */
export async function inject (app: App, { method, path, headers, payload, signal }: StreamRequest): Promise<StreamResponse> {
  const response = await app.inject({ method: method as 'GET', url: path, headers, payload, payloadAsStream: true, signal })
  const body = response.stream()
  body.on('error', ignore)
  return {
    status: response.statusCode,
    headers: response.headers as IncomingHttpHeaders,
    body,
    // Without an error, which the app would log.
    close: () => { response.raw.res.destroy() }
  }
}

/** Sends a request over a socket, and makes the app listen on a free port of 127.0.0.1 if it does not yet. */
export async function connect (app: App, request: StreamRequest): Promise<StreamResponse> {
  const port = await listen(app)
  const { server } = app as { server: unknown }
  const isSecure = server instanceof tls.Server
  // Those of HTTP/2 have no class to be seen.
  if (server instanceof http.Server || server instanceof https.Server) return connectHttp1(isSecure ? https : http, port, request)
  return connectHttp2(`${isSecure ? 'https' : 'http'}://127.0.0.1:${port}`, request)
}

const listening = new WeakMap<object, Promise<unknown>>()

// One call for all callers of that moment.
async function listen (app: App): Promise<number> {
  const { server } = app
  if (!server.listening) {
    // An app that was closed meanwhile is asked again, and says so.
    const started = listening.get(server) ?? app.listen({ port: 0, host: '127.0.0.1' }).finally(() => listening.delete(server))
    listening.set(server, started)
    await started
  }
  return (server.address() as AddressInfo).port
}

async function connectHttp1 (protocol: typeof http | typeof https, port: number, { method, path, headers, payload, signal }: StreamRequest): Promise<StreamResponse> {
  // Not every method gets a length by itself.
  const length = payload === undefined ? {} : { 'content-length': String(Buffer.byteLength(payload)) }
  // Certificates of tests are their own.
  const options = { host: '127.0.0.1', port, method, path, headers: { ...headers, ...length }, agent: false as const, rejectUnauthorized: false, signal }
  const request = protocol.request(options)
  request.end(payload)
  const [body] = await once(request, 'response') as [http.IncomingMessage]
  request.on('error', ignore)
  body.on('error', ignore)
  return { status: body.statusCode as number, headers: body.headers, body, close: () => request.destroy() }
}

async function connectHttp2 (origin: string, { method, path, headers, payload, signal }: StreamRequest): Promise<StreamResponse> {
  const session = http2.connect(origin, { rejectUnauthorized: false })
  try {
    await once(session, 'connect', { signal })
    const body = session.request({ ':method': method, ':path': path, ...headers }, { endStream: payload === undefined, signal })
    // A session is for one stream.
    body.on('close', () => session.destroy())
    if (payload !== undefined) body.end(payload)
    const { ':status': status, ...rest } = await new Promise<http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader>((resolve, reject) => {
      body.on('response', resolve)
      body.on('error', reject)
      // A reset without a code is not an error.
      body.on('close', () => reject(new Error(`The app closed the stream of ${method} ${path} without an answer`)))
    })
    return { status: status as number, headers: rest, body, close: () => body.close(http2.constants.NGHTTP2_CANCEL) }
  } catch (error) {
    session.destroy()
    throw error
  }
}

// The side that closes a connection gets an error for it.
function ignore (): void {}
