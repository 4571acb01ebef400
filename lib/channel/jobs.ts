// The jobs of one app, by id.
import { randomBytes } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import { FST_CHIRP_JOB, FST_CHIRP_OPTION } from '../errors.js'
import type { Settings } from '../stream/settings.js'
import { discardSource, openSource } from '../stream/source.js'
import type { StreamSource } from '../stream/types.js'
import { describe, quote } from '../util/describe.js'
import { tryLog } from '../util/log.js'
import { MAX_TIME, integer, refuseUnknown } from '../util/options.js'
import type { Channels } from './channels.js'
import type { JobSourceFunction } from './job-run.js'
import { JobBoard, type JobEntry, type JobNote } from './job-board.js'
import { Job, type JobOptions } from './job.js'
import { JOBS_TOPIC, jobTopic } from './topics.js'

/** Milliseconds in which an engine has to say whether a job may run here. */
const PATIENCE = 10000

interface Entry {
  job: Job
  /** Its source, where it runs here. */
  source: unknown
}

export class Jobs {
  readonly #settings: Settings
  readonly #channels: Channels
  readonly #log: FastifyBaseLogger
  // Those that were asked for and can be found.
  readonly #jobs = new Map<string, Entry>()
  // Those whose source may still be at work.
  readonly #working = new Set<Job>()
  readonly #board: JobBoard | undefined
  // Callers that wait for an answer of the engine, by the id of the job.
  readonly #claims = new Map<string, { look: () => void, cancel: () => void }>()
  #isClosing = false

  constructor (settings: Settings, channels: Channels, log: FastifyBaseLogger) {
    this.#settings = settings
    this.#channels = channels
    this.#log = log
    const open = channels.opener<JobEntry>(JOBS_TOPIC)
    if (open !== undefined) this.#board = new JobBoard(open, id => { this.#changed(id) })
  }

