// The streams of an app, their counters, and how they are ended: app.eventStreams.
import type { FastifyBaseLogger } from 'fastify'
import { FST_CHIRP_OPTION } from '../errors.js'
import { describe } from '../util/describe.js'
import { MAX_TIME } from '../util/options.js'
import { settled } from '../util/promise.js'
import { checkKey } from './keys.js'
import { reportFailure } from './telemetry.js'
import type { EventStreams } from './types.js'

/** The parts that do the work. */
interface Ending {
  closeKey (key: string): Promise<number>
  drain (milliseconds: number): Promise<void>
  readonly isEnding: boolean
}

/** The other processes. */
export interface Others {
  /** Whether they can be reached. */
  readonly isReady: boolean
  /** Tells them. Resolves when earlier events of this process have arrived in it. */
  closeKey (key: string): Promise<void>
}

/** Milliseconds that the streams of this process wait until the others are told. */
const TOLD_LIMIT = 1000

export class StreamControls implements EventStreams {
  // Fields, so that a copy or JSON has all of them and nothing else.
  open = 0
  total = 0
  events = 0
  bytes = 0
  dropped = 0
  errors = 0
  renders = 0
  partsPending = 0
  partsFailed = 0
  readonly #ending: Ending
  readonly #log: FastifyBaseLogger
  #others: Others | undefined

  /** @internal */
  constructor (ending: Ending, log: FastifyBaseLogger) {
    this.#ending = ending
    this.#log = log
  }

  get ready (): boolean {
    return !this.#ending.isEnding && this.#others?.isReady !== false
  }

  close (key: string): Promise<number> {
    const closed = this.#close(key)
    closed.catch(error => {
      this.errors++
      reportFailure(this.#log, error, 'streams were not closed')
    })
    return closed
  }

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
    const told = this.#others?.closeKey(name)
    // Where it cannot be told, or takes long, the streams here do not stay open for that.
    if (told !== undefined) await settled(told, TOLD_LIMIT)
    const closed = await this.#ending.closeKey(name)
    await told
    return closed
  }
}
