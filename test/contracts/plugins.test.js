// The checker beside plugins that add routes or hooks of their own, before and
// after this one; what it says of what it has not seen; and the option `contracts`.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import autoload from '@fastify/autoload'
import cors from '@fastify/cors'
import fastifyStatic from '@fastify/static'
import websocket from '@fastify/websocket'
import Fastify from 'fastify'
import t from 'tap'
import chirp from 'fastify-chirp'
import { formatJson, formatText } from 'fastify-chirp/contracts'
import { readBaseline, subtract, writeBaseline } from '../../dist/contracts/baseline.js'
import { writtenHandler } from '../../dist/contracts/wrapped.js'
import { routesOf } from '../../dist/contracts/unseen.js'
import { buildApp, until } from '../helpers/app.js'

const views = (t, text) => t.testdir({ views: { 'page.html': text } })
const found = ({ issues }) => issues.map(({ severity, category, message }) => `${severity} ${category}: ${message.split('. ')[0]}`)
const page = (request, reply) => reply.page('page.html')
const contracts = { sources: [] }

/** An app with another plugin before or after this one. */
async function appWith (t, order, plugin, options, text, settings = {}) {
  const app = Fastify()
  t.teardown(() => app.close())
  const others = async () => { await app.register(plugin, options) }
  if (order === 'before') await others()
  await app.register(chirp, { templates: join(views(t, text), 'views'), debug: false, ...settings })
  if (order === 'after') await others()
  return app
}

for (const order of ['before', 'after']) {
  t.test(`@fastify/cors ${order} this plugin answers no link`, async t => {
    const app = await appWith(t, order, cors, {}, '<a href="/nwes">1</a><form action="/contcat" method="post"></form><b hx-put="/nwes/{{ id }}"></b><a href="/logout">2</a>')
    app.get('/', page)
    app.get('/news/:id', page)
    app.post('/logout', page)
    const report = await app.checkContracts({ ...contracts, severities: { orphan: 'off' } })
    t.same(found(report), [
      'error link: No route answers GET /nwes', 'error form: No route answers POST /contcat', 'error link: No route answers PUT /nwes/{{ }}',
      'error method: href sends GET to /logout, which takes POST'
    ])
    t.match(formatText(report), /\n4 errors\n1 template, 3 routes: 3 read, 0 not\n$/, 'and its route is no route of a page')
  })

  t.test(`files at the root, from @fastify/static ${order} this plugin, answer no POST`, async t => {
    const app = await appWith(t, order, fastifyStatic, { root: t.testdir(), prefix: '/' }, '<form action="/contcat" method="post"></form><a href="/x.css">1</a>')
    app.get('/news', page)
    t.same(found(await app.checkContracts({ ...contracts, severities: { orphan: 'off' } })), ['error form: No route answers POST /contcat'])
  })

  t.test(`@fastify/websocket ${order} this plugin hides no handler`, async t => {
    const app = await appWith(t, order, websocket, {}, '<main sse-connect="/news"></main><main sse-connect="/live"></main><main sse-connect="/ws"></main><i ws-connect="/ws"></i><i hx-ws:connect="/wss"></i>')
    app.get('/news', page)
    app.get('/live', { events: ['a'] }, (request, reply) => reply.eventStream([]))
    app.get('/other', (request, reply) => reply.eventStream([]))
    // It must come before its routes.
    if (order === 'after') await app.after()
    app.get('/ws', { websocket: true }, (socket, request) => { request.eventStream() })
    const report = await app.checkContracts({ ...contracts, severities: { orphan: 'off', 'event-unheard': 'off' } })
    t.same(found(report), [
      'warning unreferenced-stream: No template connects to the stream GET /other',
      'error not-a-stream: sse-connect connects to /news, whose route opens no stream',
      'error not-a-stream: sse-connect connects to /ws, whose route opens no stream',
      'error link: No route answers GET /wss'
    ])
    t.match(report.counts, { templates: 1, routes: 4, routesRead: 4, routesUnread: 0 })
    t.same(report.unread, [])
  })
}

