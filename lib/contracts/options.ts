// Checks the options of `app.checkContracts()`, and the plugin's option `contracts`.
import { FST_CHIRP_OPTION } from '../errors.js'
import type { ContractOptions } from '../types.js'
import { describe } from '../util/describe.js'
import { isList } from '../util/kind.js'
import { named, refuseUnknown } from '../util/options.js'
import { CATEGORIES } from './categories.js'

export type { ContractOptions } from '../types.js'

export const LEVELS = ['error', 'warning', 'info', 'off'] as const

const OF = 'of app.checkContracts()'

const OPTIONS = ['sources', 'severities', 'external'] as const

/**
 * @throws FST_CHIRP_OPTION for an unknown option, category or severity, and a
 * value that an option cannot take.
 */
export function checkOptions (options: ContractOptions): void {
  checkEach(options, { of: OF })
}

/**
 * The plugin's option `contracts`, checked when it is registered.
 *
 * @throws FST_CHIRP_OPTION as {@link checkOptions} does.
 */
export async function checkRegistered (options: ContractOptions | undefined): Promise<void> {
  if (options === undefined) return
  if (typeof options !== 'object' || options === null) {
    throw new FST_CHIRP_OPTION(`option "contracts" must be an object, such as { sources: ['routes'] }, not ${describe(options)}`)
  }
  checkEach(options, { within: 'contracts.' })
  if (options.external === undefined) return
  // It brings a router along.
  const { createExternal } = await import('./external.js')
  createExternal(options.external)
}

/**
 * The options of one check, completed by those of the registrations of the app.
 * Of these the first one wins; the lists of a check take the place of theirs.
 */
export function mergeOptions (registered: ReadonlyArray<ContractOptions | undefined>, given: ContractOptions): ContractOptions {
  const known = registered.filter(options => options !== undefined)
  return {
    sources: given.sources,
    external: given.external ?? known.flatMap(({ external = [] }) => external),
    severities: Object.assign({}, ...known.map(({ severities }) => severities).reverse(), given.severities)
  }
}

function checkEach (options: ContractOptions, { within = '', of }: { within?: string, of?: string }): void {
  refuseUnknown(of ?? 'in "contracts"', options, OPTIONS)
  const { sources, severities = {}, external } = options
  const name = (option: string): string => named(`${within}${option}`, of)
  checkList(name('sources'), 'files and folders, such as [\'app.js\', \'routes\']', sources, path => path !== '')
  checkList(name('external'), 'patterns of paths, such as [\'/app/*\']', external, path => path.startsWith('/'))
  if (typeof severities !== 'object' || severities === null || isList(severities)) {
    throw new FST_CHIRP_OPTION(`${name('severities')} must be an object, such as { orphan: 'off' }, not ${describe(severities)}`)
  }
  for (const [category, level] of Object.entries(severities)) checkSeverity(name('severities'), category, level)
}

function checkSeverity (option: string, category: string, level: unknown): void {
  if (!CATEGORIES.some(known => known === category)) {
    throw new FST_CHIRP_OPTION(`${option}: there is no category "${category}". The categories are ${CATEGORIES.join(', ')}`)
  }
  if (!LEVELS.some(known => known === level)) {
    throw new FST_CHIRP_OPTION(`${option}: ${category} must be 'error', 'warning', 'info' or 'off', not ${describe(level)}`)
  }
}

function checkList (option: string, wanted: string, value: unknown, isGood: (item: string) => boolean): void {
  if (value === undefined) return
  if (isList(value) && value.every(item => typeof item === 'string' && isGood(item))) return
  throw new FST_CHIRP_OPTION(`${option} must be a list of ${wanted}, not ${describe(value)}`)
}
