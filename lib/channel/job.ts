// Work that does not end with its client. What it yields goes to a channel of
// its own, and its end is a record of that channel.
import type { JobEnd } from '../dialects/record.js'
import { FST_CHIRP_JOB } from '../errors.js'
import { kAttach, type Attachment, type Feed, type Location, type Outlet } from '../stream/feed.js'
import type { OpenSource } from '../stream/source.js'
import { quote } from '../util/describe.js'
import { tryLog } from '../util/log.js'
import { whenDone, type MaybePromise } from '../util/promise.js'
import { messageOf } from '../util/thrown.js'
import type { JobNote } from './job-board.js'
import type { JobEnvironment, JobOptions, JobSharing } from './job-environment.js'
import { JobPlace } from './job-place.js'
import { EndMark, runHostOf } from './job-host.js'
import { JobRun, type JobSourceFunction } from './job-run.js'
import { JobSink, type SinkHost } from './job-sink.js'
import type { JobState } from './job-state.js'
import { JobTrack } from './job-track.js'
import { SILENCE } from './pulse.js'

export type { JobOptions } from './job-environment.js'
export type { JobState } from './job-state.js'

/** A job: what `app.job()` gives, for `reply.eventStream()`, `reply.page()` with `live`, and `merge()`. */
export class Job implements Feed {
  /** The id that the job is found by. */
  readonly id: string
  /** Resolves to the state that the job ends in, as soon as it has one. Never rejects. */
  readonly done: Promise<JobState>
  readonly #app: JobEnvironment
  readonly #keep: number
  // Where its events are; another place once it turns out that it runs elsewhere.
  #place: JobPlace
  #note: JobNote
  // While it is not known whether it may run here.
  #claiming: Promise<void> | undefined
  #isUnwanted = false
  #isLost = false
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

