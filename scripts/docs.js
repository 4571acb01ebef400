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

/** A TypeDoc of the entries of the package, but for the script, whose types are those of browsers. */
export async function reference () {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const types = Object.keys(exports).filter(entry => entry !== './client').map(entry => exports[entry].types).filter(Boolean)
  return Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: types.map(path => join(root, path.replace('dist', 'lib').replace('.d.ts', '.ts'))),
    tsconfig: join(root, 'tsconfig.json'),
    basePath: root,
    readme: 'none',
    excludeInternal: true,
    excludePrivate: true,
    disableSources: true,
    hideBreadcrumbs: true,
    hidePageHeader: true,
    parametersFormat: 'table',
    interfacePropertiesFormat: 'table',
    entryFileName: 'index',
    outputFileStrategy: 'modules',
    logLevel: 'Warn'
  })
}

export async function site () {
  rmSync(source, { recursive: true, force: true })
  mkdirSync(source, { recursive: true })
  for (const page of PAGES) cpSync(join(root, page), join(source, page), { recursive: true })
  const typedoc = await reference()
  const project = await typedoc.convert()
  for (const module of project.children) module.name = module.name.replace(/^lib/, 'fastify-chirp')
  await typedoc.outputs.writeOutput({ name: 'markdown', path: join(source, 'docs/api') }, project)
  const index = join(source, 'docs/api/index.md')
  writeFileSync(index, `${readFileSync(index, 'utf8')}- [Additions to Fastify](fastify.md)\n`)
  writeFileSync(join(source, 'docs/api/fastify.md'), additions())
  await build(join(root, 'scripts/site'))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await site()
