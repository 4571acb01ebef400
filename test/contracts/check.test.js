// app.checkContracts(): what the checker is shown of an app, its options, and
// the check at start. What is found is in contracts/rules.test.js and its likes, the report in report.test.js.
import { writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import Fastify from 'fastify'
import fastifyStatic from '@fastify/static'
import fp from 'fastify-plugin'
import nunjucks from 'nunjucks'
import t from 'tap'
import chirp from 'fastify-chirp'
import { categories } from 'fastify-chirp/contracts'
import { opensStream } from '../../dist/contracts/handler.js'
import { takeSnapshot } from '../../dist/contracts/snapshot.js'
import { buildApp, quiet, until } from '../helpers/app.js'
import { routing } from '../helpers/fastify.js'

const BROKEN = '<p>\n  {{ name | }}\n</p>\n'

/** A folder of templates: `{ name: text }`. */
function views (t, templates) {
  return t.testdir(Object.fromEntries(Object.entries(templates).map(([name, text]) => [name, text])))
}

/** What the rules get to see. */
async function snapshotOf (app, options = {}) {
  const found = globalThis[kFound].find(registration => registration.app.server === app.server)
  const { snapshot } = await takeSnapshot(found, { sources: [], ...options })
  return snapshot
}

/** An app whose snapshot can be taken. */
async function watchedApp (t, options, fastifyOptions) {
  globalThis[kFound] = []
  t.teardown(() => { delete globalThis[kFound] })
  return buildApp(t, options, fastifyOptions)
}

const kFound = Symbol.for('fastify-chirp.contracts.found')

const listed = ({ routes }) => routes.map(({ method, url }) => `${method} ${url}`)
const handler = (request, reply) => reply.send('')

t.test('a handler tells whether it opens a stream', async t => {
  const open = () => {}
  class Controller {
    #log = []
    async show (request, reply) { this.#log.push(1); return reply.eventStream([]) }
    list (request, reply) { this.#log.push(2); reply.send('') }
  }
  const controller = new Controller()
  const cases = [
    ['an arrow function', true, (request, reply) => reply.eventStream([])],
    ['an async function', true, async function (request, reply) { return reply.eventStream([]) }],
    ['a chain', true, (request, reply) => { reply.code(201).header('x', 'y').eventStream([]) }],
    ['a branch', true, (request, reply) => request.query.html ? reply.page('x.html') : reply.eventStream([])],
    ['a method', true, controller.show],
    ['a method that does not', false, controller.list],
    ['a shorthand method', true, { get (request, reply) { return reply.eventStream([]) } }.get],
    ['no reply', false, async request => ({ id: request.id })],
    ['no parameters', false, () => 'hello'],
    ['a page', false, (request, reply) => reply.page('x.html', { reply: 1 })],
    ['status and headers', false, async (request, reply) => { reply.code(204).header('x', 'y'); return reply }],
    ['a value of the reply that is handed on', false, (request, reply) => { open(reply.getHeader('x'), reply.request, reply.log.info); return {} }],
    ['waiting for the reply', false, async (request, reply) => { await reply.redirect('/') }],
    ['another property of that name', false, (request, reply) => { open(request.reply, { reply: 2 }); return 5 }],
    ['the reply handed on', undefined, (request, reply) => open(reply)],
    ['the chain handed on', undefined, (request, reply) => open(reply.code(200))],
    ['the reply in an object', undefined, (request, reply) => open({ reply })],
    ['the reply under another name', undefined, (request, reply) => { const other = reply; return other }],
    ['the raw response', undefined, (request, reply) => { reply.raw.end() }],
    ['a decorator of somebody', undefined, (request, reply) => reply.stream()],
    ['a computed method', undefined, (request, reply) => reply[request.query.method]()],
    ['a content type of a stream', undefined, (request, reply) => reply.type('text/event-stream').send('')],
    ['all arguments', undefined, (...args) => open(...args)],
    ['the arguments object', undefined, function () { return open(arguments) }],
    ['a destructured reply', undefined, (request, { send }) => send('')],
    ['a bound function', undefined, handler.bind(null)],
    ['a native function', undefined, JSON.parse],
    ['a class', undefined, Controller]
  ]
  for (const [title, expected, handler] of cases) t.equal(opensStream(handler), expected, title)
})

t.test('all routes are seen, with their prefixes and one entry for each method', async t => {
  const app = await watchedApp(t)
  app.get('/', handler)
  app.get('/stream', { referenced: true, events: ['a'] }, handler)
  app.route({ method: ['POST', 'PUT'], url: '/both', handler })
  app.register(async app => {
    app.get('/', { exposeHeadRoute: false }, handler)
    app.register(async app => { app.get('/:id?', { exposeHeadRoute: false }, handler) }, { prefix: '/deep' })
  }, { prefix: '/in' })
  app.all('/all', handler)
  await app.ready()
  const snapshot = await snapshotOf(app)
  t.same(listed(snapshot).filter(route => !route.endsWith('/all')),
    ['GET /', 'HEAD /', 'GET /stream', 'HEAD /stream', 'POST /both', 'PUT /both', 'GET /in', 'GET /in/deep/:id?'])
  t.same(snapshot.routes[2], { method: 'GET', url: '/stream', referenced: true, events: ['a'], isStream: true, isStatic: false })
  t.same(snapshot.matchAny('/all').map(({ method }) => method).sort(), [...app.supportedMethods].sort())
  const matches = { '/in': '/in', '/in/': '/in', '/in/deep': '/in/deep/:id?', '/in/deep/5': '/in/deep/:id?', '/in/deep/5/6': undefined, '/nope': undefined }
  for (const [path, url] of Object.entries(matches)) t.equal(snapshot.match('GET', path)?.url, url, path)
  t.same(snapshot.matchAny('/both').map(({ method }) => method), ['PUT', 'POST'])
})

t.test("paths are matched under the app's own options", async t => {
  const cases = [
    [{}, '/news/', undefined],
    [{}, '/News', undefined],
    [{}, '//news', undefined],
    [{ ignoreTrailingSlash: true }, '/news/', '/news'],
    [{ caseSensitive: false }, '/News', '/news'],
    [{ ignoreDuplicateSlashes: true }, '//news', '/news'],
    [{ maxParamLength: 3 }, '/users/anna', undefined],
    [{}, '/users/anna', '/users/:name'],
    [{}, '/users/anna?tab=1', '/users/:name'],
    [{}, '/on-2025', '/on-:year(^\\d{4}$)'],
    [{}, '/on-never', undefined],
    [{}, '/%zz', undefined]
  ]
  for (const [options, path, url] of cases) {
    const app = await watchedApp(t, {}, routing(options))
    for (const url of ['/news', '/users/:name', '/on-:year(^\\d{4}$)']) app.get(url, handler)
    await app.ready()
    t.equal((await snapshotOf(app)).match('GET', path)?.url, url, `${path} with ${JSON.stringify(options)}`)
  }
})

t.test('routes that the plugin did not see being added exist, and no more is known of them', async t => {
  globalThis[kFound] = []
  t.teardown(() => { delete globalThis[kFound] })
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/before', handler)
  app.get('/users/me', handler)
  app.register(async app => { app.get('/elsewhere', handler) })
  await app.register(chirp, { debug: false })
  app.get('/users/:name', { referenced: true, events: ['a'] }, handler)
  await app.ready()
  const snapshot = await snapshotOf(app)
  t.same(listed(snapshot), ['GET /users/:name', 'HEAD /users/:name'])
  const unseen = { method: 'GET', referenced: false, events: undefined, isStream: undefined, isStatic: false }
  t.same(snapshot.match('GET', '/before'), { ...unseen, url: '/before' })
  t.same(snapshot.match('GET', '/elsewhere'), { ...unseen, url: '/elsewhere' })
  t.same(snapshot.match('GET', '/users/me'), { ...unseen, url: '/users/me' }, 'it is nearer than /users/:name')
  t.equal(snapshot.match('GET', '/users/ann').url, '/users/:name')
  t.equal(snapshot.match('POST', '/before'), undefined)
})

t.test('a route for some hosts or versions stands for its path', async t => {
  const app = await watchedApp(t)
  app.get('/a', { constraints: { host: 'one.example.com' }, events: ['one'] }, handler)
  app.get('/a', { events: ['all'] }, handler)
  app.get('/b', { constraints: { version: '1.0.0' } }, handler)
  app.get('/b', { constraints: { version: '2.0.0' } }, handler)
  await app.ready()
  const snapshot = await snapshotOf(app)
  t.same(snapshot.match('GET', '/a').events, ['all'])
  t.equal(snapshot.match('GET', '/b').url, '/b')
})

t.test('with rewriteUrl any path may lead somewhere', async t => {
  const app = await watchedApp(t, {}, { rewriteUrl: request => request.url.replace('/old', '/new') })
  app.get('/new', handler)
  app.register(async app => { app.get('/x', handler) })
  await app.ready()
  const snapshot = await snapshotOf(app)
  t.equal(snapshot.match('GET', '/new').url, '/new')
  t.equal(snapshot.match('GET', '/old').url, '/old')
})

t.test('paths that something else answers are taken for good', async t => {
  const app = await watchedApp(t)
  await app.ready()
  const snapshot = await snapshotOf(app, { external: ['/app/*', '/shop/:id', '/app/*'] })
  t.equal(snapshot.match('GET', '/app/any/thing').url, '/app/any/thing')
  t.equal(snapshot.match('POST', '/shop/1').url, '/shop/1')
  t.equal(snapshot.match('GET', '/shop'), undefined)
})

t.test('routes that serve files are told apart', async t => {
  const app = await watchedApp(t)
  const root = t.testdir({ 'app.css': '', plain: '' })
  await app.register(fastifyStatic, { root, prefix: '/wild/' })
  await app.register(fastifyStatic, { root, prefix: '/each/', wildcard: false, decorateReply: false })
  app.get('/robots.txt', handler)
  app.get('/*', handler)
  app.get('/page', handler)
  app.post('/any/*', handler)
  await app.ready()
  const isStatic = Object.fromEntries((await snapshotOf(app)).routes.map(({ url, isStatic }) => [url, isStatic]))
  t.same(isStatic, { '/wild/*': true, '/each/app.css': true, '/each/plain': true, '/robots.txt': true, '/*': true, '/page': false, '/any/*': false })
})

t.test('templates are those of all folders, once each, by the names that the environment knows', async t => {
  const folders = t.testdir({
    a: { 'page.html': 'a', sub: { 'x.njk': 'x' }, '.git': { 'y.html': 'y' }, node_modules: { 'z.html': 'z' }, 'readme.md': 'no' },
    b: { 'page.html': 'b', 'mail.txt': 'mail', 'extra.j2': '' }
  })
  const app = await watchedApp(t, { templates: [join(folders, 'a'), join(folders, 'b')] })
  await app.ready()
  const snapshot = await snapshotOf(app)
  t.same(snapshot.templates, [{ name: 'extra.j2', source: '' }, { name: 'page.html', source: 'a' }, { name: 'sub/x.njk', source: 'x' }])
  t.equal(snapshot.hasTemplates, true)
  t.same(await snapshot.load('mail.txt'), { name: 'mail.txt', source: 'mail' }, 'another one is found by its name')
  t.equal(await snapshot.load('nope.html'), undefined)
  t.equal(await snapshot.load('../b/page.html'), undefined)
})

t.test('an app without templates has none', async t => {
  const app = await watchedApp(t)
  await app.ready()
  const snapshot = await snapshotOf(app)
  t.same(snapshot.templates, [])
  t.equal(snapshot.hasTemplates, false)
  t.equal(await snapshot.load('page.html'), undefined)
})

t.test('a shared environment tells what it can: folders, or a template by its name', async t => {
  const folder = views(t, { 'page.html': '<< name >>', 'other.html': '' })
  const memory = { getSource: name => name === 'known.html' ? { src: '{% block a %}{% endblock %}', path: name, noCache: true } : null }
  const tags = { variableStart: '<<', variableEnd: '>>' }
  const precompiled = new nunjucks.PrecompiledLoader({ 'done.html': { root: (env, context, frame, runtime, callback) => callback(null, '') } })
  const gone = new nunjucks.FileSystemLoader(join(folder, 'gone'))
  const env = new nunjucks.Environment([memory, new nunjucks.FileSystemLoader(folder), precompiled, gone], { autoescape: true, tags })
  const app = await watchedApp(t, { templates: env })
  await app.ready()
  const snapshot = await snapshotOf(app)
  t.same(snapshot.templates.map(({ name }) => name), ['other.html', 'page.html'])
  t.same(await snapshot.load('known.html'), { name: 'known.html', source: '{% block a %}{% endblock %}' })
  t.equal(await snapshot.load('done.html'), undefined, 'a compiled template has no text')
  const [output] = snapshot.parse('<< name >>').children
  t.match(output, { typename: 'Output', children: [{ typename: 'Symbol', value: 'name' }] })
  t.match(snapshot.parse('{{ name }}').children[0].children[0], { typename: 'TemplateData', value: '{{ name }}' })
})

t.test('two parts of an app may each have the plugin, and are checked as one', async t => {
  globalThis[kFound] = []
  t.teardown(() => { delete globalThis[kFound] })
  const one = t.testdir({ a: { 'a.html': 'a {{ x }}' }, b: { 'b.html': '{% own %}', 'a.html': 'b' } })
  const env = new nunjucks.Environment(new nunjucks.FileSystemLoader(join(one, 'b')), { autoescape: true })
  env.addExtension('own', { tags: ['own'], parse (parser, nodes) { parser.advanceAfterBlockEnd(parser.nextToken().value); return new nodes.Output(0, 0, []) } })
  const app = Fastify()
  t.teardown(() => app.close())
  let check
  app.register(async app => {
    await app.register(chirp, { templates: join(one, 'a'), debug: false })
    app.get('/a', handler)
    check = options => app.checkContracts(options)
  })
  app.register(async app => {
    await app.register(chirp, { templates: env, debug: false })
    app.get('/b', handler)
  })
  await app.ready()
  const snapshot = await snapshotOf(app)
  t.same(listed(snapshot), ['GET /a', 'HEAD /a', 'GET /b', 'HEAD /b'])
  t.same(snapshot.templates, [{ name: 'a.html', source: 'a {{ x }}' }, { name: 'b.html', source: '{% own %}' }])
  t.equal(snapshot.parse('{% own %}').typename, 'Root', 'by the environment that knows the tag')
  t.equal(parses(snapshot, '{% own %} elsewhere'), false, 'and by the first one when it is nobody\'s')
  t.same((await check({ sources: [] })).counts.error, 0)
})

t.test('a template that cannot be read is a finding', async t => {
  const files = views(t, { 'page.html': '' })
  const loaders = [
    { getSource () { throw new Error('the disk is full') } },
    { async: true, getSource (name, callback) { callback(new Error('the disk is full')) } }
  ]
  for (const loader of loaders) {
    const env = new nunjucks.Environment([loader, new nunjucks.FileSystemLoader(files)], { autoescape: true })
    const app = await buildApp(t, { templates: env })
    const find = async options => (await app.checkContracts({ sources: [], ...options })).issues.filter(({ category }) => category === 'template-error')
    t.match(await find(), [{
      severity: 'error', template: 'page.html', message: 'The template cannot be loaded: the disk is full. Fix the error that its loader reports'
    }])
    t.match(await find({ severities: { 'template-error': 'warning' } }), [{ severity: 'warning' }])
    t.same(await find({ severities: { 'template-error': 'off' } }), [])
  }
})

t.test('source files are followed by their imports', async t => {
  const folder = t.testdir({
    'app.js': "import './a.js'\nimport { b } from './b'\nexport * from './lib/c.mjs'\nimport fs from 'node:fs'\nimport('./later.cjs')\nimport(fs)\n",
    'a.js': "export { x } from './typed.js'\nimport './app.js'\nimport './gone.js'\nimport './style.css'",
    'b.ts': 'const b: number = 1\nexport { b }',
    'typed.ts': "import './view.jsx'",
    'view.tsx': 'export const x = <p>{1 as number}</p>',
    lib: { 'c.mjs': 'export const c = require("./d")', d: { 'index.cjs': 'syntax error (', 'index.js': '' } },
    'later.cjs': "require('./lib/e.js'); require(name)",
    'style.css': '',
    node_modules: { x: { 'index.js': '' } },
    views: { 'page.html': '' }
  })
  writeFileSync(join(folder, 'lib', 'e.js'), 'import "../node_modules/x/index.js"')
  const app = await watchedApp(t)
  await app.ready()
  const names = async sources => (await snapshotOf(app, { sources })).sources.map(({ path }) => relative(relative(process.cwd(), folder), path))
  t.same(await names([join(folder, 'app.js')]), ['a.js', 'app.js', 'b.ts', 'later.cjs', 'lib/c.mjs', 'lib/d/index.js', 'lib/e.js', 'typed.ts', 'view.tsx'])
  t.same(await names([join(folder, 'lib')]), ['lib/c.mjs', 'lib/d/index.cjs', 'lib/d/index.js', 'lib/e.js'])
  const { sources: [file] } = await snapshotOf(app, { sources: [join(folder, 'b.ts')] })
  t.same(file, { path: relative(process.cwd(), join(folder, 'b.ts')), source: 'const b: number = 1\nexport { b }' })
})

t.test("the program's entry file is where the source begins, and tests are no part of it", async t => {
  const folder = t.testdir({
    'main.js': "import './part.js'",
    'part.js': '',
    'part.test.js': "import './part.js'",
    test: { 'all.js': "import './helper.js'\nimport '../part.js'", 'helper.js': '' },
    tool: '',
    node_modules: { runner: { 'cli.js': '' } }
  })
  const app = await watchedApp(t)
  await app.ready()
  const { argv } = process
  t.teardown(() => { process.argv = argv })
  const files = async (...entry) => {
    process.argv = [argv[0], ...entry.map(name => join(folder, name))]
    return (await snapshotOf(app, { sources: undefined })).sources.map(({ path }) => relative(relative(process.cwd(), folder), path))
  }
  t.same(await files('main.js'), ['main.js', 'part.js'])
  t.same(await files('part.test.js'), ['part.js'])
  t.same(await files('test/all.js'), ['part.js'])
  t.same(await files(), [], 'there is none in a shell')
  t.same(await files('gone.js'), [])
  t.same(await files('tool'), [])
  t.same(await files('node_modules/runner/cli.js'), [], 'a program that loads the app by itself')
})

t.test('bad options are refused, with what there is', async t => {
  const app = await buildApp(t)
  const cases = [
    [5, 'the options of app.checkContracts() must be an object, not 5'],
    [null, 'the options of app.checkContracts() must be an object, not null'],
    [{ source: [] }, 'there is no option "source" of app.checkContracts(). The options are sources, severities, external'],
    [{ sources: 'app.js' }, /option "sources" of app.checkContracts\(\) must be a list of files and folders, such as \['app.js', 'routes'\], not /],
    [{ sources: [''] }, /option "sources" of app.checkContracts\(\) must be a list of files and folders/],
    [{ sources: ['gone.js'] }, /option "sources" names a file that does not exist: .*gone.js/],
    [{ external: ['app'] }, /option "external" of app.checkContracts\(\) must be a list of patterns of paths, such as \['\/app\/\*'\], not /],
    [{ external: ['/a*b'] }, /option "external" has a pattern that Fastify would not take for a route either: \/a\*b \(Wildcard must be the last/],
    [{ severities: 1 }, 'option "severities" of app.checkContracts() must be an object, such as { orphan: \'off\' }, not 1'],
    [{ severities: null }, /option "severities" of app.checkContracts\(\) must be an object/],
    [{ severities: { links: 'off' } }, new RegExp(`there is no category "links". The categories are ${categories.map(({ category }) => category).join(', ')}`)],
    [{ severities: { 'template-error': 'fatal' } }, /template-error must be 'error', 'warning', 'info' or 'off', not the string "fatal"/]
  ]
  for (const [options, message] of cases) {
    const expected = typeof message === 'string' ? `fastify-chirp: ${message}` : message
    await t.rejects(app.checkContracts(options), { code: 'FST_CHIRP_OPTION', message: expected })
  }
})

t.test('a check makes the app ready, and rejects when that fails', async t => {
  const app = await buildApp(t, { templates: views(t, { 'page.html': BROKEN }) })
  app.get('/', (request, reply) => reply.page('page.html'))
  const report = await app.checkContracts({ sources: [] })
  t.equal(report.ok, false)
  t.same(report.counts, { error: 1, warning: 0, info: 0, templates: 1, routes: 1, routesRead: 1, routesUnread: 0 })
  t.match(report.issues, [{
    severity: 'error', category: 'template-error', template: 'page.html', file: /page\.html$/, line: 2, column: Number
  }])
  t.equal((await app.checkContracts({ sources: [], severities: { 'template-error': 'info' } })).ok, true)
  const failing = await buildApp(t)
  failing.register(async () => { throw new Error('no database') })
  await t.rejects(failing.checkContracts(), { message: 'no database' })
})

t.test('in debug the findings are logged when the app is ready, and nothing waits for them', async t => {
  const app = await buildApp(t, { templates: views(t, { 'page.html': BROKEN }), debug: true })
  await app.ready()
  const warnings = () => app.log.lines.filter(({ level }) => level === 40)
  t.same(warnings(), [], 'not yet')
  await until(() => warnings().length > 0)
  t.match(warnings().map(({ msg }) => msg), [/^page\.html:2:\d+ .+ \(template-error\)$/])
})

t.test('the check at start says when it fails, and the app goes on', async t => {
  const loader = Object.assign(new nunjucks.Loader(), { searchPaths: ['\0'], getSource: () => null })
  const app = await buildApp(t, { templates: new nunjucks.Environment(loader, { autoescape: true }), debug: true })
  await app.ready()
  await until(() => app.log.lines.some(({ msg }) => msg === 'the contracts of this app could not be checked'))
  t.equal(app.log.lines.find(({ level }) => level === 40).err.type, 'TypeError')
})

t.test('there is no check at start that nobody would read about', async t => {
  const templates = views(t, { 'page.html': BROKEN })
  let reads = 0
  const loader = { searchPaths: [templates], getSource () { reads++; return null } }
  const env = () => new nunjucks.Environment(loader, { autoescape: true })
  const loggers = [{ logger: false }, { logger: { level: 'error', stream: { write () {} } } }, { loggerInstance: silentLogger('fatal') }]
  for (const logger of loggers) {
    const app = Fastify(logger)
    t.teardown(() => app.close())
    await app.register(chirp, { templates: env(), debug: true })
    await app.ready()
  }
  const production = await buildApp(t, { templates: env(), debug: false })
  await production.ready()
  const talkative = Fastify({ loggerInstance: silentLogger('info') })
  t.teardown(() => talkative.close())
  await talkative.register(chirp, { templates: env(), debug: true })
  await talkative.ready()
  await until(() => reads > 0)
  t.equal(reads, 1, 'only the last one has looked for its template')
})

t.test('an app that closes at once is not checked, and one that closes meanwhile says nothing more', async t => {
  for (const wait of [0, 1]) {
    const app = await buildApp(t, { templates: views(t, { 'page.html': BROKEN }), debug: true })
    await app.ready()
    if (wait > 0) await new Promise(resolve => setImmediate(resolve))
    await app.close()
    const lines = app.log.lines.length
    await app.checkContracts().catch(() => {})
    await quiet(50)
    t.equal(app.log.lines.length, lines)
  }
})

for (const [name, open] of Object.entries({
  htmx2: async () => (await import('../fixtures/contracts/htmx2/app.js')).buildApp(),
  htmx4: async () => (await import('../fixtures/contracts/htmx4/app.js')).createApp(),
  plain: async () => Fastify().register(fp((await import('../fixtures/contracts/plain/app.cjs')).default))
})) {
  t.test(`nothing is wrong with an app that works: ${name}`, async t => {
    const app = await open()
    t.teardown(() => app.close())
    await app.ready()
    const { issues, ok } = await app.checkContracts({ sources: [new URL(`../fixtures/contracts/${name}`, import.meta.url).pathname] })
    t.same(issues.filter(({ severity }) => severity !== 'info'), [])
    t.equal(ok, true)
    t.ok(issues.length < 8, 'and it does not talk much about what it cannot know')
  })
}

/** A logger that can not be asked whether a level is enabled. */
function silentLogger (level) {
  const logger = { level, child: () => logger }
  for (const name of ['trace', 'debug', 'info', 'warn', 'error', 'fatal']) logger[name] = () => {}
  return logger
}

function parses (snapshot, source) {
  try {
    snapshot.parse(source)
    return true
  } catch {
    return false
  }
}
