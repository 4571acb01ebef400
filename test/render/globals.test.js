// sse_connect(), sse_swap() and sse_close() in templates.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import fastifyView from '@fastify/view'
import Fastify from 'fastify'
import nunjucks from 'nunjucks'
import chirp, { Fragment } from 'fastify-chirp'
import { buildApp } from '../helpers/app.js'

const BLOCK = '{% block main %}<div {{ sse_connect("/live") }} {{ sse_close("done") }}><p {{ sse_swap("news") }}></p></div>{% endblock %}'
const HTML = {
  htmx2: '<div hx-ext="sse" sse-connect="/live" sse-close="done"><p id="news" sse-swap="news"></p></div>',
  htmx4: '<div hx-sse:connect="/live" hx-sse:close="done"><p id="news"></p></div>',
  auto: '<div hx-ext="sse" sse-connect="/live" hx-sse:connect="/live" sse-close="done" hx-sse:close="done"><p id="news" sse-swap="news"></p></div>'
}

/** An app whose templates are `views`, as a folder, which is strict in debug. */
function build (t, views, options) {
  const folder = t.testdir()
  for (const [name, text] of Object.entries(views)) writeFileSync(join(folder, name), text)
  return buildApp(t, { templates: folder, debug: true, ...options })
}

const render = (app, context, block = 'main') => app.renderFragment(new Fragment('page.html', block, context))

t.test('attributes are those of the dialect: the option, and over it the variable', async t => {
  for (const option of ['htmx2', 'htmx4', 'auto', undefined]) {
    const app = await build(t, { 'page.html': BLOCK }, { dialect: option })
    t.equal(await render(app), HTML[option ?? 'auto'])
    for (const dialect of ['htmx2', 'htmx4', 'auto']) t.equal(await render(app, { dialect }), HTML[dialect], `${dialect} over ${option}`)
    t.equal(await render(app, { dialect: null }), HTML[option ?? 'auto'])
  }
})

t.test('pages and blocks of replies have them too', async t => {
  const app = await build(t, { 'page.html': `<main>${BLOCK}</main>` })
  app.get('/', (request, reply) => reply.page('page.html', { dialect: 'htmx4' }, { block: 'main' }))
  app.get('/block', (request, reply) => reply.fragment('page.html', 'main'))
  t.equal((await app.inject('/')).body, `<main>${HTML.htmx4}</main>`)
  t.equal((await app.inject({ url: '/', headers: { 'hx-request': 'true' } })).body, HTML.htmx4)
  t.equal((await app.inject('/block')).body, HTML.auto)
})

t.test('they work in macros, includes, child templates and set', async t => {
  const app = await build(t, {
    'base.html': '{% set dialect = "htmx4" %}{% block main %}{% endblock %}',
    'page.html': '{% extends "base.html" %}{% block main %}{% include "part.html" %}{% endblock %}',
    'part.html': '<i {{ sse_swap("a") }} {{ sse_close("b") }}></i>',
    'macros.html': '{% macro panel(name) %}<i {{ sse_swap(name) }}></i>{% endmacro %}',
    'macro.html': '{% from "macros.html" import panel %}{% block main %}{{ panel("a") }}{% endblock %}',
    'with.html': '{% from "macros.html" import panel with context %}{% block main %}{{ panel("a") }}{% endblock %}',
    'local.html': '{% block main %}{% macro panel(name) %}<i {{ sse_swap(name) }}></i>{% endmacro %}{{ panel("a") }}{% endblock %}'
  })
  t.equal(await render(app), '<i id="a" hx-sse:close="b"></i>')
  const macro = (name, dialect) => app.renderFragment(new Fragment(name, 'main', { dialect }))
  t.equal(await macro('macro.html', 'htmx4'), '<i id="a" sse-swap="a"></i>', 'an import without context knows no variables')
  t.equal(await macro('with.html', 'htmx4'), '<i id="a"></i>')
  t.equal(await macro('local.html', 'htmx4'), '<i id="a"></i>')
})

