// Blocks of JavaScript in the README and docs/ are well typed, as an editor
// checks them; and the package's types need no types of Nunjucks.
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { blocksOf, documents, read, root, usage } from '../helpers/readme.js'

// What the prose calls yours, or has shown in a block before. Requests bring texts: a schema would say so.
const YOURS = `
  import type { FastifyInstance } from 'fastify'
  import type chirp from 'fastify-chirp'
  import type { Engine } from 'fastify-chirp'
  declare module 'fastify/types/type-provider' {
    interface FastifyTypeProviderDefault { readonly validator: Record<string, string> }
  }
  declare module 'fastify' {
    interface FastifyRequest { user?: { id: string }, session: { user?: string } }
  }
  declare global {
    const app: FastifyInstance
    const key: string, cert: string
    const MyEngine: new () => Engine
    const MapEngine: new () => Engine
  }
`

// A block of its own that shows that what is wrong is found.
const WRONG = `import { Fragment } from 'fastify-chirp'
app.channel('news', { histroy: 1 })
app.get('/', request => request.query.name.toFixed())
app.get('/live', (request, reply) => reply.eventStream([new Fragment('page.html')]))
app.eventStreams.closed
`

const OPTIONS = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
  allowJs: true,
  checkJs: true,
  strict: true,
  // JavaScript has no types for parameters of functions.
  noImplicitAny: false,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true
}

const folder = join(root, 'blocks/')

/** What TypeScript finds in texts, which are files of a folder that is not there, in `paths` and in all that they import; by file. */
function check (texts, paths) {
  const files = new Map(Object.entries(texts).map(([name, text]) => [folder + name, text]))
  const host = ts.createCompilerHost(OPTIONS)
  const { fileExists, readFile, directoryExists } = host
  const isHidden = path => /@types\/nunjucks\b/.test(path)
  Object.assign(host, {
    fileExists: path => files.has(path) || (!isHidden(path) && fileExists(path)),
    readFile: path => files.get(path) ?? readFile(path),
    directoryExists: path => `${path}/` === folder || (!isHidden(path) && directoryExists(path))
  })
  const program = ts.createProgram([...files.keys(), ...paths], OPTIONS, host)
  const found = {}
  for (const { file, start, messageText } of ts.getPreEmitDiagnostics(program)) {
    const name = file?.fileName.replace(folder, '').replace(root, '') ?? ''
    const { line } = file?.getLineAndCharacterOfPosition(start) ?? { line: -1 }
    const list = found[name] ??= []
    list.push(`${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ').split('. ')[0]}`)
  }
  return found
}

const texts = { 'yours.d.mts': YOURS, 'app.d.mts': "export const app: import('fastify').FastifyInstance", 'wrong.mjs': WRONG }
for (const document of documents()) {
  const text = document === 'docs/contracts.md' ? usage : read(document)
  for (const [n, { kind, language, code }] of blocksOf(text).entries()) {
    // A part of a file is checked there.
    if (language === 'js' && kind !== 'from') texts[`${document.replaceAll('/', '-')}-${n}.mjs`] = `${code}\nexport {}\n`
  }
}
const { exports } = JSON.parse(read('package.json'))
// The script for browsers needs their types.
const entries = Object.keys(exports).filter(entry => exports[entry].types !== undefined && entry !== './client')
texts['entries.mts'] = entries.map(entry => `import 'fastify-chirp${entry.slice(1)}'\n`).join('')

const { 'wrong.mjs': wrong, ...found } = check(texts, ['replay.js', 'store.js'].map(name => join(root, 'docs/examples', name)))
console.log(found, wrong)
