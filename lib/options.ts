// Checks every option once, when the plugin is registered, and turns it into
// the form that streams use. A bad option must not wait for the first request.
import { checkEngine } from './channel/engine-check.js'
import { FST_CHIRP_OPTION } from './errors.js'
import { HEARTBEAT, type Settings, streamSettings } from './stream/settings.js'
import type { ChirpOptions } from './types.js'
import { integer, MAX_TIME, refuse, refuseUnknown, requireObject, time } from './util/options.js'

const OPTIONS = [
  'templates', 'debug', 'heartbeat', 'retry', 'closeEvent', 'maxBuffer', 'writeTimeout', 'maxAge', 'maxStreams',
  'maxStreamsPerClient', 'clientKey', 'shutdownGrace', 'dialect', 'client', 'clientUrl', 'contracts', 'engine', 'compress'
] as const
// Fastify adds these to the options of any plugin.
const FASTIFY_OPTIONS = ['prefix', 'logLevel', 'logSerializers', 'encapsulate']

/**
 * Checks the plugin's options and fills in the defaults.
 *
 * @throws FST_CHIRP_OPTION for an unknown option or a value that it cannot take.
 */
export function resolveOptions (options: ChirpOptions): Settings {
  // Fastify calls a function for them.
  requireObject('of app.register(chirp)', options)
  const own: Record<string, unknown> = { ...options }
  for (const name of FASTIFY_OPTIONS) Reflect.deleteProperty(own, name)
  refuseUnknown('of app.register(chirp)', own, OPTIONS)
  checkEngine(options.engine)
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
      heartbeat: HEARTBEAT,
      maxAge: 0,
      dialect: 'auto',
      event: undefined,
      compress: false,
      keys: undefined,
      ...streamSettings(options)
    }
  }
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