t.test('a report says how much was looked at', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  const home = t.testdir({ views: { 'page.html': '{% include "mail.txt" %}', 'broken.html': '{% if %}', 'mail.txt': '' } })
  app.get('/before/:id', page)
  app.post('/before/:name', page)
  app.get('/before/:id/x', { constraints: { host: 'a.example' } }, page)
  app.get('/before/:id/x', page)
  app.get('/bet(GET)', page)
  app.register(async app => { app.get('/beside/*', page) })
  await app.register(chirp, { templates: join(home, 'views'), debug: false })
  app.get('/', page)
  app.get('/before/:id/y', page)
  app.delete('/before/:key', page)
  app.get('/bound', page.bind(null))
  app.register(fastifyStatic, { root: home, prefix: '/files/' })
  const report = await app.checkContracts(contracts)
  t.same(report.unread, ['GET /before/:id', 'GET /before/:id/x', 'GET /beside/*', 'GET /bet(GET)', 'GET /bound', 'POST /before/:id'])
  const { error, warning, info, ...extent } = report.counts
  t.same(extent, { templates: 3, routes: 10, routesRead: 4, routesUnread: 6 })
  t.match(formatText(report), /\n3 templates, 10 routes: 4 read, 6 not\n$/)
  t.match(JSON.parse(formatJson(report)), { counts: extent, unread: report.unread })
  const fresh = subtract(report, readBaseline(writeBaseline(report))).report
  t.match([fresh.issues, fresh.counts, fresh.unread], [[], { error: 0, ...extent }, report.unread], 'a baseline hides findings, and not that')
})

t.test('one of each', async t => {
  const app = await buildApp(t, { templates: join(views(t, '<a href="/">1</a>'), 'views') })
  app.get('/', page)
  t.equal(formatText(await app.checkContracts(contracts)), 'No findings\n1 template, 1 route: 1 read, 0 not\n')
})

t.test('the lists of a router that is printed', async t => {
  t.same([...routesOf('└── (empty root node)\n    ├── / (GET, HEAD)\n    │   └── a b (x) (M-SEARCH) {"host":"a (POST)"}\n    │       a b (x) (POST)\n    └── * (OPTIONS)\n').values()], [
    { method: 'GET', url: '/' }, { method: 'HEAD', url: '/' }, { method: 'M-SEARCH', url: '/a b (x)' }, { method: 'POST', url: '/a b (x)' }, { method: 'OPTIONS', url: '*' }
  ])
  t.same([...routesOf('(empty tree)').values()], [])
})

t.test('a route that was not looked at first has the handler that it has', t => {
  t.equal(writtenHandler({ handler: page }), page)
  t.end()
})

/** An app whose routes are loaded by @fastify/autoload, which no import leads to. */
async function autoloaded (t, settings, fastifyOptions) {
  const names = ['home', 'news', 'about', 'shop', 'cart', 'login']
  const home = t.testdir({
    'app.js': '',
    views: Object.fromEntries(names.map(name => [`${name}.html`, `<a href="/${name}">1</a><a href="/old/{{ x }}">2</a>`])),
    routes: Object.fromEntries(names.map(name => [name, { 'index.mjs': `export default async app => { app.get('/', (request, reply) => reply.page('${name}.html')) }\n` }]))
  })
  const app = await buildApp(t, { templates: join(home, 'views'), ...settings(home) }, fastifyOptions)
  await app.register(autoload, { dir: join(home, 'routes') })
  return app
}

t.test('with @fastify/autoload the option contracts names the source and what something else answers', async t => {
  const dead = report => report.issues.filter(({ category }) => category === 'dead-template').length
  const without = await autoloaded(t, () => ({}))
  const blind = await without.checkContracts({ sources: [join(t.testdirName, 'app.js')] })
  t.equal(dead(blind), 6)
  const settings = home => ({ contracts: { sources: [join(home, 'routes')], external: ['/old/*'], severities: { orphan: 'off' } } })
  const app = await autoloaded(t, settings)
  const report = await app.checkContracts()
  t.same(report.issues, [])
  t.equal(report.counts.routes, 6)
  t.equal((await app.checkContracts({ sources: [] })).issues.length, 0)
  t.equal((await app.checkContracts({ external: [] })).counts.error, 6, 'a list of a check takes the place of that of the app')
})

t.test('severities of a check go over those of the app, by category', async t => {
  const settings = () => ({ contracts: { severities: { link: 'warning', orphan: 'off' } } })
  const app = await autoloaded(t, settings)
  const count = async severities => (await app.checkContracts({ sources: [], severities })).counts
  t.match(await count(), { error: 0, warning: 6, info: 0 })
  t.match(await count({ link: 'info' }), { error: 0, warning: 0, info: 6 })
  t.match(await count({ 'dead-template': 'off' }), { error: 0, warning: 6, info: 0 })
})

