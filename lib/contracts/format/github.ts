// A report as annotations of GitHub Actions.
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions
import type { ContractIssue, ContractReport } from '../types.js'
import { printable } from './printable.js'

const COMMANDS = { error: 'error', warning: 'warning', info: 'notice' } as const

/** One workflow command for each finding; empty without any. */
export function formatGithub ({ issues }: ContractReport): string {
  return issues.map(issue => `${command(issue)}\n`).join('')
}

function command (issue: ContractIssue): string {
  const { severity, category, message, template, route, file, line, column } = issue
  const properties = Object.entries({ file, line, col: column, title: `fastify-chirp: ${category}` })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${escapeProperty(String(value))}`)
  // Without a file the annotation hangs on nothing, so its text has to say what it is about.
  const subject = file === undefined ? template ?? route : undefined
  return `::${COMMANDS[severity]} ${properties.join(',')}::${escapeData(subject === undefined ? message : `${subject}: ${message}`)}`
}

function escapeData (text: string): string {
  return printable(text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A'))
}

function escapeProperty (text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
