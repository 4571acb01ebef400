// The destination of frames, and the calls on it beyond write() and end().
import type { Socket } from 'node:net'

// Listeners find their connection on the response itself, so that no closure
// is made for each one.
export const kConnection = Symbol('fastify-chirp.connection')

/** The emitter of its `drain` event. */
export interface Drainable {
  on (event: 'drain', listener: (this: Drainable) => void): unknown
  removeListener (event: 'drain', listener: (this: Drainable) => void): unknown
  [kConnection]?: { drained (): void } | undefined
}

/** Where frames are written: a response of HTTP/1.1 or HTTP/2, or a transform that a hook put before it. */
export interface Destination extends Drainable {
  write (bytes: string | Uint8Array): boolean
  end (): unknown
  destroy (): unknown
  /** Unknown on HTTP/2. */
  readonly destroyed?: boolean
  readonly writableEnded: boolean
  readonly writableLength: number
  /** The next four are those of an HTTP/1.1 response. */
  readonly socket?: Socket & Drainable & { _httpMessage?: unknown } | null
  readonly chunkedEncoding?: boolean
  readonly outputSize?: number
  readonly headersSent?: boolean
  /** The stream of an HTTP/2 response. */
  readonly stream?: { readonly destroyed: boolean, readonly session?: { destroy (): void } | undefined }
  /** Compressors have one. */
  flush?: () => void
}

/** Writes to a socket. Gives whether it holds bytes back: write() also says so of much that was taken at once. */
export function writeChunk (socket: Pick<Socket, 'write' | 'writableLength'>, chunk: Uint8Array): boolean {
  return !socket.write(chunk) && socket.writableLength > 0
}

/** Milliseconds of silence before the first keep-alive probe. */
export const KEEP_ALIVE_DELAY = 5000

/** Whether a response goes to no socket: one of `app.inject()`, or of what stands in for a server, as on AWS Lambda. */
export function isInjected ({ stream, socket }: Destination): boolean {
  return stream === undefined && socket != null && typeof socket.setKeepAlive !== 'function'
}

// Probes notice a peer that vanished without a word. HTTP/2 sockets are not
// ours to touch (see plugin.ts), injected and wrapped ones cannot do it.
export function keepAlive (dest: Destination): void {
  if (dest.stream === undefined) dest.socket?.setKeepAlive?.(true, KEEP_ALIVE_DELAY)
}
