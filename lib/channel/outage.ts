// While an engine does not work, all that is asked of it fails. The log says so once, and once that it is over.
import type { FastifyBaseLogger } from 'fastify'
import { muteFailure } from '../stream/telemetry.js'
import { tryLog } from '../util/log.js'

export class Outage {
  readonly #log: FastifyBaseLogger
  // Undefined while it works.
  #outage: { since: number, failures: number } | undefined
  // It says itself when that is over: what it answers meanwhile it may know from before.
  #isTold = false

  constructor (log: FastifyBaseLogger) {
    this.#log = log
  }

  /** Something failed. All but the first are muted. */
  note (error: Error): void {
    if (this.#outage === undefined) {
      this.#outage = { since: Date.now(), failures: 0 }
    } else {
      this.#outage.failures++
      muteFailure(error)
    }
  }

  /** The engine says that it is out of reach. It is logged also where something has failed for that before. */
  begin (error: Error): void {
    if (this.#isTold) return this.note(error)
    this.#isTold = true
    this.#outage ??= { since: Date.now(), failures: 0 }
  }

  /** The engine says that it works again. */
  end (): void {
    this.#isTold = false
    this.works()
  }

  /** Something was done. */
  works (): void {
    if (this.#outage === undefined || this.#isTold) return
    const { since, failures } = this.#outage
    this.#outage = undefined
    tryLog(this.#log, 'info', { duration: Date.now() - since, failures }, 'the engine of the channels works again')
  }
}
