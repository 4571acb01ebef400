// Work that does not end with its client. What it yields goes to a channel of
// its own, and its end is a record of that channel.
import type { FastifyBaseLogger } from 'fastify'
import type { EventRecord, JobEnd } from '../dialects/record.js'
import { kAttach, type Attachment, type Feed, type Location, type Outlet } from '../stream/feed.js'
import type { OpenSource } from '../stream/source.js'
import { quote } from '../util/describe.js'
import { tryLog } from '../util/log.js'
import { whenDone, type MaybePromise } from '../util/promise.js'
import { isAbortError, messageOf } from '../util/thrown.js'
import type { Channel } from './channel.js'
import { JobRun, type JobSourceFunction, type RunHost } from './job-run.js'
import { JobSink, type SinkHost } from './job-sink.js'
import { JobTrack } from './job-track.js'
import type { ChannelOptions } from './options.js'

/** What becomes of a job: its source ended by itself, it failed, or it was stopped. */
export type JobState = 'running' | 'ended' | 'failed' | 'stopped'

/** Options of `app.job()`. */
export interface JobOptions {
  /** Milliseconds after its end in which a job can still be found, and streamed from its first event. Default: 60000. Off: `0`. */
  keep?: number | undefined
  /** How many of its events are kept for those who come or come back. Default: 1000. Off: `0`. */
  history?: number | undefined
}

/** What a job needs of the app. */
export interface JobEnvironment {
  log: FastifyBaseLogger
  /** Whether clients are told what a failure was. */
  debug: boolean
  /** A channel of the job's own. */
  open (options: ChannelOptions, recordOf: (value: unknown) => EventRecord | undefined): Channel
  report (error: unknown, message: string): void
  /** The job is to be found no more. */
  forgotten (job: Job): void
}

/** The last thing that a job publishes. */
class EndMark {
  readonly end: JobEnd

  constructor (end: JobEnd) {
    this.end = end
  }
}

/** A job: what `app.job()` gives, for `reply.eventStream()`, `reply.page()` with `live`, and `merge()`. */
export class Job implements Feed {
  /** What the job is found by. */
  readonly id: string
  /** Resolves to the state that the job ends in, as soon as it has one. Never rejects. */
  readonly done: Promise<JobState>
  readonly #app: JobEnvironment
  readonly #keep: number
  readonly #channel: Channel
  readonly #track: JobTrack
  readonly #run: JobRun
  readonly #sinks = new Set<JobSink>()
  readonly #host: SinkHost
  readonly #started = performance.now()
  #state: JobState = 'running'
  #outcome: JobEnd = { state: 'stopped' }
  #tellDone!: (state: JobState) => void
  #marked: Promise<unknown> | undefined
  #timer: NodeJS.Timeout | undefined
  #isForgotten = false
  #events = 0

