// Builds the site of the documentation: `npm run docs`. The pages are those of the repository; the API
// reference is made from the types and their comments. Nothing of the site is committed.
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Application } from 'typedoc'
import { build } from 'vitepress'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = join(root, '.site/source')
const PAGES = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE', 'docs']

/** A TypeDoc of all entries of the package. */
export async function reference () {
  const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const types = Object.values(exports).map(entry => entry.types).filter(Boolean)
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
  await typedoc.generateDocs(await typedoc.convert(), join(source, 'docs/api'))
  await build(join(root, 'scripts/site'))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await site()
