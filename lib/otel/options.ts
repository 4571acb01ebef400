// The options of instrument(), checked.
import { metrics, trace, type MeterProvider, type TracerProvider } from '@opentelemetry/api'
import { FST_CHIRP_OPTION } from '../errors.js'
import { describe } from '../util/describe.js'
import { hasMethod } from '../util/kind.js'
import { refuse, refuseUnknown } from '../util/options.js'

/** Options of `instrument()`. */
export interface InstrumentOptions {
  /**
   * Where metrics go. Default: the global provider of `@opentelemetry/api` at the moment of the call, so start the SDK
   * before. Off: `false`.
   */
  meterProvider?: MeterProvider | false | undefined
  /** Where spans go. Default: the global provider of `@opentelemetry/api`. Off: `false`. */
  tracerProvider?: TracerProvider | false | undefined
}

/** The parts of a Fastify app that instrument() needs. */
export interface App {
  /** The server of the app, by which its scopes are known. */
  readonly server: object
  /** The app's logger. */
  readonly log: unknown
  /** Adds a hook that runs when the app is ready. */
  addHook (name: 'onReady', hook: () => Promise<void>): unknown
}

export interface Providers {
  meterProvider: MeterProvider | undefined
  tracerProvider: TracerProvider | undefined
}

export function checkApp (app: unknown): asserts app is App {
  if (typeof app === 'object' && app !== null && hasMethod(app, 'addHook') && typeof (app as Partial<App>).server === 'object') return
  throw new FST_CHIRP_OPTION(`instrument() takes the Fastify app, not ${describe(app)}. Call instrument(app, options)`)
}

export function checkOptions (options: unknown): Providers {
  refuseUnknown('of instrument()', options, ['meterProvider', 'tracerProvider'])
  const { meterProvider = metrics.getMeterProvider(), tracerProvider = trace.getTracerProvider() } = options as InstrumentOptions
  return {
    meterProvider: provider('meterProvider', meterProvider, 'getMeter'),
    tracerProvider: provider('tracerProvider', tracerProvider, 'getTracer')
  }
}

function provider<P extends object> (option: string, value: P | false, method: string): P | undefined {
  if (value === false) return undefined
  if (typeof value !== 'object' || value === null || !hasMethod(value, method)) {
    refuse(option, `an object with ${method}(), such as the SDK makes, or false to switch it off`, value, 'of instrument()')
  }
  return value
}
