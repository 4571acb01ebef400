// Runs the source of a channel while it has a reader, once for all, and
// publishes what it gives. A source is code of the app: it may fail, end, or never listen.
import { setMaxListeners } from 'node:events'
import type { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { FastifyBaseLogger } from 'fastify'
import { discardSource, openSource, type OpenSource } from '../stream/source.js'
import { describe } from '../util/describe.js'
import { tryLog } from '../util/log.js'
import { Backoff, WELL } from './backoff.js'

/** The argument of the source function of a channel. */
export interface ChannelSourceContext {
  /** Aborts when the source is stopped: some time after the last stream has closed, and when the channel closes. */
  readonly signal: AbortSignal
  /** The app's logger. */
  readonly log: FastifyBaseLogger
}

/** A source of the events of a channel. */
export type ChannelSourceValues<Event = unknown> = AsyncIterable<Event> | Iterable<Event> | Readable | ReadableStream<Event>

/** A function that returns the source of a channel, or a promise of it. */
export type ChannelSource<Event = unknown> = (context: ChannelSourceContext) => ChannelSourceValues<Event> | Promise<ChannelSourceValues<Event>>

/** The parts of its channel that a producer needs. */
export interface ProducerHost {
  /** The owner of the source, for messages: `channel "news"`. */
  owner: string
  source: ChannelSource
  /** Milliseconds from the last follower to the end of the source. */
  linger: number
  log: FastifyBaseLogger
  publish (value: unknown): Promise<unknown>
  report (error: unknown, message: string): void
}

/** One run of the source. */
interface Run {
  controller: AbortController
  opened?: OpenSource
  since: number
  isStopped: boolean
}

// Values that are published before other work gets its turn.
const TURN_LIMIT = 100

export class Producer {
  readonly #host: ProducerHost
  #followers = 0
  #run: Run | undefined
  #retry: NodeJS.Timeout | undefined
  #end: NodeJS.Timeout | undefined
  readonly #backoff = new Backoff()
  #isClosed = false

  constructor (host: ProducerHost) {
    this.#host = host
  }

  /** There is a reader; a source that starts now waits for the promise of `ready`, and for nothing else. */
  come (ready: () => Promise<unknown> | undefined): void {
    if (this.#followers++ > 0 || this.#isClosed) return
    clearTimeout(this.#end)
    // It has run on, or is about to be tried again.
    if (this.#run === undefined && this.#retry === undefined) this.#start(ready)
  }

  leave (): void {
    if (--this.#followers > 0 || this.#isClosed) return
    // It may have ended by itself.
    if (this.#run === undefined && this.#retry === undefined) return
    this.#end = setTimeout(() => this.#stop('it has no subscribed stream'), this.#host.linger).unref()
  }

  close (): void {
    this.#isClosed = true
    this.#stop('the app or the channel is closed')
  }

  #start (ready: () => Promise<unknown> | undefined): void {
    const run: Run = { controller: new AbortController(), since: Date.now(), isStopped: false }
    setMaxListeners(0, run.controller.signal)
    this.#run = run
    this.#pull(run, ready).then(() => this.#over(run), error => this.#over(run, { thrown: error }))
  }

  async #pull (run: Run, ready: () => Promise<unknown> | undefined): Promise<void> {
    await Promise.resolve().then(ready)
    if (run.isStopped) return
    const { source, log } = this.#host
    const given: unknown = await source({ signal: run.controller.signal, log })
    if (run.isStopped) return discardSource(given)
    const opened = run.opened = openSource(given)
    for (let turn = 1; ; turn++) {
      const result: unknown = await opened.next()
      if (run.isStopped) return
      if (typeof result !== 'object' || result === null) throw new TypeError(`next() gave ${describe(result)}, not an object with done and value`)
      const { done, value } = result as IteratorResult<unknown>
      if (done) return
      this.#backoff.reset()
      // publish() reports the failure of one value.
      await this.#host.publish(value).catch(() => {})
      if (turn % TURN_LIMIT === 0) await new Promise(setImmediate)
      if (run.isStopped) return
    }
  }

  /** The source has ended, or failed; one that was stopped has nothing more to say. */
  #over (run: Run, failure?: { thrown: unknown }): void {
    if (run.isStopped) {
      if (failure !== undefined) this.#late(failure.thrown)
      return
    }
    this.#run = undefined
    abort(run, 'the source is over')
    if (failure === undefined) return
    if (Date.now() - run.since >= WELL) this.#backoff.reset()
    const delay = this.#backoff.next()
    this.#host.report(failure.thrown, `the source of ${this.#host.owner} failed, and is started again in ${delay} ms`)
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.#start(() => undefined)
    }, delay).unref()
  }

  #stop (reason: string): void {
    clearTimeout(this.#end)
    clearTimeout(this.#retry)
    this.#retry = undefined
    const run = this.#run
    if (run === undefined) return
    this.#run = undefined
    abort(run, reason)
    const failed = (error: unknown): void => { this.#late(error) }
    run.opened?.close(failed)?.catch(failed)
  }

  #late (error: unknown): void {
    tryLog(this.#host.log, 'debug', { err: error }, `the source of ${this.#host.owner} failed after it was stopped`)
  }
}

function abort (run: Run, reason: string): void {
  run.isStopped = true
  run.controller.abort(new DOMException(`The source was stopped: ${reason}`, 'AbortError'))
}
