// The client script as the server sees it: its size, its route, its tag. What
// it does is in browser/client*.test.js.
import { readFileSync } from 'node:fs'
import http2 from 'node:http2'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import Fastify from 'fastify'
import nunjucks from 'nunjucks'
import chirp from 'fastify-chirp'
import { buildApp, certificate, listen } from '../helpers/app.js'

const script = readFileSync(new URL('../../dist/client/client.js', import.meta.url), 'utf8')

const page = '<head>{{ chirp_client() }}</head>{% block body %}{% endblock %}'

async function srcOf (app) {
  const { body } = await app.inject('/')
  return /src="([^"]+)"/.exec(body)?.[1]
}

/** An app with one page that loads the script. */
async function buildSite (t, { templates = t.testdir({ 'page.html': page }), ...options } = {}, fastifyOptions = {}) {
  const app = await buildApp(t, { templates, ...options }, fastifyOptions)
  app.get('/', (request, reply) => reply.page('page.html'))
  return app
}

t.test('it is under 4.7 kB, one classic script that evaluates no text', async t => {
  const { length } = gzipSync(script, { level: 9 })
  t.ok(length < 4700, `${length} bytes`)
  t.notMatch(script, /\beval\b|new Function|\bimport\b|\bexport\b|sourceMappingURL/)
})

t.test('it does nothing where there is no page', async t => {
  t.same(Object.keys(await import('fastify-chirp/client')), [])
})

t.test('the plain address is asked for again, the one with the hash never', async t => {
  const app = await buildSite(t)
  const plain = await app.inject('/_chirp/client.js')
  t.equal(plain.statusCode, 200)
  t.equal(plain.body, script)
  const { etag } = plain.headers
  t.match(plain.headers, {
    'content-type': 'text/javascript; charset=utf-8',
    'content-length': String(script.length),
    'cache-control': 'public, max-age=300, must-revalidate',
    'x-content-type-options': 'nosniff',
    etag: /^"[\w-]{12}"$/
  })

  const src = await srcOf(app)
  t.equal(src, `/_chirp/client.js?v=${etag.slice(1, -1)}`)
  const hashed = await app.inject(src)
  t.equal(hashed.body, script)
  t.equal(hashed.headers['cache-control'], 'public, max-age=31536000, immutable')

  // Of another process, in the middle of a deploy.
  const old = await app.inject('/_chirp/client.js?v=another')
  t.equal(old.body, script)
  t.equal(old.headers['cache-control'], 'public, max-age=300, must-revalidate')
})

t.test('a client that has it is told so', async t => {
  const app = await buildSite(t)
  const { headers: { etag } } = await app.inject('/_chirp/client.js')
  const ask = async tags => {
    const { statusCode, body, headers } = await app.inject({ url: '/_chirp/client.js', headers: { 'if-none-match': tags } })
    t.equal(headers.etag, etag)
    return `${statusCode} ${body.length}`
  }
  for (const tags of [etag, `W/${etag}`, `"x" , ${etag}`, '*']) t.equal(await ask(tags), '304 0', tags)
  for (const tags of ['"x"', '']) t.equal(await ask(tags), `200 ${script.length}`, tags)
})

t.test('HEAD has no body', async t => {
  const app = await buildSite(t, {}, { exposeHeadRoutes: false })
  const { statusCode, body, headers } = await app.inject({ method: 'HEAD', url: '/_chirp/client.js' })
  t.equal(statusCode, 200)
  t.equal(body, '')
  t.equal(headers['content-length'], String(script.length))
})

t.test('over HTTP/2', async t => {
  const app = await buildSite(t, {}, { http2: true, https: certificate(), forceCloseConnections: undefined })
  const client = http2.connect(`https://127.0.0.1:${await listen(app)}`, { rejectUnauthorized: false })
  t.teardown(() => client.destroy())
  const request = client.request({ ':path': '/_chirp/client.js' })
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  t.equal(text, script)
})