t.test('what they are given is escaped', async t => {
  const app = await build(t, {
    'page.html': '{% block main %}{{ sse_connect(url) }}{% endblock %}{% block safe %}{{ sse_connect("/a?b&amp;c" | safe) }}{% endblock %}' +
      '{% block close %}{{ sse_close(name) }}{% endblock %}'
  }, { dialect: 'htmx4' })
  t.equal(await render(app, { url: '/live?a=1&b="><script>' }), 'hx-sse:connect="/live?a=1&amp;b=&quot;&gt;&lt;script&gt;"')
  t.equal(await render(app, {}, 'safe'), 'hx-sse:connect="/a?b&amp;c"', 'what is escaped already is not escaped again')
  t.equal(await render(app, { name: 'a"b' }, 'close'), 'hx-sse:close="a&quot;b"')
})

t.test('what comes without a target has no id', async t => {
  const app = await build(t, { 'page.html': '{% block main %}<p {{ sse_swap("message") }}></p>{% endblock %}' })
  t.equal(await render(app, { dialect: 'htmx2' }), '<p sse-swap="message"></p>')
  t.equal(await render(app, { dialect: 'auto' }), '<p sse-swap="message"></p>')
  t.equal(await render(app, { dialect: 'htmx4' }), '<p ></p>')
})

t.test('what they cannot print is an error that says what to do', async t => {
  const app = await build(t, {
    'page.html': '{% block connect %}{{ sse_connect(x) }}{% endblock %}{% block swap %}{{ sse_swap(x) }}{% endblock %}{% block close %}{{ sse_close(x) }}{% endblock %}'
  })
  const cases = [
    ['connect', undefined, /line 1, column \d+\): sse_connect\("\/live"\) takes the URL of a stream, not undefined$/],
    ['connect', '', /not the string ""$/], ['connect', 5, /not 5$/], ['connect', {}, /not an object$/], ['connect', null, /not null$/],
    ['swap', '', /sse_swap\("news"\) takes the target of a Fragment/], ['swap', 'a,b', /takes one plain name.+not the string "a,b"\. Use an element for each name/],
    ['swap', '#w > .x', /takes one plain name/], ['swap', 'a b', /takes one plain name/],
    ['close', '', /sse_close\("done"\) takes the name of an event/]
  ]
  for (const [block, x, message] of cases) await t.rejects(render(app, { x }, block), { code: 'FST_CHIRP_RENDER', message }, `${block} ${x}`)
  for (const dialect of ['htmx3', 4, true, {}]) {
    await t.rejects(render(app, { x: '/x', dialect }, 'connect'), { message: /the variable "dialect" must be 'htmx2', 'htmx4' or 'auto', not / })
  }
  for (const name of ['a', 'Größe_1', 'chat:5', '7up', 'a-b']) t.match(await render(app, { x: name }, 'swap'), `id="${name}" sse-swap="${name}"`)
})

t.test('a shared environment gets what it lacks, and keeps what it has', async t => {
  const loader = { getSource: name => name === 'page.html' ? { src: BLOCK, path: name, noCache: false } : null }
  const env = new nunjucks.Environment(loader, { autoescape: true, throwOnUndefined: true })
  const own = name => `data-own=${name}`
  env.addGlobal('sse_swap', own)
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(fastifyView, { engine: { nunjucks: { configure: () => env } } })
  await app.register(chirp, { templates: env, dialect: 'htmx4' })
  app.get('/', (request, reply) => reply.view('page.html'))
  const html = '<div hx-sse:connect="/live" hx-sse:close="done"><p data-own=news></p></div>'
  t.equal((await app.inject('/')).body, html)
  t.equal(await render(app), html)
  t.equal(env.getGlobal('sse_swap'), own)
  env.addGlobal('sse_close', () => 'later')
  t.equal(await render(app), html.replace('hx-sse:close="done"', 'later'))
})

t.test('a precompiled template calls them too', async t => {
  const source = nunjucks.precompileString(BLOCK, { name: 'page.html', env: new nunjucks.Environment(), wrapper: ([{ template }]) => `(function () { ${template} })()` })
  // eslint-disable-next-line no-eval
  const code = (0, eval)(source)
  const env = new nunjucks.Environment({ getSource: name => name === 'page.html' ? { src: { type: 'code', obj: code }, path: name, noCache: false } : null })
  const app = await buildApp(t, { templates: env })
  t.equal(await render(app, { dialect: 'htmx2' }), HTML.htmx2)
})
