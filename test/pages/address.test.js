// The address that sse_connect() prints: of which request, in which template, and with whose cursor.
import t from 'tap'
import fastifyView from '@fastify/view'
import nunjucks from 'nunjucks'
import { Fragment } from 'fastify-chirp'
import { buildApp, listen, until } from '../helpers/app.js'
import { addressIn, views } from '../helpers/live.js'
import { dial } from '../helpers/raw.js'

const CONNECT = '<p {{ sse_connect() }}></p>'

/** An app whose pages are live; `path` is what the page of a request connects to, without the cursor. */
async function build (t, templates = { 'page.html': CONNECT }, fastifyOptions = {}, env = views(templates)) {
  const app = await buildApp(t, { templates: env, dialect: 'htmx2' }, fastifyOptions)
  const news = app.channel('news')
  const path = async (url, options) => {
    const { body } = await app.inject({ url, ...options })
    t.match(body, 'lastEventId=', body)
    return addressIn(body).replace(/lastEventId=\w+-\d+$/, 'lastEventId=C')
  }
  return { app, env, news, path }
}

t.test('path and query are those of the request, with one cursor', async t => {
  const { app, news, path } = await build(t)
  app.route({ method: ['GET', 'POST'], url: '*', live: true, handler: (request, reply) => reply.page('page.html', {}, { live: news }) })
  t.equal(await path('/'), '/?lastEventId=C')
  t.equal(await path('/a/b%20c?x=1&y=%26&htmx=4'), '/a/b%20c?x=1&y=%26&htmx=4&lastEventId=C')
  t.equal(await path('/a?&x=1&'), '/a?x=1&lastEventId=C')
  t.equal(await path('/a?chirp-gap=0&x=1'), '/a?x=1&chirp-gap=1&lastEventId=C')
  t.equal(await path('/a?x=1', { headers: { 'chirp-gap': '1' } }), '/a?x=1&chirp-gap=1&lastEventId=C')
  t.match((await app.inject('/?a=1')).body, '"/?a=1&amp;lastEventId=')
})

