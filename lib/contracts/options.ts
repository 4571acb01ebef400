// Checks the options of `app.checkContracts()`.
import { FST_CHIRP_OPTION } from '../errors.js'
import { refuseUnknown } from '../options.js'
import { describe } from '../sse/field.js'
import { categories } from './check.js'
import type { Severity } from './types.js'

/** Options of `app.checkContracts()`. */
export interface ContractOptions {
  /**
   * Files and folders of the app's source, relative to the working directory,
   * in which names of templates, blocks and events are looked up. Default: the
   * program's entry file and the files that it imports by relative paths.
   * Off: `[]`.
   */
  sources?: readonly string[] | undefined
  /** Another severity for findings of a category. Default: that of docs/contracts.md. Off: `'off'`, for each. */
  severities?: Record<string, Severity | 'off'> | undefined
  /**
   * Patterns of paths that something else answers, such as a proxy or a
   * not-found handler that serves a single page app: `['/app/*']`. Links to
   * them are taken for good. Default: none. Off: omit.
   */
  external?: readonly string[] | undefined
}

export const LEVELS = ['error', 'warning', 'info', 'off'] as const

const OPTIONS = ['sources', 'severities', 'external'] as const

/**
 * @throws FST_CHIRP_OPTION for an unknown option, category or severity, and a
 * value that an option cannot take.
 */
export function checkOptions (options: ContractOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new FST_CHIRP_OPTION(`the options of app.checkContracts() must be an object, not ${describe(options)}`)
  }
  refuseUnknown(options, OPTIONS)
  const { sources, severities = {}, external } = options
  checkList('sources', 'files and folders, such as [\'app.js\', \'routes\']', sources, path => path !== '')
  checkList('external', 'patterns of paths, such as [\'/app/*\']', external, path => path.startsWith('/'))
  if (typeof severities !== 'object' || severities === null) {
    throw new FST_CHIRP_OPTION(`option "severities" must be an object, such as { orphan: 'off' }, not ${describe(severities)}`)
  }
  for (const [category, level] of Object.entries(severities)) checkSeverity(category, level)
}

function checkSeverity (category: string, level: unknown): void {
  const known = categories.map(({ category }) => category)
  if (!known.includes(category)) {
    throw new FST_CHIRP_OPTION(`option "severities": there is no category "${category}". The categories are ${known.join(', ')}`)
  }
  if (!LEVELS.some(known => known === level)) {
    throw new FST_CHIRP_OPTION(`option "severities": ${category} must be 'error', 'warning', 'info' or 'off', not ${describe(level)}`)
  }
}

function checkList (option: string, wanted: string, value: unknown, isGood: (item: string) => boolean): void {
  if (value === undefined) return
  if (Array.isArray(value) && value.every(item => typeof item === 'string' && isGood(item))) return
  throw new FST_CHIRP_OPTION(`option "${option}" must be a list of ${wanted}, not ${describe(value)}`)
}
