// What a developer is told once, in debug.
import type { FastifyBaseLogger } from 'fastify'
import { Fragment } from '../html/fragment.js'
import { SSEEvent } from '../sse/event.js'
import { nameHazard } from '../sse/hazard.js'

/** Warns once about each event name that causes trouble. */
export class NameWarnings {
  readonly #log: FastifyBaseLogger
  readonly #told = new Set<string>()

  constructor (log: FastifyBaseLogger) {
    this.#log = log
  }

  /** Looks at the name that a value is sent under; `event` is that of plain values. */
  check (value: unknown, event?: string): void {
    const name = value instanceof SSEEvent ? value.event : value instanceof Fragment ? value.target : event
    if (name === undefined || this.#told.has(name)) return
    const hazard = nameHazard(name)
    if (hazard === undefined) return
    this.#told.add(name)
    this.#log.warn(`the event name "${name}" is asking for trouble: ${hazard}. Choose another one`)
  }
}