  /** Made by `app.job()`. @internal @param note its run, where another process has it. */
  constructor (id: string, { keep = 60000, history = 1000 }: JobOptions, run: string, app: JobEnvironment, note?: JobNote) {
    this.id = id
    this.#app = app
    this.#keep = keep
    this.#note = note ?? { run, state: 'claimed', first: '', history }
    this.#place = this.#placeOf(this.#note, note !== undefined)
    this.done = new Promise(resolve => { this.#tellDone = resolve })
    const job = this
    this.#host = {
      get end () { return job.#place.track.end },
      get outcome () { return job.#outcome },
      attach: (sink, cursor) => this.#place.channel.attach(sink, cursor),
      left: sink => {
        this.#sinks.delete(sink)
        this.#release()
      }
    }
    this.#run = new JobRun(runHostOf(id, app, (value, dropped) => this.#take(value, dropped), end => this.#over(end)), app.log)
  }

  /** `running`, or the state that it ended in. */
  get state (): JobState {
    return this.#state
  }

  /**
   * Aborts the signal of the source and closes it; the job is `stopped`, and later values of the source are dropped. In
   * another process than the one that runs it, that one gets a message, and the state follows. Returns `done`.
   */
  stop (): Promise<JobState> {
    if (this.#state !== 'running') return this.done
    if (this.#claiming !== undefined) {
      this.#isUnwanted = true
    } else if (this.#place.isElsewhere) {
      this.#app.board!.stop(this.#note.run)
    } else {
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
    return whenDone(this.#follow(), () => this.#place.track.start)
  }

  /**
   * The position of its newest event, after which a stream can go on.
   *
   * @throws FST_CHIRP_ENGINE (as a rejection) when the engine cannot be asked.
   */
  async cursor (): Promise<string> {
    await this.#claiming
    return await this.#place.newest()
  }

  [kAttach] (outlet: Outlet, lastEventId: string): Attachment {
    const sink = new JobSink(outlet, this.#host, lastEventId)
    this.#sinks.add(sink)
    this.#begin(sink, lastEventId, outlet.ids !== undefined).catch(error => { sink.failed(error) })
    return sink
  }

  /** Without a cursor it is where the first event comes after. @internal */
  locate (cursor: string): MaybePromise<Location> {
    return whenDone(this.#follow(), () => this.#place.locate(cursor))
  }

  /** Runs the source, where this process may. `discard` is what is done with it otherwise. @internal */
  start (source: OpenSource | JobSourceFunction, discard: () => void): void {
    // Before the first event, so that it is known where that comes after.
    const following = this.#place.follow()
    const { board } = this.#app
    if (board === undefined) return this.#run.start(source)
    this.#claiming = this.#claim(following, board).then(mayRun => {
      this.#claiming = undefined
      if (mayRun && !this.#isUnwanted) this.#run.start(source)
      else discard()
      if (this.#isUnwanted) this.stop()
    })
  }

  /** The run that counts is another one. @internal */
  outrun (): void {
    // The claim will say so.
    if (this.#claiming !== undefined) return
    this.#app.report(new FST_CHIRP_JOB(quote(this.id), 'another process has started it while this one was not heard of, and goes on with it'), 'a job was stopped')
    this.stop()
  }

  /** A message of the process that runs it. @internal */
  noted (note: JobNote): void {
    this.#note = note
    const { state } = note
    if (this.#state !== 'running' || state === 'claimed' || state === 'running') return
    this.#outcome = { state }
    this.#become(state)
  }

  /** Which run it is. @internal */
  get run (): string {
    return this.#note.run
  }

  /** Whether it runs in another process. @internal */
  get isElsewhere (): boolean {
    return this.#place.isElsewhere
  }

  /** The process that ran it has forgotten it, or is gone. @internal */
  gone (): void {
    const { track } = this.#place
    if (this.#state === 'running') {
      this.#isLost = true
      this.#outcome = { state: 'failed', message: this.#app.debug ? 'The process that ran this job has ended' : 'Internal Server Error' }
      this.#become('failed')
      // Streams that are about to start will ask.
      if (track.newest !== '') track.endHere(this.#outcome)
    } else {
      // An end that could not be kept would reach no reader.
      this.#timer = setTimeout(() => { track.endHere(this.#outcome) }, SILENCE).unref()
    }
    this.#forget()
  }

  /** Resolves when the source has finished and the end is published, which may be never. @internal */
  async settled (): Promise<void> {
    await this.#claiming
    await this.#run.settled()
    await this.#marked
  }

  /** The app has closed, and gets no more reports of it. @internal */
  dispose (): void {
    clearTimeout(this.#timer)
    this.#become(this.#isUnwanted ? 'stopped' : 'failed')
  }

  async #begin (sink: JobSink, lastEventId: string, isMerged: boolean): Promise<void> {
    const following = this.#follow()
    if (following !== undefined) await following
    // Its process was gone before anybody followed.
    if (this.#isLost) this.#place.track.endHere(this.#outcome)
    await this.#place.begin(sink, lastEventId, isMerged)
  }

  #follow (): Promise<void> | undefined {
    return this.#claiming === undefined ? this.#place.follow() : this.#claiming.then(() => this.#place.follow())
  }

  #placeOf (note: JobNote, isElsewhere: boolean): JobPlace {
    const channel = this.#app.open(note.run, { history: note.history }, value => value instanceof EndMark ? { end: value.end } : undefined)
    return new JobPlace(channel, new JobTrack(note.history, end => this.#endKnown(end)), isElsewhere ? () => this.#note : undefined)
  }

  /** Whether it runs here. Never rejects. */
  async #claim (following: Promise<void> | undefined, board: JobSharing): Promise<boolean> {
    const { channel, track } = this.#place
    try {
      await following
      this.#note = { ...this.#note, first: track.start }
      const other = await board.claim(this.#note)
      if (other !== undefined) {
        channel.close()
        this.#place = this.#placeOf(other, true)
        this.noted(other)
        return false
      }
    } catch (cause) {
      const error = new FST_CHIRP_JOB(quote(this.id), 'the engine cannot say whether another process runs it. Start it again', { cause })
      if (!this.#isUnwanted) this.#app.report(error, 'a job did not start')
      this.#outcome = { state: 'failed', message: this.#app.debug ? messageOf(error) : 'Internal Server Error' }
      track.endHere(this.#outcome)
      this.#become(this.#isUnwanted ? 'stopped' : 'failed')
      this.#forget()
      return false
    }
    this.#tell({ state: 'running' })
    return true
  }

  #tell (changes: Partial<JobNote>): void {
    this.#note = { ...this.#note, ...changes }
    this.#app.board?.tell(this.#note)
  }

  async #take (value: unknown, dropped: () => void): Promise<void> {
    const following = this.#follow()
    // publish() reports an engine that is out of reach.
    if (following !== undefined) await following.catch(() => {})
    // No reader would get it after the end.
    if (this.#state !== 'running') return dropped()
    this.#events++
    await this.#place.channel.publish(value).catch(() => {})
    const step = Math.ceil(this.#note.history / 2)
    if (this.#app.board !== undefined && this.#events % step === 0 && this.#state === 'running') this.#tell({ mark: this.#place.track.back(step) })
  }

  #over (end: JobEnd): void {
    const { state } = end
    const { channel, track } = this.#place
    this.#outcome = end
    this.#marked = channel.publish(new EndMark(end)).catch(async () => {
      // Earlier events may arrive in this turn.
      await new Promise(setImmediate)
      track.endHere(end)
    })
    this.#tell({ state })
    tryLog(this.#app.log, 'info', { state, duration: Math.round(performance.now() - this.#started), events: this.#events }, 'job is over')
    this.#become(state)
    if (this.#keep === 0) this.#forget()
    else this.#timer = setTimeout(() => this.#forget(), this.#keep).unref()
  }

  #become (state: JobState): void {
    if (this.#state !== 'running') return
    this.#state = state
    this.#tellDone(state)
  }

  /** All readers have the record of the end, but for those that start after it. */
  #endKnown ({ state, message }: JobEnd): void {
    if (this.#place.isElsewhere) {
      this.#outcome = { state, message }
      this.#become(state)
    }
    for (const sink of [...this.#sinks]) sink.check()
    this.#release()
  }

  #forget (): void {
    this.#isForgotten = true
    this.#app.forgotten()
    this.#release()
  }

  /** Frees its events, once they have no reader. */
  #release (): void {
    const { channel, track, isElsewhere } = this.#place
    if (this.#isForgotten && (isElsewhere || track.end !== undefined) && this.#sinks.size === 0) channel.close()
  }
}
