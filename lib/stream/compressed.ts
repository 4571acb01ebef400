// Whether a stream is compressed, and how its head says so.
import type { FastifyReply } from 'fastify'
import { CompressedConnection } from '../transport/compressed-connection.js'
import type { Destination } from '../transport/destination.js'
import { acceptedCoding } from '../transport/negotiation.js'
import type { Writer } from '../transport/payload.js'
import { headerOf } from '../util/request.js'
import type { Stream } from './stream.js'

const HEADER = 'content-encoding'

/** How the client wants a stream that may be compressed; undefined where it is sent as it is. */
export function codingFor (reply: FastifyReply): 'gzip' | undefined {
  const { request } = reply
  // The app, or somebody before us, has said how it is sent.
  if (reply.hasHeader(HEADER) || request.raw.headers['x-no-compression'] !== undefined) return undefined
  return acceptedCoding(headerOf(request, 'accept-encoding'), ['gzip'])
}

/** Starts a stream that is compressed, unless a hook is in between: what that transforms is not for the client. */
export class CompressedWriter implements Writer {
  readonly #stream: Stream
  readonly #reply: FastifyReply
  readonly #coding: string
  #isSaid = false

  constructor (stream: Stream, reply: FastifyReply, coding: string) {
    this.#stream = stream
    this.#reply = reply
    this.#coding = coding
  }

  prepare (): void {
    // A hook may compress it by itself, and a stream that is over before it began sends one frame.
    if (this.#stream.isOver || this.#reply.hasHeader(HEADER)) return
    this.#reply.header(HEADER, this.#coding).removeHeader('content-length')
    this.#isSaid = true
  }

  start (dest: Destination, end?: () => void): void {
    const { raw } = this.#reply
    if ((dest as unknown) === raw && !raw.headersSent && !raw.hasHeader(HEADER) && !this.#stream.isOver) {
      raw.setHeader(HEADER, this.#coding)
      raw.removeHeader('content-length')
      this.#isSaid = true
    }
    this.#stream.start(dest, end, this.#isSaid ? CompressedConnection : undefined)
  }
}
