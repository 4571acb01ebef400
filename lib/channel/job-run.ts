// Runs the source of a job: pulls each value and hands it on, until the source
// has ended or the run is stopped.
import type { FastifyBaseLogger } from 'fastify'
import { openSource, type OpenSource } from '../stream/source.js'
import type { StreamSource } from '../stream/types.js'
import { describe } from '../util/describe.js'
import { isPromise } from '../util/promise.js'

/** The argument of the source function of a job. */
export interface JobContext {
  /** Aborts when the job is stopped, by `job.stop()` or by the end of the app. */
  readonly signal: AbortSignal
  /** The app's logger; its lines name the job. */
  readonly log: FastifyBaseLogger
}

/** A function that returns the source of a job, or a promise of it. */
export type JobSourceFunction = (context: JobContext) => StreamSource | Promise<StreamSource>

/** Takes the values of a run, and its end: one of these, once. */
export interface RunHost {
  /** Never rejects. */
  take (value: unknown): Promise<void>
  ended (): void
  failed (error: unknown): void
  /** A value came after the run was stopped. */
  dropped (): void
  /** Something failed after the run was stopped. */
  failedLate (error: unknown): void
}

// Values that are taken before other work gets its turn.
const TURN = 256

export class JobRun {
  readonly #host: RunHost
  readonly #log: FastifyBaseLogger
  readonly #controller = new AbortController()
  #source: OpenSource | undefined
  #isOver = false
  #running: Promise<void> = Promise.resolve()
  #closing: Promise<unknown> | undefined

  constructor (host: RunHost, log: FastifyBaseLogger) {
    this.#host = host
    this.#log = log
  }

  /** Starts at once, with a source that is open or is made now. */
  start (source: OpenSource | JobSourceFunction): void {
    this.#running = this.#run(source)
  }

  /** Resolves when the source is through with its work, which may be never. */
  async settled (): Promise<void> {
    await this.#running
    await this.#closing
  }

  stop (): void {
    this.#isOver = true
    // The signal first: it wakes a source that waits, which `return()` cannot.
    this.#controller.abort(new DOMException('The job was stopped', 'AbortError'))
    this.#close()
  }

  async #run (given: OpenSource | JobSourceFunction): Promise<void> {
    const host = this.#host
    try {
      const opened = typeof given === 'function' ? this.#open(given) : given
      const source = this.#source = isPromise(opened) ? await (opened as Promise<OpenSource>) : opened as OpenSource
      if (this.#isOver) return this.#close()
      for (let turn = 1; ; turn++) {
        const step = source.next()
        const result = isPromise(step) ? await step : step
        if (typeof result !== 'object' || result === null) throw new TypeError(`next() gave ${describe(result)}, not an object with done and value`)
        if (this.#isOver) {
          if (!result.done) host.dropped()
          return
        }
        if (result.done) break
        await host.take(result.value)
        if (turn % TURN === 0) await new Promise(setImmediate)
        if (this.#isOver) return
      }
    } catch (error) {
      if (this.#isOver) return host.failedLate(error)
      this.#isOver = true
      return host.failed(error)
    }
    this.#isOver = true
    host.ended()
  }

  #open (make: JobSourceFunction): OpenSource | Promise<OpenSource> {
    const made: unknown = make({ signal: this.#controller.signal, log: this.#log })
    return isPromise(made) ? Promise.resolve(made).then(openSource) : openSource(made)
  }

  #close (): void {
    const failed = (error: unknown): void => { this.#host.failedLate(error) }
    this.#closing = this.#source?.close(failed)?.catch(failed)
  }
}
