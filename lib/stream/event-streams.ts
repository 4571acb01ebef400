// What an app knows of its streams, and how it ends them: app.eventStreams.
import type { FastifyBaseLogger } from 'fastify'
import { FST_CHIRP_OPTION } from '../errors.js'
import { describe } from '../util/describe.js'
import { MAX_TIME } from '../util/options.js'
import { checkKey } from './keys.js'
import { reportFailure } from './telemetry.js'
import type { EventStreamStats } from './types.js'

/** Who does it. */
interface Ending {
  closeKey (key: string): number
  drain (milliseconds: number): Promise<void>
  readonly isEnding: boolean
}

/** The other processes. */
export interface Others {
  /** Whether they can be reached. */
  readonly isReady: boolean
  closeKey (key: string): Promise<void>
}

/** The counters of one app, read live, and the end of its streams. */
export class EventStreams implements EventStreamStats {
  // Fields, so that a copy or JSON has all of them and nothing else.
  open = 0
  total = 0
  events = 0
  bytes = 0
  dropped = 0
  errors = 0
  readonly #ending: Ending
  readonly #log: FastifyBaseLogger
  #others: Others | undefined

  /** @internal */
  constructor (ending: Ending, log: FastifyBaseLogger) {
    this.#ending = ending
    this.#log = log
  }

  /**
   * Whether this process takes new streams: false from `drain()` or `app.close()` on, and while the engine is out of reach.
   * For the health check of a load balancer.
   */
  get ready (): boolean {
    return !this.#ending.isEnding && this.#others?.isReady !== false
  }

  /**
   * Ends every stream that was opened with this key: its client gets `chirp:closed` and a `retry` of 5 to 15 seconds.
   * Resolves to how many were here, in this registration of the plugin. With the option `engine` all registrations that
   * have this engine, in all processes, close theirs. It need not be awaited: what fails is logged. A promise that you
   * make of it is yours to catch.
   *
   * @throws FST_CHIRP_OPTION (as a rejection) for what is no key.
   * @throws FST_CHIRP_ENGINE (as a rejection) when the others could not be told. The streams that were here are closed.
   */
  close (key: string): Promise<number> {
    const closed = this.#close(key)
    closed.catch(error => {
      this.errors++
      reportFailure(this.#log, error, 'streams were not closed')
    })
    return closed
  }

  /**
   * Takes no new streams, whose clients get `chirp:closing`, and ends those that are open one after the other, spread over
   * so many milliseconds. Resolves when the last one has ended. `0` ends all at once. The app goes on otherwise.
   *
   * @throws FST_CHIRP_OPTION (as a rejection) for what is no such time.
   */
  async drain (milliseconds: number): Promise<void> {
    if (!Number.isSafeInteger(milliseconds) || milliseconds < 0 || milliseconds > MAX_TIME) {
      throw new FST_CHIRP_OPTION(`app.eventStreams.drain() takes the milliseconds over which streams are ended, 0 to ${MAX_TIME}, not ${describe(milliseconds)}`)
    }
    await this.#ending.drain(milliseconds)
  }

  /** @internal */
  reach (others: Others): void {
    this.#others = others
  }

  async #close (key: unknown): Promise<number> {
    const name = checkKey('the key of app.eventStreams.close()', key)
    const closed = this.#ending.closeKey(name)
    await this.#others?.closeKey(name)
    return closed
  }
}
