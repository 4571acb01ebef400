// Holds an app's templates and source against its routes.
import { check } from './check.js'
import { checkOptions, type ContractOptions } from './options.js'
import type { Registration } from './registration.js'
import { createReport } from './report.js'
import { takeSnapshot } from './snapshot.js'
import type { ContractIssue, ContractReport } from './types.js'

/**
 * Implements `app.checkContracts()`.
 *
 * @throws FST_CHIRP_OPTION, or what starting the app throws.
 */
export async function checkContracts (registration: Registration, options: ContractOptions = {}, signal?: AbortSignal): Promise<ContractReport> {
  checkOptions(options)
  await registration.root.ready()
  const { severities = {} } = options
  const { snapshot, templates } = await takeSnapshot(registration, options, signal)
  const issues = await check(snapshot, severities, signal)
  const { 'template-error': level = 'error' } = severities
  const unreadable = level === 'off' ? [] : templates.issues.map(issue => ({ ...issue, severity: level }))
  return createReport([...issues, ...unreadable].map(issue => withFile(issue)))

  function withFile (issue: ContractIssue): ContractIssue {
    return issue.template === undefined || issue.file !== undefined ? issue : { ...issue, file: templates.fileOf(issue.template) }
  }
}
