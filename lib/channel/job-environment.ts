// The options of a job, and the parts of the app that it needs.
import type { FastifyBaseLogger } from 'fastify'
import type { EventRecord } from '../dialects/record.js'
import type { Channel } from './channel.js'
import type { JobNote } from './job-board.js'
import type { ChannelOptions } from './options.js'

/** Options of `app.job()`. */
export interface JobOptions {
  /** Milliseconds after its end for which a job can still be found, and streamed from its first event. Default: 60000. Off: `0`. */
  keep?: number | undefined
  /** Number of its events that are kept for replay. Default: 1000. Off: `0`. */
  history?: number | undefined
}

/** The parts of the app that a job needs. */
export interface JobEnvironment {
  log: FastifyBaseLogger
  /** Whether clients get the message of a failure. */
  debug: boolean
  /** A channel of the job's own, for one run of it. */
  open (run: string, options: ChannelOptions, recordOf: (value: unknown) => EventRecord | undefined): Channel
  /** Its entry for other processes; undefined where there are none. */
  board: JobSharing | undefined
  report (error: unknown, message: string): void
  /** The job is to be found no more. */
  forgotten (): void
}

/** The dealings of a job with other processes. */
export interface JobSharing {
  /** Asks whether this process may run it: resolves to the run of another one that does, if there is one. */
  claim (note: JobNote): Promise<JobNote | undefined>
  /** The facts that all processes have to know of it. */
  tell (note: JobNote): void
  /** The process that runs it is to stop it. */
  stop (run: string): void
}
