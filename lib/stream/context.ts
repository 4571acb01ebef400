// What a source function is called with.
import { setMaxListeners } from 'node:events'
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import { FST_CHIRP_REQUEST_GONE } from '../errors.js'
import { hasParameter, headerOf, parameterOf } from '../util/request.js'
import type { StreamContext } from './types.js'

/** The parameter of an address that says after which event a stream goes on. */
export const LAST_EVENT_ID = 'lastEventId'

/** In the address of a stream: its page was loaded because of a gap. */
export const AFTER_GAP = 'chirp-gap'

export class Context implements StreamContext {
  readonly lastEventId: string
  readonly log: FastifyBaseLogger
  /** For messages; the request itself may be gone by then. */
  readonly requestId: string
  /** The route's pattern; undefined for a 404 handler. */
  readonly route: string | undefined
  readonly #isGiven: boolean
  #request: FastifyRequest | WeakRef<FastifyRequest>
  #isRequestUsed = false
  // Once the request is gone.
  #wasAfterGap = false
  #reason: string | undefined
  #controller: AbortController | undefined

  /** `isGiven`: a source function of the app gets it. */
  constructor (request: FastifyRequest, isGiven: boolean) {
    this.#isGiven = isGiven
    this.lastEventId = lastEventIdOf(request)
    this.log = request.log
    this.requestId = request.id
    this.route = request.routeOptions.url
    this.#request = request
  }

  get request (): FastifyRequest {
    this.#isRequestUsed = true
    if (!(this.#request instanceof WeakRef)) return this.#request
    const request = this.#request.deref()
    if (request === undefined) throw new FST_CHIRP_REQUEST_GONE()
    return request
  }

  /** The request, for those who do not keep the context; undefined when it may be gone. */
  get opening (): FastifyRequest | undefined {
    return this.#request instanceof WeakRef ? undefined : this.#request
  }

  /** Whether it is the first stream of a page that was loaded because of a gap. A client that comes back says its id in a header. */
  get isAfterGap (): boolean {
    const request = this.#request
    // A stream that is over has no gap any more.
    return request instanceof WeakRef ? this.#wasAfterGap : hasParameter(request, AFTER_GAP) && (headerOf(request, 'last-event-id') ?? '') === ''
  }

  // Made when asked for: an idle stream that never looks at it saves about a kilobyte.
  get signal (): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      // A stream may well follow a dozen things, each with a listener.
      setMaxListeners(0, this.#controller.signal)
      if (this.#reason !== undefined) this.#controller.abort(abortError(this.#reason))
    }
    return this.#controller.signal
  }

  /** Aborts the signal. */
  close (reason: string): void {
    this.#reason = reason
    this.#controller?.abort(abortError(reason))
  }

  /** Forgets the request where nobody else has the context: an idle stream saves some hundred bytes. To be called when the stream runs. */
  settle (): void {
    if (this.#isGiven) return
    this.#wasAfterGap = this.isAfterGap
    this.#request = FORGOTTEN
  }

  /**
   * Lets the request go where nobody has asked for it: a generator that waits
   * for ever keeps its arguments, and with the request it would keep the socket.
   */
  release (): void {
    if (this.#isGiven && !this.#isRequestUsed) this.#request = new WeakRef(this.#request as FastifyRequest)
  }
}

const FORGOTTEN = new WeakRef<FastifyRequest>({} as never)

// The name is what everyone who waits on a signal checks for.
function abortError (reason: string): DOMException {
  return new DOMException(`The event stream was closed: ${reason}`, 'AbortError')
}

/**
 * The id of the last event that the client saw. Node.js reads headers as
 * latin1 while clients write them in UTF-8 (9.2.2), so they are read anew.
 */
function lastEventIdOf (request: FastifyRequest): string {
  const header = headerOf(request, 'last-event-id')
  if (header !== undefined && header !== '') return Buffer.from(header, 'latin1').toString('utf8')
  return parameterOf(request, LAST_EVENT_ID) ?? ''
}
