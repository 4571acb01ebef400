// From findings to a report.
import { NOTHING } from './extent.js'
import type { ContractIssue, ContractReport, Extent } from './types.js'

/** Sorts and counts. */
export function createReport (issues: readonly ContractIssue[], extent: Extent = NOTHING, unread: string[] = []): ContractReport {
  const sorted = issues.toSorted((a, b) => compare(placeOf(a), placeOf(b)) || compareNumbers(a.line, b.line) ||
    compareNumbers(a.column, b.column) || compare(a.category, b.category) || compare(a.message, b.message))
  const counts = { error: 0, warning: 0, info: 0, ...extent }
  for (const { severity } of issues) counts[severity]++
  return { ok: counts.error === 0, issues: sorted, counts, unread }
}

/** Where an issue is, in one word: a template, a file, or a route. */
export function placeOf ({ template, file, route }: Pick<ContractIssue, 'template' | 'file' | 'route'>): string {
  // A line of the source may be about a template.
  if (template !== undefined && file?.endsWith(template) !== false) return template
  return file ?? route ?? ''
}

/** `views/page.html:12:5`, as far as it is known. */
export function positionOf (issue: ContractIssue): string {
  return [placeOf(issue), issue.line, issue.column].filter(part => part !== undefined && part !== '').join(':')
}

/** Lists of what has the same key, in the order of the first of each. */
export function groupBy<T> (items: readonly T[], keyOf: (item: T) => string): Map<string, [T, ...T[]]> {
  const groups = new Map<string, [T, ...T[]]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}

function compare (a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function compareNumbers (a = 0, b = 0): number {
  return a - b
}
