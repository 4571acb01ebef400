// Two ways to reach an app: an injected request, or a real socket.
import { once } from 'node:events'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'

/** What is asked for. */
export interface StreamRequest {
  method: string
  path: string
  headers: Record<string, string>
  payload: string | undefined
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
export async function inject (app: FastifyInstance, { method, path, headers, payload }: StreamRequest): Promise<StreamResponse> {
  const response = await app.inject({ method: method as 'GET', url: path, headers, payload, payloadAsStream: true })
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
export async function connect (app: FastifyInstance, { method, path, headers, payload }: StreamRequest): Promise<StreamResponse> {
  if (!app.server.listening) await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  // Not every method gets a length by itself.
  const length = payload === undefined ? {} : { 'content-length': String(Buffer.byteLength(payload)) }
  const request = httpRequest({ host: '127.0.0.1', port, method, path, headers: { ...headers, ...length }, agent: false })
  request.end(payload)
  const [body] = await once(request, 'response')
  request.on('error', ignore)
  body.on('error', ignore)
  return { status: body.statusCode, headers: body.headers, body, close: () => request.destroy() }
}

// Who closes a connection is told so by an error.
function ignore (): void {}
