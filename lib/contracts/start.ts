// The check at start, in debug: what it finds goes to the log, and nothing waits for it.
import type { FastifyBaseLogger } from 'fastify'
import { tryLog } from '../util/log.js'
import { printable } from './format/printable.js'
import { kFound, type Registration } from './registration.js'
import { positionOf } from './report.js'
import type { ContractIssue } from './types.js'

/** Checks the app once it is ready, unless the log would not show the findings. */
export function checkAtStart (registration: Registration): void {
  const { app } = registration
  const closing = new AbortController()
  app.addHook('onReady', done => {
    // One registration speaks for the app. The command reports by itself.
    if (registration.siblings[0] === registration && printsWarnings(app.log) && !(kFound in globalThis)) {
      // The app answers first.
      setImmediate(() => { run(registration, closing.signal) })
    }
    done()
  })
  app.addHook('preClose', done => {
    closing.abort()
    done()
  })
}

async function run (registration: Registration, signal: AbortSignal): Promise<void> {
  const { log } = registration.app
  try {
    if (signal.aborted) return
    const { issues } = await registration.check({}, signal)
    for (const issue of issues) if (!signal.aborted && issue.severity !== 'info') tryLog(log, 'warn', {}, lineOf(issue))
  } catch (error) {
    if (!signal.aborted) tryLog(log, 'warn', { err: error }, 'the contracts of this app could not be checked')
  }
}

function lineOf (issue: ContractIssue): string {
  return printable(`${positionOf(issue)} ${issue.message} (${issue.category})`.trimStart())
}

// Pino can be asked; a logger of another make has a level at most, and that of `logger: false` has none.
function printsWarnings (log: FastifyBaseLogger & { isLevelEnabled?: (level: string) => boolean }): boolean {
  if (typeof log.isLevelEnabled === 'function') return log.isLevelEnabled('warn')
  return ['trace', 'debug', 'info', 'warn'].includes(log.level)
}
