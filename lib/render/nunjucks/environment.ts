// The `templates` option: what is accepted, and the environment for folders.
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import nunjucks from 'nunjucks'
import { FST_CHIRP_OPTION, FST_CHIRP_TEMPLATE_NAME } from '../../errors.js'
import { disregard } from '../../util/promise.js'
import { StrayTemplate } from './fault.js'
import type { Environment } from './internals.js'

/** The members by which a `nunjucks.Environment` is recognized. */
export interface NunjucksEnvironment {
  getTemplate (name: string, eagerCompile?: boolean): unknown
  getFilter (name: string): (...args: never[]) => unknown
  addGlobal (name: string, value: unknown): unknown
}

/** A folder, folders in the order in which they are searched, or an environment to share. */
export type TemplatesOption = string | string[] | NunjucksEnvironment

/**
 * The environment for the `templates` option.
 *
 * @throws FST_CHIRP_OPTION when the option is none of the accepted kinds, a
 * folder does not exist, or an environment does not escape.
 */
export function createEnvironment (templates: TemplatesOption, debug: boolean): Environment {
  const given: unknown = templates
  if (isEnvironment(given)) {
    if (given.opts.autoescape) return given
    throw new FST_CHIRP_OPTION('option "templates" is a nunjucks.Environment with autoescape off, which lets values inject HTML. Create it with { autoescape: true }')
  }
  const folders = Array.isArray(given) ? given : [given]
  if (folders.length === 0 || folders.some(folder => typeof folder !== 'string' || folder === '')) {
    throw new FST_CHIRP_OPTION('option "templates" must be a folder, a list of folders, or a nunjucks.Environment')
  }
  const loader = createLoader(folders.map(openFolder), debug) as unknown as nunjucks.ILoader
  return new nunjucks.Environment(loader, { autoescape: true, throwOnUndefined: debug }) as unknown as Environment
}

/**
 * Checks a name that a caller gives. Nunjucks' own loader lets `../views-secret/x`
 * leave the folder `views`, and shared environments use it.
 *
 * @throws FST_CHIRP_TEMPLATE_NAME
 */
export function checkName (name: unknown): asserts name is string {
  const problem = nameProblem(name)
  if (problem === undefined) return
  disregard(name)
  throw new FST_CHIRP_TEMPLATE_NAME(typeof name === 'string' ? JSON.stringify(name) : `of type ${typeof name}`, problem)
}

function nameProblem (name: unknown): string | undefined {
  if (typeof name !== 'string' || name === '') return 'the name must be a path inside the templates folder, such as "news/item.html"'
  if (name.includes('\0')) return 'the name must not contain a NUL character'
  if (name.includes('\\')) return 'the name must use / between folders, not \\'
  if (name.startsWith('/') || /^[a-z]:/i.test(name)) return 'the name must be relative to the templates folder'
  if (name.split('/').includes('..')) return 'the name must not contain ".."'
  return undefined
}

function isEnvironment (value: unknown): value is Environment {
  const { getTemplate, getFilter, addGlobal, opts } = Object(value)
  return [getTemplate, getFilter, addGlobal].every(method => typeof method === 'function') && typeof opts === 'object' && opts !== null
}

function openFolder (folder: string): string {
  const path = resolve(folder)
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new FST_CHIRP_OPTION(`option "templates" names a folder that does not exist: ${path}`)
  }
  return path
}

// Names inside templates may be relative to the template (./ and ../), as with
// Nunjucks' own loader, but none of them leaves the folders, not by a symbolic
// link either. The folders themselves may be links, which change at a deploy.
function createLoader (folders: string[], noCache: boolean) {
  return {
    // Nunjucks' own loader has it too; it tells which templates there are.
    searchPaths: folders,
    isRelative: (name: string) => name.startsWith('./') || name.startsWith('../'),
    resolve: (from: string, to: string) => resolve(dirname(from), to),
    getSource (name: string) {
      for (const folder of folders) {
        const path = resolve(folder, name)
        if (isInside(folder, path) && statSync(path, { throwIfNoEntry: false })?.isFile() === true) {
          refuseStray([folder, ...folders], path)
          return { src: readFileSync(path, 'utf8'), path, noCache }
        }
      }
      return null
    }
  }
}

function refuseStray (folders: string[], path: string): void {
  const file = realpathSync(path)
  if (folders.some(folder => isInside(realpathSync(folder), file))) return
  throw new StrayTemplate('its file is a symbolic link that leads out of the templates folder. Add the folder that it leads to to the option "templates"')
}

function isInside (folder: string, path: string): boolean {
  const way = relative(folder, path)
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)
}
