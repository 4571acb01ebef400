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

// From top to bottom: a file may import its own layer and those below it.
const layers = [
  ['index.ts'],
  ['fastify.ts', 'plugin.ts'],
  ['script.ts'],
  ['script-text.ts'],
  ['contracts/'],
  ['channel/channels.ts'],
  ['channel/'],
  ['stream/start.ts', 'stream/takeover.ts'],
  ['stream/stream.ts'],
  ['stream/', 'html/page.ts', 'html/render.ts', 'options.ts'],
  ['types.ts', 'html/', 'stream/feed.ts', 'channel/entry.ts'],
  ['stream/source.ts', 'html/fragment.ts', 'sse/'],
  ['errors.ts']
]

function layerOf (name) {
  // The longest pattern that fits says where a file belongs.
  let best = -1
  let length = -1
  for (const [n, patterns] of layers.entries()) {
    for (const pattern of patterns) {
      if (name.startsWith(pattern) && pattern.length > length) [best, length] = [n, pattern.length]
    }
  }
  return best
}

t.test('imports point one way', async t => {
  for (const name of files) {
    if (/^(testing|client)\//.test(name)) continue
    t.ok(layerOf(name) >= 0, `${name} has a layer`)
    for (const imported of importsOf(name)) {
      t.ok(layerOf(imported) >= layerOf(name), `${name} imports ${imported}`)
    }
  }
})

for (const folder of ['testing/', 'client/']) {
  t.test(`${folder} needs nothing but itself`, async t => {
    for (const name of files.filter(name => name.startsWith(folder))) {
      for (const imported of importsOf(name)) t.ok(imported.startsWith(folder), `${name} imports ${imported}`)
    }
  })
}

t.test('the checker does not know streams, and the plugin loads it only when it is asked', async t => {
  for (const name of files.filter(name => name.startsWith('contracts/'))) {
    for (const imported of importsOf(name)) t.notMatch(imported, /^(?:stream|channel)\//, `${name} imports ${imported}`)
  }
  const loaded = new Set(['index.ts'])
  for (const name of loaded) for (const imported of importsOf(name, withoutTypes(name))) loaded.add(imported)
  t.ok(loaded.has('contracts/registration.ts'))
  t.same([...loaded].filter(name => /from '(?:acorn|parse5|find-my-way|@sveltejs\/[^']+)'/.test(withoutTypes(name))), [])
})

t.test('no import goes round in a circle', async t => {
  const isType = (name, imported) => new RegExp(`import type [^;]*?'[^']*${posix.basename(imported, '.ts')}\\.js'`).test(read(name))
  const state = new Map()
  const visit = (name, path) => {
    if (state.get(name) === 'done') return
    t.not(state.get(name), 'open', `${[...path, name].join(' -> ')}`)
    if (state.get(name) === 'open') return
    state.set(name, 'open')
    for (const imported of importsOf(name)) if (!isType(name, imported)) visit(imported, [...path, name])
    state.set(name, 'done')
  }
  for (const name of files) visit(name, [])
})

t.test('no file is longer than 300 lines', async t => {
  for (const name of files) t.ok(read(name).split('\n').length <= 300, name)
})

t.test('npm pack ships what users need and nothing else', async t => {
  const [{ files }] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: root, encoding: 'utf8' }))
  const names = files.map(({ path }) => path)
  t.same(names.filter(name => !name.startsWith('dist/')).sort(), ['LICENSE', 'README.md', 'package.json'])
  t.ok(names.every(name => /^dist\/.*\.(js|d\.ts|js\.map)$/.test(name) || !name.startsWith('dist/')))
  t.ok(names.includes('dist/index.d.ts') && names.includes('dist/testing/index.js'))
})