t.test('whatever is in it stays one attribute, and an address of this server', async t => {
  const { app, news } = await build(t)
  app.get('*', (request, reply) => reply.page('page.html', {}, { live: news }))
  const port = await listen(app)
  for (const [target, wanted] of [
    ['//evil.example/a', '/.//evil.example/a?'], ['/\\evil.example', '/%5Cevil.example?'], ['http://evil.example/a?b=1', '/a?b=1&'], ['http://evil.example', '/?'],
    ['/a?"><script>', '/a?%22%3E%3Cscript%3E&'], ["/a?b='c'", "/a?b='c'&"], ['/\u00c3\u00a9', '/%C3%A9?'], ['/a#b?c', '/a?'], ['/a?b#c', '/a?b&']
  ]) {
    const client = await dial(port)
    client.socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\n\r\n`, 'latin1')
    await until(() => client.ended)
    const { status, address } = { status: client.text.slice(9, 12), address: client.text.includes('sse-connect') ? addressIn(client.text) : undefined }
    // What Node.js itself refuses never gets here.
    if (status === '400') continue
    t.equal(address?.replace(/lastEventId=.*/, ''), wanted, target)
    const { host } = new URL(address, 'http://this.example/page')
    t.equal(host, 'this.example')
  }
  t.equal(addressIn((await app.inject('/%F0%9F%90%A6')).body).split('?')[0], '/%F0%9F%90%A6')
})

t.test('under a prefix, behind rewriteUrl, and behind a proxy that removes a prefix', async t => {
  const handler = ({ news }) => (request, reply) => reply.page('page.html', {}, { live: news })
  const plain = await build(t)
  await plain.app.register(async scope => { scope.get('/news', handler(plain)) }, { prefix: '/in' })
  t.equal(await plain.path('/in/news'), '/in/news?lastEventId=C')
  t.equal(await plain.path('/in/news', { headers: { 'x-forwarded-prefix': '/app' } }), '/in/news?lastEventId=C', 'no proxy is trusted')

  const rewritten = await build(t, undefined, { rewriteUrl: ({ url }) => url.replace(/^\/app/, '') })
  rewritten.app.get('/news', handler(rewritten))
  t.equal(await rewritten.path('/app/news?a=1'), '/app/news?a=1&lastEventId=C')

  const trusting = await build(t, undefined, { trustProxy: true })
  trusting.app.get('/news', handler(trusting))
  const prefixed = prefix => trusting.path('/news', { headers: { 'x-forwarded-prefix': prefix } })
  t.equal(await prefixed('/app'), '/app/news?lastEventId=C')
  t.equal(await prefixed('/app/v2.1/'), '/app/v2.1/news?lastEventId=C')
  for (const bad of ['', '/', '//evil.example', '/a/../b', '/..', 'app', '/a?b', '/a"b', '/a, /b', 'https://evil.example', '/\\evil']) {
    t.equal(await prefixed(bad), '/news?lastEventId=C', bad)
  }
  const some = await build(t, undefined, { trustProxy: '10.0.0.1' })
  some.app.get('/news', handler(some))
  const headers = { 'x-forwarded-prefix': '/app', 'x-forwarded-for': '1.2.3.4' }
  t.equal(await some.path('/news', { headers, remoteAddress: '10.0.0.1' }), '/app/news?lastEventId=C')
  t.equal(await some.path('/news', { headers, remoteAddress: '10.0.0.2' }), '/news?lastEventId=C', 'who sends it is none of them')
})

t.test('an address that is given gets the cursor where it is the one of the stream', async t => {
  const { app, news, path } = await build(t, { 'page.html': '<p {{ sse_connect(url) }}></p>', 'safe.html': '<p {{ sse_connect("/imports/7?a&amp;b" | safe) }}></p>', 'own.html': CONNECT })
  app.route({ method: ['GET', 'POST', 'PUT'], url: '/imports/:id', handler: (request, reply) => reply.page(request.query.page ?? 'page.html', { url: request.query.url }, { live: news }) })
  const given = async (url, options) => addressIn((await app.inject({ url: '/imports/7', query: { url }, ...options })).body).replace(/lastEventId=\w+-\d+$/, 'lastEventId=C')
  t.equal(await given('/imports/7'), '/imports/7?lastEventId=C')
  t.equal(await given('/imports/7?x=1#top'), `/imports/7?x=1&lastEventId=${await news.cursor()}#top`)
  t.equal(await given('?x=1'), '?x=1&lastEventId=C')
  t.equal(await given('./7'), './7?lastEventId=C')
  for (const other of ['/imports/8', '/other?x', 'https://other.example/imports/7', '//other.example/imports/7', 'http://[', '/imports/7?lastEventId=mine']) t.equal(await given(other), other)
  const post = { method: 'POST' }
  t.equal(await given('/jobs/8', post), '/jobs/8?lastEventId=C', 'the page of a POST has its stream elsewhere')
  t.equal(await given('https://other.example/', post), 'https://other.example/')
  t.equal(await given('/jobs/8?lastEventId=1', post), '/jobs/8?lastEventId=1')
  t.match((await app.inject('/imports/7?page=safe.html')).body, /"\/imports\/7\?a&amp;b&lastEventId=\w+-\d+"/)
  for (const method of ['POST', 'PUT']) {
    t.match((await app.inject({ method, url: '/imports/7?page=own.html' })).json(), { code: 'FST_CHIRP_RENDER', message: new RegExp(`this page answers a ${method}.*sse_connect\\("/imports/7"\\)`) })
  }
  t.equal(await path('/imports/7?page=own.html'), '/imports/7?page=own.html&lastEventId=C')
})

t.test('it works wherever a template can call it', async t => {
  const { app, env, news, path } = await build(t, {
    'include.html': '{% include "part.html" %}',
    'part.html': CONNECT,
    'base.html': '<body {{ sse_connect() }}>{% block main %}{% endblock %}</body>',
    'child.html': '{% extends "base.html" %}{% block main %}x{% endblock %}',
    'block.html': '{% extends "plain.html" %}{% block main %}<p {{ sse_connect() }}></p>{% endblock %}',
    'plain.html': '<b>{% block main %}{% endblock %}</b>',
    'macros.html': '{% macro live() %}<p {{ sse_connect() }}>{{ caller() if caller }}</p>{% endmacro %}',
    'macro.html': '{% import "macros.html" as macros %}{{ macros.live() }}',
    'from.html': '{% from "macros.html" import live with context %}{% call live() %}x{% endcall %}',
    'set.html': '{% set attributes = sse_connect() %}<p {{ attributes }}></p>',
    'tag.html': '{% wrap %}<p {{ sse_connect() }}></p>{% endwrap %}',
    'late.html': '{% set a = "a" | soon %}{% from "macros.html" import live %}{{ live() }}{{ a }}',
    'nested.html': '{{ inner() }}<p {{ sse_connect() }}></p>',
    'error.html': CONNECT
  })
  env.addFilter('soon', (value, callback) => setImmediate(callback, null, value), true)
  env.addExtension('wrap', {
    tags: ['wrap'],
    parse (parser, nodes) {
      const token = parser.nextToken()
      const args = parser.parseSignature(null, true)
      parser.advanceAfterBlockEnd(token.value)
      const body = parser.parseUntilBlocks('endwrap')
      parser.advanceAfterBlockEnd()
      return new nodes.CallExtensionAsync(this, 'run', args, [body])
    },
    // In a turn in which nothing is rendered.
    run: (context, body, callback) => setTimeout(() => callback(null, new nunjucks.runtime.SafeString(body())), 5)
  })
  env.addGlobal('inner', () => {
    app.renderFragment(new Fragment('error.html', 'none')).catch(() => {})
    app.renderFragment(new Fragment('plain.html', 'main')).catch(() => {})
    return ''
  })
  app.get('/:name', (request, reply) => reply.page(`${request.params.name}.html`, {}, { live: news }))
  for (const name of ['include', 'child', 'block', 'macro', 'from', 'set', 'tag', 'late', 'nested']) t.equal(await path(`/${name}`), `/${name}?lastEventId=C`, name)
})

t.test('pages that are rendered at once have each their own, also in templates that are loaded late', async t => {
  const env = views({
    'page.html': '{{ "" | later }}{% include "part.html" %}{{ "" | later }}{{ live() }}',
    'part.html': '<i {{ sse_connect() }}></i>',
    'macros.html': '{% macro live() %}<p {{ sse_connect() }}></p>{% endmacro %}',
    'macro.html': '{% set x = "" | later %}{% from "macros.html" import live %}{{ live() }}{% set x = "" | later %}{{ live() }}'
  })
  const { app, news } = await build(t, undefined, {}, env)
  app.get('/:name', (request, reply) => reply.page('macro.html', {}, { live: news }))
  const pages = []
  for (let n = 0; n < 4; n++) {
    await news.publish(`${n}`)
    pages.push({ position: await news.cursor(), answer: app.inject(`/${n}`) })
    await until(() => env.waiting.length === n + 1)
  }
  const answers = env.waiting.splice(0)
  for (const n of [2, 0, 3, 1]) answers[n]()
  const fragment = app.renderFragment(new Fragment('part.html', 'none')).catch(({ code }) => code)
  await until(() => env.waiting.length === 4)
  env.answer()
  for (const [n, { position, answer }] of pages.entries()) {
    const { body } = await answer
    t.equal(body.split(`"/${n}?lastEventId=${position}"`).length, 3, body)
  }
  t.match(await fragment, /^FST_CHIRP_/)
})

t.test('an environment that is shared with @fastify/view and another registration', async t => {
  const env = views({ 'page.html': CONNECT })
  const { app, news, path } = await build(t, undefined, {}, env)
  await app.register(fastifyView, { engine: { nunjucks: { configure: () => env } } })
  app.get('/', (request, reply) => reply.page('page.html', {}, { live: news }))
  app.get('/view', (request, reply) => reply.view('page.html'))
  app.register(async scope => {
    await scope.register((await import('fastify-chirp')).default, { templates: env, dialect: 'htmx4', debug: false })
    const other = scope.channel('news')
    scope.get('/scope', (request, reply) => reply.page('page.html', {}, { live: other }))
  })
  t.equal(await path('/'), '/?lastEventId=C')
  t.equal(await path('/scope'), '/scope?lastEventId=C')
  t.match((await app.inject('/view')).json(), { statusCode: 500, message: /sse_connect\(\) without an address/ })
})