  /** Made by `app.job()`. @internal */
  constructor (id: string, { keep = 60000, history = 1000 }: JobOptions, app: JobEnvironment) {
    this.id = id
    this.#app = app
    this.#keep = keep
    this.#channel = app.open({ history }, value => value instanceof EndMark ? { end: value.end } : undefined)
    this.#track = new JobTrack(history, () => this.#endKnown())
    this.done = new Promise(resolve => { this.#tellDone = resolve })
    const job = this
    this.#host = {
      get end () { return job.#track.end },
      get outcome () { return job.#outcome },
      attach: (sink, cursor) => this.#channel.attach(sink, cursor),
      left: sink => {
        this.#sinks.delete(sink)
        this.#release()
      }
    }
    this.#run = new JobRun(this.#runHost(), app.log)
  }

  /** `running`, or the state that it ended in. */
  get state (): JobState {
    return this.#state
  }

  /** Aborts the signal of the source and closes it; the job is `stopped`, and what the source yields later is dropped. Gives `done`. */
  stop (): Promise<JobState> {
    if (this.#state === 'running') {
      this.#run.stop()
      this.#over({ state: 'stopped' })
    }
    return this.done
  }

  /** A page shows all of it, from the first event. @internal */
  get pageCursor (): string {
    return ''
  }

  /** A page of a merge shows all of it, too. @internal */
  pagePosition (): MaybePromise<string> {
    return whenDone(this.#follow(), () => this.#track.start)
  }

  /**
   * The position of its newest event, after which a stream can go on.
   *
   * @throws FST_CHIRP_ENGINE (as a rejection) when the engine cannot be asked.
   */
  async cursor (): Promise<string> {
    await this.#follow()
    return this.#track.newest
  }

  [kAttach] (outlet: Outlet, lastEventId: string): Attachment {
    const sink = new JobSink(outlet, this.#host, lastEventId)
    this.#sinks.add(sink)
    this.#begin(sink, lastEventId, outlet.ids !== undefined).catch(error => { sink.failed(error) })
    return sink
  }

  /** Without a cursor it is where the first event comes after. @internal */
  locate (cursor: string): MaybePromise<Location> {
    return whenDone(this.#follow(), () => {
      const track = this.#track
      const wanted = cursor === '' ? track.first : cursor
      return whenDone(this.#channel.locate(wanted ?? ''), ({ from, last }) => {
        // After the record of the end there is nothing to wait for.
        return { from: wanted === undefined ? undefined : from, last: last === track.end?.position ? track.end.last : last }
      })
    })
  }

  /** Runs the source. @internal */
  start (source: OpenSource | JobSourceFunction): void {
    // Before the first event, so that it is known where that comes after.
    this.#follow()
    this.#run.start(source)
  }

  /** Resolves when the source is through and the end is told, which may be never. @internal */
  async settled (): Promise<void> {
    await this.#run.settled()
    await this.#marked
  }

  /** The app has closed. @internal */
  dispose (): void {
    clearTimeout(this.#timer)
  }

  async #begin (sink: JobSink, lastEventId: string, isMerged: boolean): Promise<void> {
    const following = this.#follow()
    if (following !== undefined) await following
    const cursor = lastEventId === '' ? this.#track.first : lastEventId
    // A merge has asked before.
    if (isMerged && lastEventId !== '') return sink.begin(lastEventId)
    const located = this.#channel.locate(cursor ?? '')
    const { from, last } = located instanceof Promise ? await located : located
    // The client has left, or the channel is closed and nothing is left of the job.
    if (last === '' || sink.isOver) return sink.ended()
    if (cursor !== undefined && from !== undefined) return sink.begin(cursor)
    // Unlike a channel a job has an end, so what is left of it is worth more than what is to come.
    const { oldest } = this.#track
    sink.gap(lastEventId, oldest)
    sink.begin(oldest)
  }

  #follow (): Promise<void> | undefined {
    return this.#track.follow(track => this.#channel.attach(track, ''))
  }

  #runHost (): RunHost {
    const { log, report } = this.#app
    const name = `job ${quote(this.id)}`
    const dropped = (): void => { tryLog(log, 'debug', {}, `a value of ${name} was dropped: it came after the job was stopped`) }
    return {
      take: async value => {
        const following = this.#follow()
        // An engine that is out of reach is told of by publish().
        if (following !== undefined) await following.catch(() => {})
        // Behind the end nobody would read it.
        if (this.#state !== 'running') return dropped()
        this.#events++
        await this.#channel.publish(value).catch(() => {})
      },
      ended: () => { this.#over({ state: 'ended' }) },
      failed: error => {
        report(error, `the source of ${name} failed`)
        this.#over({ state: 'failed', message: this.#app.debug ? messageOf(error) : 'Internal Server Error' })
      },
      dropped,
      failedLate: error => { if (!isAbortError(error)) report(error, `the source of ${name} failed after the job was stopped`) }
    }
  }

  #over (end: JobEnd): void {
    const { state } = end
    this.#state = state
    this.#outcome = end
    this.#marked = this.#channel.publish(new EndMark(end)).catch(async () => {
      // What was published before may be heard in this turn.
      await new Promise(setImmediate)
      this.#track.endHere(end)
    })
    tryLog(this.#app.log, 'info', { state, duration: Math.round(performance.now() - this.#started), events: this.#events }, 'job is over')
    this.#tellDone(state)
    if (this.#keep === 0) this.#forget()
    else this.#timer = setTimeout(() => this.#forget(), this.#keep).unref()
  }

  /** Everyone who follows has the record of the end, but for those who start behind it. */
  #endKnown (): void {
    for (const sink of [...this.#sinks]) sink.check()
    this.#release()
  }

  #forget (): void {
    this.#isForgotten = true
    this.#app.forgotten(this)
    this.#release()
  }

  /** Lets its events go, once nobody reads them any more. */
  #release (): void {
    if (this.#isForgotten && this.#track.end !== undefined && this.#sinks.size === 0) this.#channel.close()
  }
}
