// A report for programs.
import type { ContractReport } from '../types.js'
import { printableLines } from './printable.js'

/** The report as JSON, with two spaces. Ends with a line break. */
export function formatJson (report: ContractReport): string {
  return `${printableLines(JSON.stringify(report, null, 2))}\n`
}
