// The command line: its options, and the task that it asks for.
import { parseArgs } from 'node:util'

/** The task of `fastify-chirp check`. */
export interface Task {
  file: string
  exportName: string | undefined
  sources: string[]
  severities: Record<string, string>
  format: 'text' | 'json' | 'github'
  baseline: string | undefined
  writesBaseline: boolean
  warningsAsErrors: boolean
  /** Milliseconds that the app gets to be ready and checked. */
  timeout: number
}

/** The command line cannot be understood; the message says why. */
export class UsageError extends Error {}

export const HELP = `Usage: fastify-chirp check FILE [options]

Holds the templates of a Fastify app against its routes, and reports what leads nowhere.
FILE is a module that exports the app, a function that builds it, or a plugin, or that starts it.

  --json                    the report as JSON
  --github                  the report as annotations for GitHub Actions
  --warnings-as-errors      fail on warnings too
  --severity CATEGORY=LEVEL error, warning, info or off for findings of a category; can be repeated
  --baseline FILE           fail on findings only that are not in this file
  --write-baseline          write what is found to the file of --baseline, and do not fail
  --source PATH             also read this file or folder of the app's source; can be repeated
  --export NAME             the export of FILE to use; else default, app, build, buildApp or createApp
  --timeout SECONDS         what the app may take; else 60
  --help, --version

Exits with 0 when there is nothing to report, 1 when there is, 2 when the app could not be checked.
`

/**
 * The task, or which of the two questions was asked.
 *
 * @throws UsageError
 */
export function readArguments (args: string[]): Task | 'help' | 'version' {
  const { values, positionals } = parse(args)
  if (values.help === true) return 'help'
  if (values.version === true) return 'version'
  const [command, file, ...rest] = positionals
  if (command === undefined) throw new UsageError('There is no command. Say: fastify-chirp check ./app.js')
  if (command !== 'check') throw new UsageError(`There is no command "${command}". Say: fastify-chirp check ./app.js`)
  if (file === undefined) throw new UsageError('There is no file. Say which module makes the app: fastify-chirp check ./app.js')
  if (rest.length > 0) throw new UsageError(`Only one file can be checked at a time, and there is also ${rest.join(', ')}`)
  if (values.json === true && values.github === true) throw new UsageError('The report is either --json or --github. Leave one of them out')
  if (values['write-baseline'] === true && values.baseline === undefined) throw new UsageError('--write-baseline needs a file: add --baseline FILE')
  return {
    file,
    exportName: values.export,
    sources: values.source ?? [],
    severities: Object.fromEntries((values.severity ?? []).map(readSeverity)),
    format: values.json === true ? 'json' : values.github === true ? 'github' : 'text',
    baseline: values.baseline,
    writesBaseline: values['write-baseline'] === true,
    warningsAsErrors: values['warnings-as-errors'] === true,
    timeout: readTimeout(values.timeout)
  }
}

function parse (args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        json: { type: 'boolean' },
        github: { type: 'boolean' },
        'warnings-as-errors': { type: 'boolean' },
        severity: { type: 'string', multiple: true },
        baseline: { type: 'string' },
        'write-baseline': { type: 'boolean' },
        source: { type: 'string', multiple: true },
        export: { type: 'string' },
        timeout: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' }
      }
    })
  } catch (error) {
    throw new UsageError((error as Error).message)
  }
}

// Whether there is such a category and level is known to the checker of the app.
function readSeverity (text: string): [string, string] {
  const [, category, level] = /^([^=]+)=(.+)$/.exec(text) ?? []
  if (category === undefined || level === undefined) throw new UsageError(`--severity takes CATEGORY=LEVEL, such as orphan=off, not "${text}"`)
  return [category, level]
}

function readTimeout (text = '60'): number {
  const seconds = Number(text)
  if (!(seconds > 0 && seconds <= 3600)) throw new UsageError(`--timeout takes seconds, above 0 and up to 3600, not "${text}"`)
  return seconds * 1000
}
