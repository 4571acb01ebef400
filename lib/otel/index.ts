// The public names of fastify-chirp/otel.
import { Instrumentation } from './instrumentation.js'
import { checkApp, checkOptions, type App, type InstrumentOptions } from './options.js'

/**
 * Sends metrics and spans of all streams, channels and renders of an app to OpenTelemetry: `instrument(app)`. Call it
 * once, when the SDK has been started, before or after the plugin is registered. It covers all scopes of the app. The
 * function that it returns switches it off; so does the end of the app.
 *
 * @throws FST_CHIRP_OPTION for a value that is not an app, for an app without the plugin, for one that is instrumented already, and
 * for unknown options and bad values. Where the plugin is missing, `app.ready()` rejects with it.
 */
export function instrument (app: App, options: InstrumentOptions = {}): () => void {
  checkApp(app)
  const instrumentation = new Instrumentation(app, checkOptions(options))
  return () => { instrumentation.stop() }
}

export type { App, InstrumentOptions } from './options.js'
