// What a developer is told once, in debug.
import type { FastifyBaseLogger } from 'fastify'
import { Fragment } from '../html/fragment.js'
import { Fragments } from '../html/fragments.js'
import { SSEEvent } from '../sse/event.js'
import { quote } from '../sse/field.js'
import { nameHazard } from '../sse/hazard.js'

/** Warns once about each event name, and once about ids, that cause trouble. */
export class NameWarnings {
  readonly #log: FastifyBaseLogger
  readonly #told = new Set<string>()
  #hasToldOfIds = false

  constructor (log: FastifyBaseLogger) {
    this.#log = log
  }

  /** Looks at what a value is sent under; `event` is the name of plain values. */
  check (value: unknown, event?: string): void {
    if (value instanceof SSEEvent) this.#checkBoth(value.event, value.id)
    else if (value instanceof Fragment) this.#checkBoth(value.target, value.id)
    else if (value instanceof Fragments) this.#checkBoth(undefined, value.id)
    else this.checkName(event)
  }

  checkName (name: string | undefined): void {
    if (name === undefined || this.#told.has(name)) return
    const hazard = nameHazard(name)
    if (hazard === undefined) return
    this.#told.add(name)
    this.#log.warn(`the event name "${name}" is asking for trouble: ${hazard}. Choose another one`)
  }

  #checkBoth (name: string | undefined, id: string | undefined): void {
    this.checkName(name)
    if (id === undefined || /^[ -~]*$/.test(id) || this.#hasToldOfIds) return
    this.#hasToldOfIds = true
    this.#log.warn(`the id ${quote(id)} has characters beyond ASCII, which htmx 4 cannot send back: it would never reconnect. Use letters and digits`)
  }
}
