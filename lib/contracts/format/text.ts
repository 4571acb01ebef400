// A report for people: grouped by template, with the lines that it is about.
import { styleText } from 'node:util'
import { groupBy, placeOf } from '../report.js'
import type { ContractIssue, ContractReport, Severity } from '../types.js'
import { codeFrame, linesOf } from './frame.js'
import { printable } from './printable.js'

/** Options of {@link formatText}. */
export interface TextOptions {
  /** Colours for a terminal. Default: none. Off: `false`. */
  color?: boolean | undefined
}

type Style = Parameters<typeof styleText>[0]

const STYLES: Record<Severity, Style> = { error: 'red', warning: 'yellow', info: 'cyan' }

/** The report as text, with code frames from the files that it names. Ends with a line break. */
export function formatText (report: ContractReport, { color = false }: TextOptions = {}): string {
  const paint = (style: Style, text: string): string => color && text !== '' ? styleText(style, text, { validateStream: false }) : text
  // Many findings may be in one file.
  const files = new Map<string, string[]>()
  const read = (file: string): string[] => {
    const lines = files.get(file) ?? linesOf(file)
    files.set(file, lines)
    return lines
  }
  const groups = groupBy(report.issues, placeOf)
  const parts = [...groups].map(([place, issues]) => [
    paint('bold', printable(titleOf(place, issues[0]))),
    ...issues.flatMap(issue => describe(issue, paint, read))
  ].join('\n'))
  return [...parts, `${summaryOf(report)}\n${extentLine(report)}`].join('\n\n') + '\n'
}

/** `2 errors, 1 warning` */
export function summaryOf ({ counts }: Pick<ContractReport, 'counts'>): string {
  const parts = (['error', 'warning', 'info'] as const)
    .filter(severity => counts[severity] > 0)
    .map(severity => number(counts[severity], severity))
  return parts.length === 0 ? 'No findings' : parts.join(', ')
}

/** `12 templates, 35 routes: 31 read, 4 not` */
function extentLine ({ counts: { templates, routes, routesRead, routesUnread } }: Pick<ContractReport, 'counts'>): string {
  return `${number(templates, 'template')}, ${number(routes, 'route')}: ${routesRead} read, ${routesUnread} not`
}

function number (count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function titleOf (place: string, { template, file }: ContractIssue): string {
  if (place === '') return 'The app'
  return place === template && file !== undefined ? `${place} (${file})` : place
}

function describe (issue: ContractIssue, paint: (style: Style, text: string) => string, read: (file: string) => string[]): string[] {
  const { severity, category, message, file, line, column } = issue
  const position = line === undefined ? '' : `  ${line}${column === undefined ? '' : `:${column}`}`
  const frame = file === undefined || line === undefined ? [] : codeFrame(read(file), line, column)
  return [
    `  ${paint(STYLES[severity], severity)}  ${category}${paint('dim', position)}`,
    `    ${printable(message)}`,
    ...frame.map(row => paint('dim', `    ${row}`))
  ]
}
