// What holds for the source as a whole.
import { readdirSync, readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const root = fileURLToPath(new URL('..', import.meta.url))
const files = readdirSync(`${root}lib`, { recursive: true }).filter(name => name.endsWith('.ts'))
const read = name => readFileSync(`${root}lib/${name}`, 'utf8')

const withoutTypes = name => read(name).replaceAll(/(?:import|export) type [^']+'[^']+'/g, '')

/** The files of lib/ that a file imports; types count too. */
function importsOf (name, text = read(name)) {
  const specifiers = [...text.matchAll(/(?:from|import) '(\.[^']+)'/g)].map(match => match[1])
  return specifiers.map(specifier => posix.join(posix.dirname(name), specifier.replace(/\.js$/, '.ts')))
}

// From bottom to top. A file may import its own layer and those before it.
const layers = [
  'errors.ts', 'util/', 'sse/', 'dialects/', 'message/', 'render/', 'transport/', 'stream/', 'channel/', 'live/', 'pages/',
  // What has an entry of its own, or is put together by the plugin.
  'types.ts', 'contracts/', 'options.ts', 'script-text.ts', 'script.ts', 'fastify.ts', 'plugin.ts', 'index.ts'
]

const layerOf = name => layers.findIndex(layer => layer.endsWith('/') ? name.startsWith(layer) : name === layer)

t.test('folders are layers: imports point one way, also those of types', async t => {
  for (const name of files) {
    if (/^(testing|redis|otel|client)\//.test(name)) continue
    t.ok(layerOf(name) >= 0, `${name} has a layer`)
    for (const imported of importsOf(name)) t.ok(layerOf(imported) <= layerOf(name), `${name} imports ${imported}`)
  }
})

t.test('only render/nunjucks/ knows Nunjucks', async t => {
  const knows = files.filter(name => /from 'nunjucks'/.test(read(name)))
  t.same(knows, ['render/nunjucks/environment.ts'])
})

for (const [folder, others] of [['testing/', /^(?:testing|util)\/|^errors/], ['redis/', /^(?:redis|util)\/|^errors/], ['client/', /^client\//]]) {
  t.test(`${folder} needs nothing of the plugin`, async t => {
    for (const name of files.filter(name => name.startsWith(folder))) {
      // What an engine is, is a type of the plugin.
      const imports = importsOf(name).filter(imported => imported !== 'channel/engine.ts' || importsOf(name, withoutTypes(name)).includes(imported))
      for (const imported of imports) t.match(imported, others, `${name} imports ${imported}`)
    }
  })
}

t.test('otel/ needs nothing of the plugin but types, and nothing else needs OpenTelemetry', async t => {
  for (const name of files.filter(name => name.startsWith('otel/'))) {
    for (const imported of importsOf(name, withoutTypes(name))) t.match(imported, /^(?:otel|util)\/|^errors/, `${name} imports ${imported}`)
  }
  t.same(files.filter(name => /from '@opentelemetry/.test(read(name)) && !name.startsWith('otel/')), [])
})

t.test('the checker does not know streams, and the plugin loads it only when it is asked', async t => {
  for (const name of files.filter(name => name.startsWith('contracts/'))) {
    for (const imported of importsOf(name)) t.notMatch(imported, /^(?:transport|stream|channel|pages)\//, `${name} imports ${imported}`)
  }
  const loaded = new Set(['index.ts'])
  for (const name of loaded) for (const imported of importsOf(name, withoutTypes(name))) loaded.add(imported)
  t.ok(loaded.has('contracts/registration.ts'))
  t.same([...loaded].filter(name => /from '(?:acorn|parse5|find-my-way|@sveltejs\/[^']+)'/.test(withoutTypes(name))), [])
})

t.test('no import goes round in a circle, also none of types', async t => {
  const state = new Map()
  const visit = (name, path) => {
    if (state.get(name) === 'done') return
    t.not(state.get(name), 'open', `${[...path, name].join(' -> ')}`)
    if (state.get(name) === 'open') return
    state.set(name, 'open')
    for (const imported of importsOf(name)) visit(imported, [...path, name])
    state.set(name, 'done')
  }
  for (const name of files) visit(name, [])
})

t.test('no file is longer than 300 lines', async t => {
  for (const name of files) t.ok(read(name).split('\n').length <= 300, name)
})

t.test('CI runs the oldest versions that package.json allows', async t => {
  const { engines, peerDependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  const workflow = readFileSync(`${root}.github/workflows/ci.yml`, 'utf8')
  const oldest = name => new RegExp(`^ +${name}: \\['([^']+)'`, 'm').exec(workflow)?.[1]
  t.equal(engines.node, `>=${oldest('node')}.0`)
  t.equal(peerDependencies.fastify, `^${oldest('fastify')}`)
})

t.test('npm pack ships what users need and nothing else', async t => {
  const [{ files }] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' }))
  const names = files.map(({ path }) => path)
  t.same(names.filter(name => !/^(?:dist|docs)\//.test(name)).sort(), ['CHANGELOG.md', 'CONTRIBUTING.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'])
  t.ok(names.every(name => /^dist\/.*\.(js|d\.ts)$/.test(name) || !name.startsWith('dist/')))
  t.ok(names.includes('dist/index.d.ts') && names.includes('dist/testing/index.js'))
  for (const name of names.filter(name => name.endsWith('.md'))) {
    for (const [, link] of readFileSync(`${root}${name}`, 'utf8').matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
      t.ok(names.includes(posix.join(posix.dirname(name), link)), `${link} in ${name} is packed`)
    }
  }
})
