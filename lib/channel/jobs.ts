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
import { Job, type JobOptions } from './job.js'
import { jobTopic } from './topics.js'

export class Jobs {
  readonly #settings: Settings
  readonly #channels: Channels
  readonly #log: FastifyBaseLogger
  // Those that can be found, each with what its values are pulled from.
  readonly #jobs = new Map<string, { job: Job, source: unknown }>()
  // Those whose source may still be at work.
  readonly #working = new Set<Job>()
  #isClosing = false

  constructor (settings: Settings, channels: Channels, log: FastifyBaseLogger) {
    this.#settings = settings
    this.#channels = channels
    this.#log = log
  }

  /** The job of this id. With a source it is started, unless it is there. */
  get (id: unknown, source?: StreamSource | JobSourceFunction, options: JobOptions = {}): Job | undefined {
    if (typeof id !== 'string' || id === '') throw new FST_CHIRP_OPTION(`a job needs an id, app.job('import:7', source), not ${describe(id)}`)
    const known = this.#jobs.get(id)
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
    if (this.#isClosing) {
      if (typeof opened !== 'function') opened.close()?.catch(() => {})
      throw new FST_CHIRP_JOB(quote(id), 'the app closes. Start it again in the next process')
    }
    const job = this.#make(id, { keep, history })
    this.#jobs.set(id, { job, source })
    this.#working.add(job)
    job.start(opened)
    job.done.then(async () => {
      await job.settled()
      this.#working.delete(job)
    })
    return job
  }

  /** Stops all, and waits as long as an app that closes can. */
  async close (): Promise<void> {
    this.#isClosing = true
    const { shutdownGrace } = this.#settings
    const working = [...this.#working]
    const stopped = Promise.all(working.map(async job => {
      job.stop()
      await job.settled()
    }))
    let timer: NodeJS.Timeout | undefined
    await Promise.race([stopped, new Promise(resolve => { timer = setTimeout(resolve, shutdownGrace) })])
    clearTimeout(timer)
    for (const { id } of this.#working) tryLog(this.#log, 'warn', {}, `job ${quote(id)} goes on although it was stopped: its source does not heed its signal`)
    for (const { job } of this.#jobs.values()) job.dispose()
    this.#jobs.clear()
  }

  #make (id: string, options: JobOptions): Job {
    // An engine may keep what a job of this id has left, so each has a topic of its own.
    const topic = jobTopic(id, randomBytes(6).toString('hex'))
    return new Job(id, options, {
      log: childOf(this.#log, id),
      debug: this.#settings.debug,
      open: (options, recordOf) => this.#channels.own(`job:${id}`, topic, options, recordOf),
      report: (error, message) => { this.#channels.report(error, message) },
      forgotten: job => { if (this.#jobs.get(id)?.job === job) this.#jobs.delete(id) }
    })
  }
}

/** @throws FST_CHIRP_OPTION */
function checkJob (options: JobOptions): JobOptions {
  refuseUnknown('of app.job()', options, ['keep', 'history'])
  return {
    keep: integer('keep', options.keep, 0, MAX_TIME),
    history: integer('history', options.history, 0, Number.MAX_SAFE_INTEGER)
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
