// Writes a page that comes in pieces: each leaves at once, and none is made
// before the client has taken those before it.
import type { FastifyReply } from 'fastify'
import { createBrotliCompress, createGzip, constants } from 'node:zlib'
import type { Destination } from '../transport/destination.js'
import { acceptedCoding, addVary } from '../transport/negotiation.js'
import { headerOf } from '../util/request.js'

/** What is written to: the response, or a compressor in front of it. */
type Target = Pick<Destination, 'write' | 'end' | 'flush'> & { once (event: string, listener: () => void): unknown, removeListener (event: string, listener: () => void): unknown }

export class Outlet {
  readonly #response: FastifyReply['raw']
  readonly #target: Target
  readonly #end: (() => void) | undefined
  readonly #writeTimeout: number

  /** @param end how it is ended, where that is not ours to do. */
  constructor (dest: Destination, end: (() => void) | undefined, reply: FastifyReply, encoding: Encoding | undefined, writeTimeout: number) {
    this.#response = reply.raw
    this.#end = end
    this.#writeTimeout = writeTimeout
    this.#target = dest as unknown as Target
    // What a hook transforms first is not for the client.
    if (encoding === undefined || (dest as unknown) !== reply.raw) return
    if (!reply.raw.headersSent) {
      reply.raw.setHeader('content-encoding', encoding)
      reply.raw.removeHeader('content-length')
    }
    const compressor = ENCODERS[encoding]()
    const cut = (): void => {
      compressor.destroy()
      this.#response.destroy()
    }
    compressor.on('error', cut)
    compressor.pipe(dest as unknown as NodeJS.WritableStream, { end: end === undefined })
    if (end !== undefined) compressor.once('end', end)
    this.#target = compressor as unknown as Target
    this.#end = undefined
    this.#response.once('close', cut)
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
    if (text !== '') this.#target.write(text)
    if (this.#end === undefined) this.#target.end()
    else this.#end()
  }

  get #isClosed (): boolean {
    const { destroyed, closed, writableEnded } = this.#response as FastifyReply['raw'] & { closed?: boolean }
    return destroyed === true || closed === true || writableEnded
  }

  #drained (): Promise<void> {
    return new Promise(resolve => {
      const done = (): void => {
        clearTimeout(timer)
        this.#target.removeListener('drain', done)
        this.#response.removeListener('close', done)
        resolve()
      }
      const timer = this.#writeTimeout === 0 ? undefined : setTimeout(() => { this.#response.destroy() }, this.#writeTimeout)
      this.#target.once('drain', done)
      this.#response.once('close', done)
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
 * How the answer is compressed, where @fastify/compress would: it holds pieces back until it has enough of them, so it
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
