// Compares an app's templates and source with its routes.
import { check } from './check.js'
import { extentOf } from './extent.js'
import { checkOptions, mergeOptions, type ContractOptions } from './options.js'
import type { Registered } from './registered.js'
import { createReport } from './report.js'
import { takeSnapshot } from './snapshot.js'
import type { ContractIssue, ContractReport } from './types.js'

/**
 * Implements `app.checkContracts()`.
 *
 * @throws FST_CHIRP_OPTION, or what starting the app throws.
 */
export async function checkContracts (registration: Registered, options: ContractOptions = {}, signal?: AbortSignal): Promise<ContractReport> {
  checkOptions(options)
  await registration.root.ready()
  const merged = mergeOptions(registration.siblings.map(({ options }) => options), options)
  const { severities = {} } = merged
  const { snapshot, templates } = await takeSnapshot(registration, merged, signal)
  const issues = await check(snapshot, severities, signal)
  const { 'template-error': level = 'error' } = severities
  const unreadable = level === 'off' ? [] : templates.issues.map(issue => ({ ...issue, severity: level }))
  const { extent, unread } = extentOf(snapshot, templates.count)
  return createReport([...issues, ...unreadable].map(issue => withFile(issue)), extent, unread)

  function withFile (issue: ContractIssue): ContractIssue {
    return issue.template === undefined || issue.file !== undefined ? issue : { ...issue, file: templates.fileOf(issue.template) }
  }
}