t.test('the check at start knows what the app was registered with', async t => {
  const settings = home => ({ debug: true, contracts: { sources: [join(home, 'routes')], severities: { 'dead-template': 'error', link: 'off', form: 'off' } } })
  const app = await autoloaded(t, settings)
  await app.ready()
  await new Promise(resolve => setImmediate(resolve))
  const report = await app.checkContracts()
  t.same(report.issues.filter(({ severity }) => severity !== 'info'), [])
  const blind = await autoloaded(t, home => ({ debug: true, contracts: { sources: [join(home, 'views', '..', 'routes', 'home')], severities: { 'dead-template': 'error' } } }))
  await blind.ready()
  await until(() => blind.log.lines.filter(({ msg }) => /dead-template/.test(msg)).length === 5)
  t.same(app.log.lines.filter(({ level }) => level >= 40), [])
})

t.test('two registrations in one app: all of their sources and patterns, and of severities the first', async t => {
  const home = t.testdir({ views: { 'a.html': '<a href="/x/1">1</a><a href="/y/1">2</a>' }, 'one.js': "reply.page('a.html')", 'two.js': '' })
  const app = Fastify()
  t.teardown(() => app.close())
  let check
  app.register(async app => {
    await app.register(chirp, { templates: join(home, 'views'), debug: false, contracts: { sources: [join(home, 'two.js')], external: ['/x/*'], severities: { link: 'info' } } })
    check = options => app.checkContracts(options)
  })
  app.register(async app => {
    await app.register(chirp, { debug: false, contracts: { sources: [join(home, 'one.js')], external: ['/y/*'], severities: { link: 'warning', 'dead-template': 'off' } } })
  })
  app.register(async app => { await app.register(chirp, { debug: false, contracts: {} }) })
  await app.ready()
  t.same((await check()).issues, [])
  t.match((await check({ external: [] })).counts, { error: 0, warning: 0, info: 2 })
})

t.test('the option contracts is checked at registration', async t => {
  const cases = [
    [5, 'option "contracts" must be an object, such as { sources: [\'routes\'] }, not 5'],
    [null, /option "contracts" must be an object/],
    [{ source: [] }, 'there is no option "source" in "contracts". The options are sources, severities, external'],
    [{ sources: 'app.js' }, /option "contracts.sources" must be a list of files and folders, such as \['app.js', 'routes'\], not /],
    [{ external: ['app'] }, /option "contracts.external" must be a list of patterns of paths, such as \['\/app\/\*'\], not /],
    [{ external: ['/a*b'] }, /option "external" has a pattern that Fastify would not take for a route either: \/a\*b/],
    [{ severities: 1 }, /option "contracts.severities" must be an object/],
    [{ severities: { links: 'off' } }, /option "contracts.severities": there is no category "links"/],
    [{ severities: { link: 'fatal' } }, /option "contracts.severities": link must be 'error', 'warning', 'info' or 'off', not the string "fatal"/]
  ]
  for (const [contracts, message] of cases) {
    const app = Fastify()
    const expected = typeof message === 'string' ? `fastify-chirp: ${message}` : message
    await t.rejects(app.register(chirp, { contracts }).ready(), { code: 'FST_CHIRP_OPTION', message: expected })
    await app.close()
  }
  const app = await buildApp(t, { contracts: { sources: ['gone'], external: ['/a/*'] } })
  await t.rejects(app.checkContracts(), { code: 'FST_CHIRP_OPTION', message: /option "sources" names a file that does not exist/ }, 'sources are read when they are needed')
})

t.test('the command knows what the app was registered with', async t => {
  const home = t.testdir({
    'app.js': "import Fastify from 'fastify'\nimport chirp from 'fastify-chirp'\nexport const app = Fastify()\nawait app.register(chirp, { templates: 'views', contracts: { sources: ['routes'] } })\n",
    routes: { 'page.js': "export default (request, reply) => reply.page('page.html')\n" },
    views: { 'page.html': '<p>x</p>' }
  })
  const command = fileURLToPath(new URL('../../dist/contracts/cli.js', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [command, 'check', 'app.js'], { cwd: home })
  t.equal(stdout, 'No findings\n1 template, 0 routes: 0 read, 0 not\n')
})
