// Listens to the diagnostics channels for one app, from instrument() to the end of the app.
import diagnostics from 'node:diagnostics_channel'
import type { FastifyBaseLogger } from 'fastify'
import { FST_CHIRP_OPTION } from '../errors.js'
import { isRegistered, whenClosed } from '../util/lifecycle.js'
import { tryLog } from '../util/log.js'
import { messageOf } from '../util/thrown.js'
import { Meters } from './meters.js'
import type { App, Providers } from './options.js'
import type { Host, Listener } from './part.js'
import { Spans } from './spans.js'

const instrumented = new WeakSet<object>()

const MISSING = 'instrument() found no fastify-chirp in this app. Register the plugin, await app.register(chirp), or leave instrument() out'

export class Instrumentation implements Host {
  readonly #server: object
  readonly #log: FastifyBaseLogger
  readonly #parts: Listener[] = []
  readonly #subscriptions: Array<[name: string, listener: (message: unknown) => void]> = []
  #forget: (() => void) | undefined
  #hasFailed = false
  #isOver = false

  /** @throws FST_CHIRP_OPTION */
  constructor (app: App, { meterProvider, tracerProvider }: Providers) {
    const { server } = app
    if (instrumented.has(server)) {
      throw new FST_CHIRP_OPTION('this app is instrumented already, and everything would be counted twice. Call instrument() once, or first the function that it gave')
    }
    this.#server = server
    this.#log = app.log as FastifyBaseLogger
    if (!isRegistered(server)) this.#expectPlugin(app)
    this.#add('meterProvider', meterProvider, provider => new Meters(provider.getMeter('fastify-chirp'), this))
    this.#add('tracerProvider', tracerProvider, provider => new Spans(provider.getTracer('fastify-chirp'), this))
    instrumented.add(server)
    for (const { handlers } of this.#parts) {
      for (const [name, handler] of Object.entries(handlers)) this.#subscribe(name, handler as (message: unknown) => void)
    }
    this.#forget = whenClosed(server, () => { this.stop() })
  }

  /** Does nothing the second time. */
  stop (): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#forget?.()
    instrumented.delete(this.#server)
    for (const [name, listener] of this.#subscriptions) diagnostics.unsubscribe(name, listener)
    for (const part of this.#parts) part.stop()
  }

  isOurs (message: unknown): boolean {
    const { app, stream } = message as { app?: { server?: unknown }, stream?: { app: { server: unknown } } }
    return (stream?.app ?? app)?.server === this.#server
  }

  safely<T> (call: () => T): T | undefined {
    try {
      return call()
    } catch (error) {
      // A listener that throws ends the process, and one that fails does so for each event.
      tryLog(this.#log, this.#hasFailed ? 'debug' : 'error', { err: error }, 'OpenTelemetry failed: metrics and spans are incomplete. Later failures are logged at debug')
      this.#hasFailed = true
    }
  }

  #add<P> (option: string, provider: P | undefined, create: (provider: P) => Listener): void {
    if (provider === undefined) return
    try {
      this.#parts.push(create(provider))
    } catch (cause) {
      this.stop()
      throw new FST_CHIRP_OPTION(`option "${option}" of instrument() failed (${messageOf(cause)})`, { cause })
    }
  }

  #subscribe (name: string, handler: (message: unknown) => void): void {
    const listener = (message: unknown): void => {
      this.safely(() => { if (this.isOurs(message)) handler(message) })
    }
    diagnostics.subscribe(name, listener)
    this.#subscriptions.push([name, listener])
  }

  #expectPlugin (app: App): void {
    try {
      app.addHook('onReady', async () => {
        if (isRegistered(this.#server)) return
        this.stop()
        throw new FST_CHIRP_OPTION(MISSING)
      })
    } catch (cause) {
      // An app that has started takes no plugin any more.
      throw new FST_CHIRP_OPTION(MISSING, { cause })
    }
  }
}
