// Blocks of JavaScript in the README and docs/ are well typed, as an editor
// checks them; and the package's types need no types of Nunjucks.
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { blocksOf, documents, read, root, usage } from '../helpers/readme.js'

// What the prose calls yours, or has shown in a block before. Requests bring
// texts, where a schema would say more. JavaScript does not say what an audience
// is, nor what is known of who is present, nor what a diagnostics channel tells.
const YOURS = `
  import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
  import type { Channel, ChannelOptions, Engine, LiveView, PresenceOptions, ResumeMessage, SignalFeed, SignalsOptions, StreamCloseMessage, StreamErrorMessage, StreamOpenMessage } from 'fastify-chirp'
  interface Texts { [name: string]: string }
  interface LooseChannel extends Channel<any> {
    presence (options?: PresenceOptions): ReturnType<typeof Channel.prototype.presence<any>>
  }
  declare module 'fastify/types/type-provider.js' {
    interface FastifyTypeProviderDefault { readonly validator: Texts }
  }
  declare module 'fastify' {
    interface FastifyRequest { user?: { id: string }, session: { user: string, destroy (): Promise<void> } }
    interface FastifyInstance { redis: import('ioredis').Redis }
  }
  declare module 'diagnostics_channel' {
    function subscribe (name: 'fastify-chirp:stream:open', listener: (message: StreamOpenMessage) => void): void
    function subscribe (name: 'fastify-chirp:stream:close', listener: (message: StreamCloseMessage) => void): void
    function subscribe (name: 'fastify-chirp:resume', listener: (message: ResumeMessage) => void): void
    function subscribe (name: 'fastify-chirp:stream:error', listener: (message: StreamErrorMessage) => void): void
    function subscribe (name: 'fastify-chirp:resume', listener: (message: ResumeMessage) => void): void
  }
  declare global {
    const app: { channel (name: string, options?: ChannelOptions): LooseChannel, signals (options?: SignalsOptions<any>): SignalFeed } & FastifyInstance
    const Fastify: typeof import('fastify').default
    const chirp: typeof import('fastify-chirp').default
    const key: string, cert: string
    const MyEngine: new () => Engine
    const MapEngine: new () => Engine
    const store: { newest (count: number): Array<{ id: number, text: string }>, add (text: string): Promise<{ id: number, text: string }> }
    const readRows: (body: unknown, options: { signal: AbortSignal }) => AsyncIterable<Texts>
    const db: { ticket (id: string): Promise<object | null>, comments (id: string): Promise<object[]>, addComment (id: string, text: string): Promise<void> }
    const ticket: LiveView
    const loadStats: (signal: AbortSignal) => Promise<object>
    const loadFeed: () => Promise<object>
    const fastifyRedis: FastifyPluginAsync<{ url: string }>
    const save: (row: Texts) => Promise<void>
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
  // JavaScript has no types for parameters and for what is caught.
  noImplicitAny: false,
  useUnknownInCatchVariables: false,
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
    // Fastify's own types do not know what the prelude says of requests, and those of @fastify/multipart have a fault.
    if (/^node_modules\/(?:fastify|@fastify\/multipart)\//.test(name)) continue
    const { line } = file?.getLineAndCharacterOfPosition(start) ?? { line: -1 }
    const list = found[name] ??= []
    list.push(`${line + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ').split('. ')[0]}`)
  }
  return found
}

const texts = {
  'yours.d.mts': YOURS,
  // Later than @types/node of the oldest Node.js.
  'sqlite.d.ts': "declare module 'node:sqlite' { export const DatabaseSync: new (file: string) => any }",
  // Not needed here.
  'prom.d.ts': "declare module 'prom-client'",
  'app.d.mts': "export const app: import('fastify').FastifyInstance",
  'wrong.mjs': WRONG
}
for (const document of documents()) {
  const text = document === 'docs/reference/contracts.md' ? usage : read(document)
  for (const [n, { kind, language, code }] of blocksOf(text).entries()) {
    // A part of a file is checked there.
    if (language === 'js' && kind !== 'from') texts[`${document.replaceAll('/', '-')}-${n}.mjs`] = `${code}\nexport {}\n`
  }
}
const { exports } = JSON.parse(read('package.json'))
// The script for browsers needs their types.
const entries = Object.keys(exports).filter(entry => exports[entry].types !== undefined && entry !== './client')
texts['entries.mts'] = entries.map(entry => `import 'fastify-chirp${entry.slice(1)}'\n`).join('')

const { 'wrong.mjs': wrong, ...found } = check(texts, ['replay.js', 'store.js', 'cluster/app.js', 'cluster/server.js', 'engine-postgres/engine.js'].map(name => join(root, 'docs/examples', name)))

t.test('what is wrong in a block is found', async t => {
  t.same(wrong, [
    '2: No overload matches this call',
    "3: Property 'toFixed' does not exist on type 'string'",
    '4: Expected 2-4 arguments, but got 1.',
    "5: Property 'closed' does not exist on type 'EventStreams'"
  ])
})

t.test('blocks, examples and the types of the package are well typed, the latter without @types/nunjucks', async t => {
  t.ok(Object.keys(texts).length > 25, 'there are blocks')
  t.same(found, {})
})
