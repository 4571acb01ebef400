// The payload for reply.send(): Fastify takes it for a stream, runs every
// onSend hook, prepares the head and calls `pipe()`. From there on frames are
// written straight to the response, without a Readable in between.
import type { FastifyReply } from 'fastify'
import type { Destination } from './destination.js'
import { trailersOf } from './private.js'

/** The writer of the response. */
export interface Writer {
  start (dest: Destination, end?: () => void): void
  /** Adds headers that are true only without code in between. Called where the head leaves before {@link start}. */
  prepare? (): void
}

type Listener = (...values: unknown[]) => void

export class StreamPayload {
  readonly #writer: Writer
  #reply: FastifyReply | undefined
  #onEnd: Listener[] = []

  constructor (writer: Writer, reply: FastifyReply) {
    this.#writer = writer
    this.#reply = reply
  }

  /** Called by Fastify, or by a hook that transforms the payload, when it is time to write. */
  pipe<T extends Destination> (dest: T, options?: { end?: boolean }): T {
    const reply = this.#reply!
    this.#reply = undefined
    const isResponse = (dest as unknown) === reply.raw
    // Hijacked, the reply is safe from a handler that throws later, and from handlerTimeout.
    if (isResponse) reply.hijack()
    if (isResponse && reply.raw.statusCode === 304) {
      dest.end()
    } else if (options?.end === false || (isResponse && trailersOf(reply))) {
      // Other code ends the response: a transform, or Fastify for the sake of
      // trailers, of which old releases say nothing here. They may begin to
      // listen for the end only after this call.
      this.#writer.start(dest, () => this.#emitEnd())
    } else {
      // For Fastify the payload has ended: it need not watch it, nor log a client
      // that leaves as an error.
      if (isResponse) this.#emitEnd()
      this.#writer.start(dest)
    }
    return dest
  }

  /** Called before the head leaves, where it does before {@link pipe}. */
  prepare (): void {
    this.#writer.prepare?.()
  }

  /** Called instead of {@link pipe} where no body is sent (HEAD, 204); the response then closes. */
  resume (): this {
    return this
  }

  /** Called when the response closes before the end; it tells its stream itself. */
  destroy (): void {}

  on (event: string, listener: Listener): this {
    if (event === 'end') this.#onEnd.push(listener)
    return this
  }

  once (event: string, listener: Listener): this {
    return this.on(event, listener)
  }

  removeListener (): this {
    return this
  }

  #emitEnd (): void {
    const listeners = this.#onEnd
    this.#onEnd = []
    for (const listener of listeners) listener()
  }
}
