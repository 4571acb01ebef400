// Checks every option once, when the plugin is registered, and turns it into
// the form that streams use. A bad option must not wait for the first request.
import { FST_CHIRP_OPTION } from './errors.js'
import { describe, MAX_RETRY, nameProblem, retryProblem } from './sse/field.js'
import type { ChirpOptions, ClientKey, DialectOption, StreamOptions } from './types.js'

/** What one stream needs to know; times in milliseconds, 0 is off. */
export interface StreamSettings {
  retry: number | false
  closeEvent: string | undefined
  heartbeat: number
  maxAge: number
  dialect: DialectOption
  event: string | undefined
}

/** What is the same for every stream of one app; times in milliseconds, 0 is off. */
export interface Settings {
  debug: boolean
  /** Where the client script is served. */
  client: string | undefined
  /** The address that pages load it from, if it is another one. */
  clientUrl: string | undefined
  maxBuffer: number
  writeTimeout: number
  maxStreams: number
  maxStreamsPerClient: number
  clientKey: ClientKey
  shutdownGrace: number
  stream: StreamSettings
}

// Node.js timers overflow above this.
const MAX_TIME = 2147483647

const STREAM_OPTIONS = ['retry', 'closeEvent', 'heartbeat', 'maxAge', 'dialect', 'event'] as const
const OPTIONS = [
  'templates', 'debug', 'heartbeat', 'retry', 'closeEvent', 'maxBuffer', 'writeTimeout', 'maxAge', 'maxStreams',
  'maxStreamsPerClient', 'clientKey', 'shutdownGrace', 'dialect', 'client', 'clientUrl', 'contracts'
] as const
// Fastify adds these to the options of any plugin.
const FASTIFY_OPTIONS = ['prefix', 'logLevel', 'logSerializers', 'encapsulate']

/**
 * Checks the plugin's options and fills in the defaults.
 *
 * @throws FST_CHIRP_OPTION for an unknown option or a value that it cannot take.
 */
export function resolveOptions (options: ChirpOptions): Settings {
  refuseUnknown(options, [...OPTIONS, ...FASTIFY_OPTIONS], OPTIONS)
  const { debug, maxBuffer, writeTimeout, maxStreams, maxStreamsPerClient, clientKey, shutdownGrace } = options
  if (debug !== undefined && typeof debug !== 'boolean') refuse('debug', 'true or false', debug)
  if (clientKey !== undefined && typeof clientKey !== 'function') {
    refuse('clientKey', 'a function of the request that returns a string', clientKey)
  }
  if (clientKey !== undefined && maxStreamsPerClient === undefined) {
    throw new FST_CHIRP_OPTION('option "clientKey" has no effect without "maxStreamsPerClient". Set both')
  }
  return {
    debug: debug ?? process.env.NODE_ENV !== 'production',
    client: clientPath(options.client),
    clientUrl: clientAddress(options.clientUrl),
    maxBuffer: integer('maxBuffer', maxBuffer, 1, Number.MAX_SAFE_INTEGER) ?? 1024 * 1024,
    writeTimeout: time('writeTimeout', writeTimeout, 1, MAX_TIME) ?? 10000,
    maxStreams: integer('maxStreams', maxStreams, 1, Number.MAX_SAFE_INTEGER) ?? 0,
    maxStreamsPerClient: integer('maxStreamsPerClient', maxStreamsPerClient, 1, Number.MAX_SAFE_INTEGER) ?? 0,
    clientKey: clientKey ?? (request => request.ip),
    shutdownGrace: integer('shutdownGrace', shutdownGrace, 0, MAX_TIME) ?? 2000,
    stream: {
      retry: 3000,
      closeEvent: undefined,
      heartbeat: 15000,
      maxAge: 0,
      dialect: 'auto',
      event: undefined,
      ...streamSettings(options)
    }
  }
}

