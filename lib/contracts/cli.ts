#!/usr/bin/env node
// The command `fastify-chirp`.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { readBaseline, subtract, writeBaseline, type NewReport } from './baseline.js'
import { HELP, readArguments, UsageError, type Task } from './command/arguments.js'
import { askApp, CheckError } from './command/ask.js'
import { formatGithub } from './format/github.js'
import { formatJson } from './format/json.js'
import { printable, printableLines } from './format/printable.js'
import { formatText, summaryOf } from './format/text.js'
import type { ContractOptions } from './options.js'
import { placeOf } from './report.js'

const PASSED = 0
const FAILED = 1
const NOT_CHECKED = 2

async function main (args: string[]): Promise<number> {
  try {
    const task = readArguments(args)
    if (task === 'help') return print(HELP)
    if (task === 'version') return print(`${versionOf()}\n`)
    return await check(task)
  } catch (error) {
    const { message } = error as Error
    return refuse(error instanceof UsageError ? `${message}\n\nfastify-chirp --help shows the usage.` : message)
  }
}

async function check (task: Task): Promise<number> {
  const { file, exportName, sources, severities, baseline, writesBaseline, timeout, warningsAsErrors } = task
  if (!existsSync(file)) throw new CheckError(`There is no file ${file}. Say which module makes the app: fastify-chirp check ./app.js`)
  const known = baseline === undefined || writesBaseline ? [] : open(baseline)
  const options = { sources, severities: severities as ContractOptions['severities'] }
  const all = await askApp({ file, exportName, options }, timeout)
  if (baseline !== undefined && writesBaseline) {
    save(baseline, writeBaseline(all))
    return print(`${summaryOf(all)} written to ${printable(baseline)}\n`)
  }
  const result = subtract(all, known)
  print(format(result, task))
  const { counts } = result.report
  return counts.error > 0 || (warningsAsErrors && counts.warning > 0) ? FAILED : PASSED
}

function format (result: NewReport, { format, baseline }: Task): string {
  const { report, hidden, gone } = result
  if (format === 'json') return formatJson(baseline === undefined ? report : Object.assign(report, { baseline: { hidden, gone } }))
  if (format === 'github') return formatGithub(report)
  const color = process.stdout.isTTY && !process.env.NO_COLOR
  return formatText(report, { color }) + (baseline === undefined ? '' : remarkOf(result, baseline))
}

function remarkOf ({ hidden, gone }: NewReport, baseline: string): string {
  const lines = [`${hidden} of ${baseline} not shown`]
  if (gone.length > 0) {
    lines.push(`${gone.length} of ${baseline} not found any more; --write-baseline drops them:`)
    lines.push(...gone.map(finding => `  ${printable([placeOf(finding), finding.category, finding.message].filter(Boolean).join('  '))}`))
  }
  return lines.map(line => `${line}\n`).join('')
}

function open (baseline: string): ReturnType<typeof readBaseline> {
  try {
    return readBaseline(readFileSync(baseline, 'utf8'))
  } catch (error) {
    throw new CheckError(`The baseline ${baseline} cannot be read: ${(error as Error).message}. Write it with --write-baseline`)
  }
}

function save (baseline: string, text: string): void {
  try {
    writeFileSync(baseline, text)
  } catch (error) {
    throw new CheckError(`The baseline ${baseline} cannot be written: ${(error as Error).message}`)
  }
}

function versionOf (): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  return version
}

function print (text: string): number {
  process.stdout.write(text)
  return PASSED
}

function refuse (text: string): number {
  process.stderr.write(`${printableLines(text)}\n`)
  return NOT_CHECKED
}

// A reader such as `head` may leave early, and has what it wanted.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => { if (error.code !== 'EPIPE') throw error })
}
process.exitCode = await main(process.argv.slice(2))
