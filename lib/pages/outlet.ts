// Writes a page that comes in pieces: each leaves at once, and none is made
// before the client has taken those before it.
import type { FastifyReply } from 'fastify'
import { createBrotliCompress, createGzip, constants, type BrotliCompress, type Gzip } from 'node:zlib'
import type { Destination } from '../transport/destination.js'
import { acceptedCoding, addVary } from '../transport/negotiation.js'
import { headerOf } from '../util/request.js'

/** The destination: the response, or a compressor in front of it. */
type Target = Pick<Destination, 'write' | 'flush'> & { end (text: string): unknown, once (event: string, listener: () => void): unknown, removeListener (event: string, listener: () => void): unknown }

export class Outlet {
  readonly #response: FastifyReply['raw']
  readonly #target: Target
  readonly #end: (() => void) | undefined
  readonly #writeTimeout: number
  readonly #cut: () => void
  #compressor: BrotliCompress | Gzip | undefined
  #hasLeft = false
  #wake: (() => void) | undefined

  /**
   * @param end how it is ended, where that is not ours to do.
   * @param cut ends the connection.
   */
  constructor (dest: Destination, end: (() => void) | undefined, reply: FastifyReply, encoding: Encoding | undefined, writeTimeout: number, cut: () => void) {
    this.#response = reply.raw
    this.#end = end
    this.#writeTimeout = writeTimeout
    this.#cut = cut
    this.#target = dest as unknown as Target
    // Text that a hook transforms first is not for the client.
    if (encoding === undefined || (dest as unknown) !== reply.raw) return
    if (!reply.raw.headersSent) {
      reply.raw.setHeader('content-encoding', encoding)
      reply.raw.removeHeader('content-length')
    }
    const compressor = this.#compressor = ENCODERS[encoding]()
    compressor.on('error', cut)
    compressor.pipe(dest as unknown as NodeJS.WritableStream, { end: end === undefined })
    if (end !== undefined) compressor.once('end', end)
    this.#target = compressor as unknown as Target
    this.#end = undefined
  }

  /** The client has left. */
  left (): void {
    this.#hasLeft = true
    this.#compressor?.destroy()
    this.#wake?.()
  }

  /** Resolves to whether the client can take more, and false when it never will. */
  async write (text: string): Promise<boolean> {
    if (this.#isClosed) return false
    const target = this.#target
    const mayGoOn = target.write(text)
    // A compressor keeps what it gets until told not to.
    target.flush?.()
    if (mayGoOn === false) await this.#drained()
    return !this.#isClosed
  }

  /** Writes the last piece. */
  end (text: string): void {
    if (this.#end === undefined) {
      this.#target.end(text)
      return
    }
    if (text !== '') this.#target.write(text)
    this.#end()
  }

  get #isClosed (): boolean {
    const { destroyed, closed, writableEnded } = this.#response as FastifyReply['raw'] & { closed?: boolean }
    return this.#hasLeft || destroyed === true || closed === true || writableEnded
  }

  #drained (): Promise<void> {
    return new Promise(resolve => {
      const done = (): void => {
        clearTimeout(timer)
        this.#target.removeListener('drain', done)
        this.#wake = undefined
        resolve()
      }
      const timer = this.#writeTimeout === 0 ? undefined : setTimeout(this.#cut, this.#writeTimeout)
      this.#target.once('drain', done)
      this.#wake = done
    })
  }
}

type Encoding = 'br' | 'gzip'

const ENCODERS = {
  // As @fastify/compress: more takes longer than it gains.
  br: () => createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
  gzip: () => createGzip()
}

/**
 * The encoding of the answer, where @fastify/compress would compress it: that holds pieces back until it has enough, so it
 * is told to leave this one alone. An {@link Outlet} says so in its head, because a hook may still replace the answer.
 */
export function encodingFor (reply: FastifyReply): Encoding | undefined {
  if (typeof (reply as { compress?: unknown }).compress !== 'function' || reply.hasHeader('content-encoding')) return undefined
  const { request } = reply
  if (request.raw.headers['x-no-compression'] !== undefined) return undefined
  request.raw.headers['x-no-compression'] = 'parts of a page'
  addVary(reply, 'Accept-Encoding')
  return acceptedCoding(headerOf(request, 'accept-encoding'), ['br', 'gzip'])
}
