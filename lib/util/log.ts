// Loggers and their serializers are code of the app, and what they throw is
// not a reason to lose a stream, an event or the process.
import type { FastifyBaseLogger } from 'fastify'

/** Logs one line; false when the logger threw. */
export function tryLog (log: FastifyBaseLogger, level: 'debug' | 'info' | 'warn' | 'error', fields: object, message: string): boolean {
  try {
    log[level](fields, message)
    return true
  } catch {
    return false
  }
}
