// A report for programs.
import type { ContractReport } from '../types.js'

/** The report as JSON, with two spaces. Ends with a line break. */
export function formatJson (report: ContractReport): string {
  return `${JSON.stringify(report, null, 2)}\n`
}