t.test('it can be somewhere else, or nowhere', async t => {
  const app = await buildSite(t, { client: '/assets/live' })
  t.match(await srcOf(app), /^\/assets\/live\/client\.js\?v=/)
  t.equal((await app.inject('/assets/live/client.js')).body, script)
  t.equal((await app.inject('/_chirp/client.js')).statusCode, 404)

  const off = await buildSite(t, { client: false })
  t.equal((await off.inject('/_chirp/client.js')).statusCode, 404)
  t.match((await off.inject('/')).json().message, /Unable to call `chirp_client`/)
})

t.test('it is where the plugin is registered, once', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  const templates = t.testdir({ 'page.html': page })
  for (const prefix of ['/one', '/two', undefined, undefined]) {
    app.register(async scope => {
      await scope.register(chirp, { templates })
      if (prefix !== undefined) scope.get('/', (request, reply) => reply.page('page.html'))
    }, { prefix })
  }
  await app.ready()
  for (const prefix of ['/one', '/two']) {
    const { body } = await app.inject(prefix)
    const [, src] = /src="([^"]+)"/.exec(body)
    t.ok(src.startsWith(`${prefix}/_chirp/client.js?v=`))
    t.equal((await app.inject(src)).body, script)
  }
  t.equal((await app.inject('/_chirp/client.js')).body, script)
})

t.test('a route of the app in its place is an error that says what to do', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/_chirp/client.js', () => 'mine')
  app.register(chirp)
  await t.rejects(app.ready(), {
    code: 'FST_CHIRP_OPTION',
    message: 'fastify-chirp: the app has a route GET /_chirp/client.js already, where the client script is to be. Set the option "client" to another path, or to false'
  })
})

t.test('its route is quiet, marked, hidden, and asked by the hooks of the app', async t => {
  const lines = []
  const app = Fastify({ logger: { level: 'info', stream: { write: line => lines.push(JSON.parse(line)) } } })
  t.teardown(() => app.close())
  const routes = []
  app.addHook('onRoute', ({ method, url, schema, config }) => routes.push({ method, url, schema, config }))
  await app.register(chirp)
  const route = { url: '/_chirp/client.js', schema: { hide: true }, config: { chirp: 'client' } }
  t.same(routes, [{ method: 'GET', ...route }, { method: 'HEAD', ...route }])
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.chirp !== 'client') return reply.code(401).send('who are you?')
  })
  app.get('/', () => 'secret')
  t.equal((await app.inject('/')).statusCode, 401)
  t.equal((await app.inject('/_chirp/client.js')).statusCode, 200)
  t.same(lines.map(({ req }) => req?.url).filter(url => url !== undefined), ['/'])
})

t.test('the tag', async t => {
  const app = await buildSite(t)
  const { body } = await app.inject('/')
  t.match(body, /^<head><script defer src="\/_chirp\/client\.js\?v=[\w-]{12}"><\/script><\/head>$/)

  const withNonce = await buildSite(t, { templates: t.testdir({ 'page.html': '{{ chirp_client(nonce=n) }}' }) })
  withNonce.get('/nonce', (request, reply) => reply.page('page.html', { n: 'a"b' }))
  t.match((await withNonce.inject('/nonce')).body, /^<script defer src="[^"]+" nonce="a&quot;b"><\/script>$/)
})

t.test('an environment that is shared gets the function, unless it has one', async t => {
  const loader = () => new nunjucks.FileSystemLoader(t.testdir({ 'page.html': page }))
  const shared = new nunjucks.Environment(loader(), { autoescape: true })
  const app = await buildSite(t, { templates: shared })
  t.match(await srcOf(app), /^\/_chirp\/client\.js/)
  t.match(shared.render('page.html'), /^<head><script defer/, 'as @fastify/view would')

  const own = new nunjucks.Environment(loader(), { autoescape: true })
  own.addGlobal('chirp_client', () => 'mine')
  t.equal((await (await buildSite(t, { templates: own })).inject('/')).body, '<head>mine</head>')
})
