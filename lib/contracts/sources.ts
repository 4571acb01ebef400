// The source files of the app, found by following imports.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, resolve, sep } from 'node:path'
import { FST_CHIRP_OPTION } from '../errors.js'
import { candidatesFor, EXTENSIONS, importsOf } from './imports.js'
import type { Pause } from './pause.js'
import { fromHere } from './templates.js'
import type { SourceFile } from './types.js'

/** Not ours, or not what runs. */
const SKIPPED = /(?:^|[\\/])(?:\.[^\\/]+|node_modules|coverage)(?:[\\/]|$)|\.d\.[cm]?ts$/
/** A test makes up templates and streams as it needs them. */
const TEST = /[.-](?:test|spec)\.\w+$|(?:^|[\\/])(?:test|tests|__tests__)[\\/]/

/**
 * Reads files and what they import, and all files of folders. Without any: the
 * program's entry file, those of `registered`, and what these import, except for
 * tests, which are followed to what they test and are not part of the app.
 *
 * @throws FST_CHIRP_OPTION when there is no such file or folder.
 */
export async function readSources (paths: readonly string[] | undefined, registered: readonly string[], pause: Pause): Promise<SourceFile[]> {
  if (paths !== undefined) return follow(paths.flatMap(open), pause)
  const named = registered.flatMap(open)
  const [, entry] = process.argv
  const begin = entry === undefined || !isSource(resolve(entry)) || !isFile(entry) ? [] : [resolve(entry)]
  // A named file is part of the app, in any folder.
  const own = new Set(named.map(fromHere))
  return (await follow([...begin, ...named], pause)).filter(({ path }) => own.has(path) || !TEST.test(path))
}

function open (path: string): string[] {
  const info = statSync(path, { throwIfNoEntry: false })
  if (info === undefined) throw new FST_CHIRP_OPTION(`option "sources" names a file that does not exist: ${resolve(path)}`)
  return info.isDirectory() ? filesIn(path) : [resolve(path)]
}

async function follow (paths: string[], pause: Pause): Promise<SourceFile[]> {
  const found = new Map<string, SourceFile>()
  const queue = [...paths]
  for (const path of queue) {
    if (found.has(path)) continue
    const file = { path: fromHere(path), source: readFileSync(path, 'utf8') }
    found.set(path, file)
    for (const specifier of importsOf(file)) {
      const target = locate(resolve(dirname(path), specifier))
      if (target !== undefined) queue.push(target)
    }
    await pause()
  }
  return [...found.values()].sort((a, b) => a.path < b.path ? -1 : 1)
}

function locate (path: string): string | undefined {
  return candidatesFor(path).find(candidate => isSource(candidate) && isFile(candidate))
}

function filesIn (folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => !SKIPPED.test(name) && isSource(name))
    .map(name => resolve(folder, name))
}

function isSource (path: string): boolean {
  return EXTENSIONS.some(extension => path.endsWith(extension)) && !path.includes(`${sep}node_modules${sep}`)
}

function isFile (path: string): boolean {
  return existsSync(path) && statSync(path).isFile()
}