/**
 * The settings of one stream: the app's, and over them what the call to
 * `reply.eventStream()` says.
 *
 * @throws FST_CHIRP_OPTION for an unknown option or a value that it cannot take.
 */
export function resolveStreamOptions (defaults: StreamSettings, options: StreamOptions | undefined): StreamSettings {
  if (options === undefined) return defaults
  if (typeof options !== 'object' || options === null) {
    throw new FST_CHIRP_OPTION(`the options of reply.eventStream() must be an object, not ${describe(options)}`)
  }
  refuseUnknown(options, STREAM_OPTIONS, STREAM_OPTIONS)
  return { ...defaults, ...streamSettings(options) }
}

/** The settings that are given, checked; what is not given is not there. */
function streamSettings (options: StreamOptions): Partial<StreamSettings> {
  const settings: Partial<StreamSettings> = {}
  const { retry, closeEvent, heartbeat, maxAge, dialect, event } = options
  if (retry !== undefined) settings.retry = retryTime(retry)
  if (closeEvent !== undefined) settings.closeEvent = eventName('closeEvent', closeEvent)
  if (heartbeat !== undefined) settings.heartbeat = time('heartbeat', heartbeat, 1000, 300000)
  if (maxAge !== undefined) settings.maxAge = time('maxAge', maxAge, 1, MAX_TIME)
  if (event !== undefined) settings.event = eventName('event', event)
  if (dialect !== undefined) {
    if (dialect !== 'auto' && dialect !== 'htmx2' && dialect !== 'htmx4') {
      refuse('dialect', "'auto', 'htmx2' or 'htmx4'", dialect)
    }
    settings.dialect = dialect
  }
  return settings
}

function integer (option: string, value: unknown, min: number, max: number): number | undefined {
  if (value === undefined) return
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    const upTo = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
    refuse(option, `a whole number ${upTo}`, value)
  }
  return value
}

function time (option: string, value: unknown, min: number, max: number): number | undefined {
  if (value === false) return 0
  if (value === true || value === 0) refuse(option, `milliseconds from ${min} to ${max}, or false to switch it off`, value)
  return integer(option, value, min, max)
}

// 0 is a time too: it asks clients to come back at once.
function retryTime (value: unknown): number | false {
  if (value === false) return false
  const problem = retryProblem(value)
  if (problem !== undefined) refuse('retry', `milliseconds from 0 to ${MAX_RETRY}, or false to switch it off`, value)
  return value as number
}

function clientPath (value: unknown = '/_chirp'): string | undefined {
  if (value === false) return
  if (typeof value !== 'string' || !/^(\/[\w.~-]+)+$/.test(value)) {
    refuse('client', 'a path such as "/_chirp", or false to switch it off', value)
  }
  return value
}

// One that is relative would be another one on each page.
function clientAddress (value: unknown): string | undefined {
  if (value === undefined) return
  if (typeof value !== 'string' || !/^(https?:\/)?\/[^\s"'<>\\#]+$/.test(value)) {
    refuse('clientUrl', 'an address from the root, such as "/app/_chirp/client.js", or a whole one, such as "https://cdn.example/client.js"', value)
  }
  return value
}

function eventName (option: string, value: unknown): string {
  const problem = value === '' ? `the ${option} must not be empty. Omit it` : nameProblem(option, value)
  if (problem !== undefined) throw new FST_CHIRP_OPTION(`option "${option}": ${problem}`)
  return value as string
}

/** @throws FST_CHIRP_OPTION for an option that is not `known`. */
export function refuseUnknown (options: object, known: readonly string[], listed: readonly string[] = known): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new FST_CHIRP_OPTION(`there is no option "${name}" here. The options are ${listed.join(', ')}`)
    }
  }
}

function refuse (option: string, wanted: string, value: unknown): never {
  throw new FST_CHIRP_OPTION(`option "${option}" must be ${wanted}, not ${describe(value)}`)
}
