// Findings that are known already: a file of them, so that only new ones fail.
// Lines are not part of the identity of a finding, because they move.
import { createReport, groupBy } from './report.js'
import type { ContractIssue, ContractReport, Extent } from './types.js'

/** A finding that is known, and how often. */
export interface KnownFinding {
  category: string
  template?: string | undefined
  file?: string | undefined
  route?: string | undefined
  message: string
  count: number
}

/** A report without what was known, and the fate of the known findings. */
export interface NewReport {
  report: ContractReport
  /** Number of findings that were left out. */
  hidden: number
  /** Known findings that were not found any more. */
  gone: KnownFinding[]
}

const VERSION = 1

/** The text of a baseline file with the findings of a report. */
export function writeBaseline ({ issues }: Pick<ContractReport, 'issues'>): string {
  const findings = [...groupBy(issues, keyOf).values()].map(same => describe(same[0], same.length))
  return `${JSON.stringify({ version: VERSION, findings }, null, 2)}\n`
}

/**
 * The findings of a baseline file, or of a report as JSON.
 *
 * @throws an error that says what is wrong with the text.
 */
export function readBaseline (text: string): KnownFinding[] {
  const { version, findings, issues } = Object(JSON.parse(text)) as { version?: unknown, findings?: unknown, issues?: unknown }
  if (Array.isArray(issues)) return readBaseline(writeBaseline({ issues }))
  if (version !== VERSION) throw new Error(`it is of version ${JSON.stringify(version)}, and not ${VERSION}`)
  if (!Array.isArray(findings) || !findings.every(isKnownFinding)) throw new Error('it has no list of findings')
  return findings
}

/** Leaves out of a report what is known, as often as it is known. */
export function subtract ({ issues, counts, unread }: ContractReport, known: readonly KnownFinding[]): NewReport {
  const left = new Map<string, KnownFinding>()
  for (const finding of known) {
    const key = keyOf(finding)
    left.set(key, { ...finding, count: finding.count + (left.get(key)?.count ?? 0) })
  }
  const added = issues.filter(issue => {
    const finding = left.get(keyOf(issue))
    if (finding === undefined || finding.count === 0) return true
    finding.count--
    return false
  })
  return {
    report: createReport(added, extentIn(counts), unread),
    hidden: issues.length - added.length,
    gone: [...left.values()].filter(({ count }) => count > 0)
  }
}

function extentIn ({ templates, routes, routesRead, routesUnread }: Extent): Extent {
  return { templates, routes, routesRead, routesUnread }
}

function describe ({ category, template, file, route, message }: ContractIssue, count: number): KnownFinding {
  // A template may move to another folder of the disk and keep its name.
  return { category, template, file: template === undefined ? file : undefined, route, message, count }
}

function keyOf ({ category, template, file, route, message }: Pick<KnownFinding, 'category' | 'template' | 'file' | 'route' | 'message'>): string {
  return JSON.stringify([category, template ?? file, route, message.replace(/\bline \d+/g, 'line N')])
}

function isKnownFinding (value: unknown): value is KnownFinding {
  const { category, message, count } = Object(value)
  return typeof category === 'string' && typeof message === 'string' && Number.isInteger(count)
}
