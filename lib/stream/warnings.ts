// Warnings for a developer, each logged once, in debug.
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import { Fragment } from '../message/fragment.js'
import { Fragments } from '../message/fragments.js'
import { SSEEvent } from '../sse/event.js'
import { nameHazard } from '../sse/names.js'
import { quote } from '../util/describe.js'
import { isOf } from '../util/kind.js'
import { tryLog } from '../util/log.js'
import { isReturnedSource } from './returned.js'

/** Warns once about each event name, once about ids, and once about each route, that cause trouble. */
export class Warnings {
  readonly #log: FastifyBaseLogger
  readonly #told = new Set<string>()
  #hasToldOfIds = false

  constructor (log: FastifyBaseLogger) {
    this.#log = log
  }

  /** Checks the event name and the id of a value; `event` is the name of plain values. */
  check (value: unknown, event?: string): void {
    if (isOf(value, SSEEvent)) this.#checkBoth(value.event, value.id)
    else if (isOf(value, Fragment)) this.#checkBoth(value.target, value.id)
    else if (isOf(value, Fragments)) this.#checkBoth(undefined, value.id)
    else this.checkName(event)
  }

  checkName (name: string | undefined): void {
    if (name === undefined || this.#told.has(name)) return
    const hazard = nameHazard(name)
    if (hazard === undefined) return
    this.#told.add(name)
    this.#warn(`the event name "${name}" causes trouble: ${hazard}. Choose another one`)
  }

  /** Warns that a page waits for a deferred value before it leaves, and why. */
  checkDeferred (template: string, variable: string, why: string): void {
    const key = `deferred ${template} ${variable} ${why}`
    if (this.#told.has(key)) return
    this.#told.add(key)
    this.#warn(`the page ${template} waits for the deferred value "${variable}": it ${why}. Put what reads it into a block of its own`)
  }

  /** Warns of a promise in the context of a page: templates cannot wait for it. */
  checkPromise (template: string, variable: string): void {
    const key = `promise ${template} ${variable}`
    if (this.#told.has(key)) return
    this.#told.add(key)
    this.#warn(`the context of ${template} has a promise as "${variable}", and templates cannot wait for it. Await it, or let the blocks that read it follow later: { ${variable}: defer(promise) }`)
  }

  /** Checks the status of a stream that is about to start. */
  checkStatus (request: FastifyRequest, status: number): void {
    // Only GET is what an EventSource sends; fetch() reads a stream of any status.
    if (status === 200 || request.method !== 'GET') return
    this.#tellOfRoute(request, route =>
      `${route} sent an event stream with status ${status}. An EventSource reads it with status 200 only, and gives up for good otherwise. Remove reply.code(${status})`)
  }

  /** Checks a value that is about to become JSON. */
  checkPayload (request: FastifyRequest, payload: unknown): void {
    if (!isReturnedSource(payload)) return
    this.#tellOfRoute(request, route =>
      `${route} was given something to stream, such as an async generator, and answered with its JSON. Write "return reply.eventStream(source)", or, for what the handler returns, add the route with { live: true } after the plugin was registered`)
  }

  #tellOfRoute (request: FastifyRequest, say: (route: string) => string): void {
    const { config, method = request.method, url = request.url } = request.routeOptions
    if (toldRoutes.has(config)) return
    toldRoutes.add(config)
    this.#warn(say(`${String(method)} ${url}`))
  }

  #warn (message: string): void {
    tryLog(this.#log, 'warn', {}, message)
  }

  #checkBoth (name: string | undefined, id: string | undefined): void {
    this.checkName(name)
    if (id === undefined || /^[ -~]*$/.test(id) || this.#hasToldOfIds) return
    this.#hasToldOfIds = true
    this.#warn(`the id ${quote(id)} has characters beyond ASCII. Several clients, htmx 4 among them, cannot send it back: they fail and never reconnect. Use letters and digits`)
  }
}

/** By their configs. Registrations within each other share them, because each may look at the same answer. */
const toldRoutes = new WeakSet<object>()
