// Turns the reports of a job's run into log lines and the record of its end.
import type { JobEnd } from '../dialects/record.js'
import { quote } from '../util/describe.js'
import { tryLog } from '../util/log.js'
import { isAbortError, messageOf } from '../util/thrown.js'
import type { JobEnvironment } from './job-environment.js'
import type { RunHost } from './job-run.js'

/** The last thing that a job publishes. */
export class EndMark {
  readonly end: JobEnd

  constructor (end: JobEnd) {
    this.end = end
  }
}

/** @param take gets each value, and what is called for one that came too late. */
export function runHostOf (
  id: string, { log, report, debug }: JobEnvironment, take: (value: unknown, dropped: () => void) => Promise<void>, over: (end: JobEnd) => void
): RunHost {
  const name = `job ${quote(id)}`
  const dropped = (): void => { tryLog(log, 'debug', {}, `a value of ${name} was dropped: it came after the job was stopped`) }
  return {
    take: value => take(value, dropped),
    ended: () => { over({ state: 'ended' }) },
    failed: error => {
      report(error, `the source of ${name} failed`)
      over({ state: 'failed', message: debug ? messageOf(error) : 'Internal Server Error' })
    },
    dropped,
    failedLate: error => { if (!isAbortError(error)) report(error, `the source of ${name} failed after the job was stopped`) }
  }
}