  /** Resolves when the jobs of other processes are known, or the engine cannot be asked. */
  async ready (): Promise<void> {
    if (this.#channels.engine.ready !== false) await this.#board?.ready
  }

  /** The job of this id. With a source it is started, unless it is there. */
  get (id: unknown, source?: StreamSource | JobSourceFunction, options: JobOptions = {}): Job | undefined {
    if (typeof id !== 'string' || id === '') throw new FST_CHIRP_OPTION(`a job needs an id, app.job('import:7', source), not ${describe(id)}`)
    const known = this.#find(id)
    const { keep, history } = checkJob(options)
    if (source === undefined) {
      if (keep !== undefined || history !== undefined) throw new FST_CHIRP_OPTION(`the options of app.job() have no effect without a source. Give one, app.job(${quote(id)}, source, options), or omit them`)
      return known?.job
    }
    if (known !== undefined) {
      // It may be the one that is running.
      if (source !== known.source) discardSource(source)
      return known.job
    }
    // Checked before there is a job.
    const opened = typeof source === 'function' ? source : openSource(source)
    const discard = (): void => { if (typeof opened !== 'function') opened.close()?.catch(() => {}) }
    if (this.#isClosing) {
      discard()
      throw new FST_CHIRP_JOB(quote(id), 'the app closes. Start it again in the next process')
    }
    const job = this.#make(id, { keep, history })
    this.#jobs.set(id, { job, source })
    this.#working.add(job)
    job.start(opened, discard)
    job.done.then(async () => {
      await job.settled()
      this.#working.delete(job)
    })
    return job
  }

  /** Stops all that run here, and waits as long as an app that closes can. */
  async close (): Promise<void> {
    this.#isClosing = true
    for (const { cancel } of this.#claims.values()) cancel()
    const { shutdownGrace } = this.#settings
    const working = [...this.#working].filter(({ isElsewhere }) => !isElsewhere)
    const stopped = Promise.all(working.map(async job => {
      job.stop()
      await job.settled()
    })).then(() => this.#board?.settled())
    let timer: NodeJS.Timeout | undefined
    await Promise.race([stopped, new Promise(resolve => { timer = setTimeout(resolve, shutdownGrace) })])
    clearTimeout(timer)
    for (const job of working) {
      if (this.#working.has(job)) tryLog(this.#log, 'warn', {}, `job ${quote(job.id)} goes on although it was stopped: its source does not heed its signal`)
    }
    for (const { job } of this.#jobs.values()) job.dispose()
    this.#jobs.clear()
    this.#board?.close()
  }

  /** A job of this process, or of another one. */
  #find (id: string): Entry | undefined {
    const entry = this.#jobs.get(id)
    if (entry !== undefined) return entry
    const winner = this.#board?.winner(id)
    // One of this process that is forgotten may still be known to others.
    if (winner === undefined || winner.isOurs) return undefined
    const job = this.#make(id, {}, winner.note)
    job.noted(winner.note)
    const found = { job, source: undefined }
    this.#jobs.set(id, found)
    return found
  }

  /** Processes have said something of a job. */
  #changed (id: string): void {
    const claim = this.#claims.get(id)
    if (claim !== undefined) return claim.look()
    const job = this.#jobs.get(id)?.job
    const winner = this.#board!.winner(id)
    if (job === undefined) return
    if (job.isElsewhere) {
      if (winner?.note.run === job.run) job.noted(winner.note)
      else job.gone()
    } else if (winner?.isOurs === true) {
      if (winner.isToStop) job.stop()
    } else if (winner !== undefined) {
      if (job.state === 'running') job.outrun()
      else job.gone()
    }
  }

  #make (id: string, options: JobOptions, note?: JobNote): Job {
    const board = this.#board
    // An engine may keep what a job of this id has left, so each run has a topic of its own.
    const job: Job = new Job(id, options, randomBytes(6).toString('hex'), {
      log: childOf(this.#log, id),
      debug: this.#settings.debug,
      open: (run, options, recordOf) => this.#channels.own(`job:${id}`, jobTopic(id, run), options, recordOf),
      report: (error, message) => { this.#channels.report(error, message) },
      board: board && {
        claim: note => this.#claim(board, id, note),
        tell: note => board.tell(id, note),
        stop: run => {
          board.tell(id, { stop: run })
          job.done.then(() => { if (this.#jobs.get(id)?.job.isElsewhere !== false) board.forget(id) })
        }
      },
      forgotten: () => {
        if (this.#jobs.get(id)?.job !== job) return
        this.#jobs.delete(id)
        if (board === undefined || job.isElsewhere) return
        // Its end has to be published first: published together, others would only learn that it is gone.
        board.settled().then(() => { if (this.#jobs.get(id)?.job.isElsewhere !== false) board.forget(id) })
      }
    }, note)
    return job
  }

  /** Resolves to the run that counts where that is another one; rejects when the engine does not say. */
  async #claim (board: JobBoard, id: string, note: JobNote): Promise<JobNote | undefined> {
    board.tell(id, note)
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise((resolve, reject) => {
        const look = (): void => {
          const winner = board.winner(id)
          if (winner?.isOurs === true && winner.note.run === note.run) return resolve(undefined)
          if (winner === undefined || winner.isOurs) return
          board.forget(id)
          resolve(winner.note)
        }
        const cancel = (): void => {
          board.forget(id)
          reject(new Error(this.#isClosing ? 'the app closes' : `it did not answer within ${PATIENCE} ms`))
        }
        timer = setTimeout(cancel, PATIENCE).unref()
        this.#claims.set(id, { look, cancel })
        look()
      })
    } finally {
      clearTimeout(timer)
      this.#claims.delete(id)
    }
  }
}

/** @throws FST_CHIRP_OPTION */
function checkJob (options: JobOptions): JobOptions {
  refuseUnknown('of app.job()', options, ['keep', 'history'])
  return {
    keep: integer('keep', options.keep, 0, MAX_TIME, 'of app.job()'),
    history: integer('history', options.history, 0, Number.MAX_SAFE_INTEGER, 'of app.job()')
  }
}

/** Loggers of apps may throw. */
function childOf (log: FastifyBaseLogger, job: string): FastifyBaseLogger {
  try {
    return log.child({ job })
  } catch {
    return log
  }
}
