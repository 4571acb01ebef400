// Builds the site of the documentation: `npm run docs`. The pages are those of the repository; the API
// reference is made from the types and their comments. Nothing of the site is committed.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Application } from 'typedoc'
import { build } from 'vitepress'
import { additions } from './additions.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = join(root, '.site/source')
const PAGES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE', 'docs']

// Pages link to them as they are.
const FILES = ['LICENSE', 'docs/examples', 'docs/grafana.json']

// The script for browsers has the types of browsers.
const SETTINGS = { './client': 'lib/client/tsconfig.json' }

/** The pages of the entries `names` of the package, written below `path`. Fails where an export has no place in them. */
async function writeReference (names, path) {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const files = names.map(name => join(root, exports[name].types.replace('dist', 'lib').replace('.d.ts', '.ts')))
  const typedoc = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: files,
    tsconfig: join(root, SETTINGS[names[0]] ?? 'tsconfig.json'),
    name: 'fastify-chirp',
    basePath: root,
    readme: 'none',
    excludeInternal: true,
    excludePrivate: true,
    disableSources: true,
    hideBreadcrumbs: true,
    hidePageHeader: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    alwaysCreateEntryPointModule: true,
    entryFileName: 'index',
    outputFileStrategy: 'modules',
    logLevel: 'Warn',
    treatWarningsAsErrors: true
  })
  const project = await typedoc.convert()
  if (project === undefined || typedoc.logger.hasWarnings()) throw new Error('The API reference is not complete: see above')
  for (const { displayName, program, sourceFile } of typedoc.getEntryPoints()) {
    const checker = program.getTypeChecker()
    const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(sourceFile)).map(({ name }) => name)
    const known = new Set(project.children.find(({ name }) => name === displayName).children.map(({ name }) => name))
    const missing = exported.filter(name => !known.has(name))
    if (missing.length > 0) throw new Error(`The API reference of ${displayName} lacks ${missing.join(', ')}`)
  }
  for (const module of project.children) module.name = module.name.replace(/^lib/, 'fastify-chirp').replace(/\/types$/, '')
  await typedoc.outputs.writeOutput({ name: 'markdown', path }, project)
}

/** The API reference: every name that the package exports, and its additions to the types of others. */
export async function reference (path) {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const names = Object.keys(exports).filter(name => exports[name].types !== undefined)
  await writeReference(names.filter(name => SETTINGS[name] === undefined), path)
  for (const name of Object.keys(SETTINGS)) await writeReference([name], join(path, name))
  writeFileSync(join(path, 'fastify.md'), additions('lib/fastify.ts', 'Additions to Fastify'))
  writeFileSync(join(path, 'dom.md'), additions('lib/client/types.ts', 'Events of the client script'))
  const index = join(path, 'index.md')
  const more = ['[fastify-chirp/client](client/fastify-chirp/client.md)', '[Additions to Fastify](fastify.md)', '[Events of the client script](dom.md)']
  writeFileSync(index, readFileSync(index, 'utf8') + more.map(link => `- ${link}\n`).join(''))
}

export async function site () {
  rmSync(source, { recursive: true, force: true })
  mkdirSync(source, { recursive: true })
  for (const page of PAGES) cpSync(join(root, page), join(source, page), { recursive: true })
  await reference(join(source, 'docs/api'))
  await build(join(root, 'scripts/site'))
  for (const file of FILES) cpSync(join(root, file), join(root, '.site/html', file), { recursive: true })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await site()
