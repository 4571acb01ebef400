// The private parts of Fastify that the checker reads. They are not in
// transport/private.ts, because the checker loads no code of streams.
import { symbolOf } from '../util/symbol.js'

/** Whether an app has `rewriteUrl`, for which there is no public way to ask: functions are not part of initialConfig. False where this one is gone. */
export function hasRewriteUrl (app: object): boolean {
  const options = symbolOf(app, 'fastify.options')
  return options !== undefined && (app as Record<symbol, { rewriteUrl?: unknown } | undefined>)[options]?.rewriteUrl !== undefined
}
