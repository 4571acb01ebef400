// Runs the rules over a snapshot of the app.
import { createPause } from './pause.js'
import { rules } from './rules/index.js'
import { buildModel } from './scan/model.js'
import type { ContractIssue, Severity, Snapshot } from './types.js'

/** A rule, for option checks and the documentation. */
export interface Category {
  category: string
  /** The severity of its findings, unless a finding itself is less sure. */
  severity: Severity
  summary: string
}

/** All categories of findings, in the order of the documentation. */
export const categories: readonly Category[] = rules.map(({ category, severity, summary }) => ({ category, severity, summary }))

/**
 * Looks for wires that lead nowhere. The event loop gets its turn in between,
 * because a check at start runs in a live server.
 *
 * @param severities replaces the severity of all findings of a category
 * @throws the reason of `signal` once it has aborted
 */
export async function check (
  snapshot: Snapshot, severities: Partial<Record<string, Severity | 'off'>> = {}, signal?: AbortSignal
): Promise<ContractIssue[]> {
  const pause = createPause(signal)
  const model = await buildModel(snapshot, pause)
  const issues: ContractIssue[] = []
  for (const rule of rules) {
    const level = severities[rule.category]
    if (level === 'off') continue
    // A partial is in many pages, and is reported once.
    const seen = new Set<string>()
    rule.check(model, finding => {
      const issue: ContractIssue = { category: rule.category, ...finding, severity: level ?? finding.severity ?? rule.severity }
      const key = JSON.stringify([issue.template, issue.file, issue.line, issue.column, issue.route, issue.message])
      if (!seen.has(key)) issues.push(issue)
      seen.add(key)
    })
    await pause()
  }
  return issues
}
