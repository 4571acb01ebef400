// The options of one stream, checked, and what all streams of an app share.
import { dialectNames, isDialectOption, type DialectOption } from '../dialects/list.js'
import { FST_CHIRP_OPTION } from '../errors.js'
import { MAX_RETRY, nameProblem, retryProblem } from '../sse/field.js'
import { choices } from '../util/describe.js'
import { MAX_TIME, named, refuse, refuseUnknown, time } from '../util/options.js'
import { streamKeys } from './keys.js'
import type { ClientKey, StreamOptions } from './types.js'

/** The settings of one stream; times in milliseconds, 0 is off. */
export interface StreamSettings {
  retry: number | false
  closeEvent: string | undefined
  heartbeat: number
  maxAge: number
  dialect: DialectOption
  event: string | undefined
  compress: boolean
  /** The keys that it can be closed by. */
  keys: readonly string[] | undefined
}

/** The settings that all streams of one app share; times in milliseconds, 0 is off. */
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

/** Milliseconds of silence before a comment is sent, by default. Clients know this number. */
export const HEARTBEAT = 15000

export const STREAM_OPTIONS = ['retry', 'closeEvent', 'heartbeat', 'maxAge', 'dialect', 'event', 'key', 'compress'] as const

/**
 * The settings of one stream: the app's, and over them what the call to
 * `reply.eventStream()` says.
 *
 * @throws FST_CHIRP_OPTION for an unknown option or a value that it cannot take.
 */
export function resolveStreamOptions (defaults: StreamSettings, options: StreamOptions | undefined, where = 'of reply.eventStream()'): StreamSettings {
  if (options === undefined) return defaults
  refuseUnknown(where, options, STREAM_OPTIONS)
  return { ...defaults, ...streamSettings(options, where) }
}

/** The settings that are given to the plugin, or `where`, checked; what is not given is not there. */
export function streamSettings (options: StreamOptions, where?: string): Partial<StreamSettings> {
  const settings: Partial<StreamSettings> = {}
  const { retry, closeEvent, heartbeat, maxAge, dialect, event, key, compress } = options
  if (retry !== undefined) settings.retry = retryTime(retry, where)
  if (closeEvent !== undefined) settings.closeEvent = eventName('closeEvent', closeEvent, where)
  if (heartbeat !== undefined) settings.heartbeat = time('heartbeat', heartbeat, 1000, 300000, where)
  if (maxAge !== undefined) settings.maxAge = time('maxAge', maxAge, 1, MAX_TIME, where)
  if (event !== undefined) settings.event = eventName('event', event, where)
  if (compress !== undefined) {
    if (typeof compress !== 'boolean') refuse('compress', 'true or false', compress, where)
    settings.compress = compress
  }
  if (key !== undefined) settings.keys = streamKeys(key, where)
  if (dialect !== undefined) {
    if (!isDialectOption(dialect)) refuse('dialect', choices(['auto', ...dialectNames()]), dialect, where)
    settings.dialect = dialect
  }
  return settings
}

// 0 is a time too: it asks clients to come back at once.
export function retryTime (value: unknown, where?: string): number | false {
  if (value === false) return false
  const problem = retryProblem(value)
  if (problem !== undefined) refuse('retry', `milliseconds from 0 to ${MAX_RETRY}, or false to switch it off`, value, where)
  return value as number
}

export function eventName (option: string, value: unknown, where?: string): string {
  const problem = value === '' ? `the ${option} must not be empty. Omit it` : nameProblem(option, value)
  if (problem !== undefined) throw new FST_CHIRP_OPTION(`${named(option, where)}: ${problem}`)
  return value as string
}
