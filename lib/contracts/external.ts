// Paths that something else than the app answers.
import createRouter from 'find-my-way'
import { FST_CHIRP_OPTION } from '../errors.js'

// There has to be one, and it is never called.
const HANDLER = Function.prototype as () => void

/**
 * A router of patterns of paths.
 *
 * @throws FST_CHIRP_OPTION for a value that is not a pattern.
 */
export function createExternal (patterns: readonly string[]) {
  const router = createRouter()
  for (const pattern of new Set(patterns)) {
    try {
      router.on('GET', pattern, HANDLER)
    } catch (error) {
      throw new FST_CHIRP_OPTION(`option "external" has a pattern that Fastify would not take for a route either: ${pattern} (${(error as Error).message})`, { cause: error })
    }
  }
  return router
}
