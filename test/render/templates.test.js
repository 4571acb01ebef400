// Templates and contexts that are not what they should be: what the error says, and what a developer sees of it.
import { rmSync, symlinkSync } from 'node:fs'
import t from 'tap'
import nunjucks from 'nunjucks'
import { Fragment, Fragments } from 'fastify-chirp'
import { buildApp } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

const render = (app, template, block, context) => app.renderFragment(new Fragment(template, block, context))
const messagesOf = app => app.log.lines.filter(({ level }) => level === 50).map(({ err }) => err.message)
const browser = { accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }

function revoked (target = {}) {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

function throwing (rest = {}) {
  return Object.defineProperty({ ...rest }, 'users', { enumerable: true, get () { throw new TypeError('no database') } })
}

t.test('a getter of the context that throws is an error at the place that reads it', async t => {
  const templates = t.testdir({
    'page.html': '{% block a %}\n{{ other }}{{ users }}{% endblock %}{% block b %}{{ other }}{% endblock %}{% set users = 3 %}{% block c %}{{ users }}{% endblock %}',
    'part.html': '{% block a %}{% include "page.html" %}{% endblock %}'
  })
  const app = await buildApp(t, { templates })
  app.get('/', (request, reply) => reply.page('page.html', throwing()))
  app.get('/locals', (request, reply) => {
    reply.locals = throwing({ other: 1 })
    return reply.fragment('page.html', 'a', { mine: 1 })
  })
  app.decorateReply('locals', null)
  const context = throwing({ other: 1 })
  await t.rejects(render(app, 'page.html', 'a', context), {
    code: 'FST_CHIRP_RENDER', message: 'Cannot render block "a" of "page.html" (line 2, column 12): no database', cause: { name: 'TypeError' }
  })
  t.equal(await render(app, 'page.html', 'b', context), '1', 'what does not read it renders')
  t.equal(await render(app, 'page.html', 'c', context), '3', 'a template may set it')
  t.equal(await render(app, 'page.html', 'c', context), '3', 'for itself')
  await t.rejects(render(app, 'part.html', 'a', context), { code: 'FST_CHIRP_RENDER', message: /"part.html" \(line 1, column 1[0-9]\): no database/ })
  t.match((await app.inject('/locals')).json(), { code: 'FST_CHIRP_RENDER', message: /\(line 2, column 12\): no database/ })
  t.match((await app.inject('/')).json(), { code: 'FST_CHIRP_RENDER' })
})

t.test('a context that cannot even be asked for its names', async t => {
  const app = await buildApp(t, { templates: t.testdir({ 'page.html': '{% block a %}{{ x }}{% endblock %}' }), debug: true })
  app.get('/', (request, reply) => reply.page('page.html', revoked()))
  const hostile = new Proxy({}, { ownKeys () { throw new RangeError('no names') } })
  app.get('/stream', (request, reply) => reply.eventStream([new Fragment('page.html', 'a', hostile), 'next']))
  t.throws(() => new Fragment('page.html', 'a', revoked()), { code: 'FST_CHIRP_FRAGMENT', message: /the context must be an object/ })
  t.match((await app.inject('/')).json(), { statusCode: 500, code: 'FST_CHIRP_RENDER', message: /^Cannot render "page.html": .*revoked/ })
  await t.rejects(render(app, 'page.html', 'a', hostile), { code: 'FST_CHIRP_RENDER', message: 'Cannot render block "a" of "page.html": no names' })
  t.same((await new TestClient(app).sse('/stream')).events, [
    { data: '<div class="chirp-block-error" data-block="a"><strong>RangeError</strong>: no names</div>\n<small class="chirp-block-error-place">page.html</small>' },
    { data: 'next' }
  ])
})

t.test('whatever a filter throws is one error with its place, and a box', async t => {
  const odd = {
    revoked: revoked(),
    null: null,
    symbol: Symbol('odd'),
    bare: Object.create(null),
    named: Object.assign(new Error('<b>'), { name: '<i>', code: 'X' }),
    unnamed: Object.defineProperty(new Error('x'), 'name', { get () { throw new Error('no name') } }),
    mimic: Object.assign(new Error('x'), { name: 'FastifyError', code: { toString () { throw new Error('no code') } } })
  }
  const env = new nunjucks.Environment(new nunjucks.FileSystemLoader(t.testdir({ 'page.html': '{% block a %}{{ x | odd }}{% endblock %}{% block b %}{{ x | late }}{% endblock %}' })))
  env.addFilter('odd', name => { throw odd[name] })
  env.addFilter('late', (name, callback) => { setImmediate(callback, odd[name] ?? 'nothing') }, true)
  const app = await buildApp(t, { templates: env, debug: true })
  const fragments = Object.keys(odd).flatMap(x => ['a', 'b'].map(block => new Fragment('page.html', block, { x })))
  app.get('/', (request, reply) => reply.eventStream([...fragments, 'next']))
  app.get('/page', (request, reply) => reply.fragment('page.html', request.query.block, { x: request.query.x }))
  const { events } = await new TestClient(app).sse('/')
  t.equal(events.length, fragments.length + 1)
  for (const { data } of events.slice(0, -1)) {
    t.match(data, /^<div class="chirp-block-error" data-block="[ab]"><strong>[^<>]+<\/strong>: [^<>]*<\/div>\n<small class="chirp-block-error-place">page\.html, line 1, column [0-9]+<\/small>$/)
  }
  t.match(events[8].data, '<strong>&lt;i&gt;</strong>: &lt;b&gt;</div>')
  for (const x of Object.keys(odd)) {
    for (const block of ['a', 'b']) t.match((await app.inject(`/page?x=${x}&block=${block}`)).json(), { statusCode: 500, code: 'FST_CHIRP_RENDER', message: /^Cannot render block "[ab]" of "page.html" \(line 1/ }, x)
  }
})

t.test('names of the objects of JavaScript are names of templates like any other', async t => {
  const names = ['constructor', 'toString', '__proto__', 'hasOwnProperty']
  const pages = { 'include.html': '{% block a %}<{% include "constructor" ignore missing %}>{% endblock %}{% block b %}{% include "constructor" %}{% endblock %}', 'extends.html': '{% extends "constructor" %}', 'import.html': '{% import "valueOf" as x %}{% block a %}{% endblock %}' }
  const missing = await Promise.all([pages, new nunjucks.FileSystemLoader(t.testdir(pages))].map(from =>
    buildApp(t, { templates: from === pages ? t.testdir(pages) : new nunjucks.Environment(from) })))
  for (const app of missing) {
    for (const name of names) await t.rejects(render(app, name, 'a'), { code: 'FST_CHIRP_TEMPLATE_NOT_FOUND', message: `Template "${name}" was not found` })
    t.equal(await render(app, 'include.html', 'a'), '<>')
    await t.rejects(render(app, 'include.html', 'b'), { code: 'FST_CHIRP_TEMPLATE_NOT_FOUND', message: /^Template "constructor" was not found\. It is named in "include.html", line 1/ })
    await t.rejects(render(app, 'extends.html', 'a'), { code: 'FST_CHIRP_TEMPLATE_NOT_FOUND' })
    await t.rejects(render(app, 'import.html', 'a'), { code: 'FST_CHIRP_TEMPLATE_NOT_FOUND' })
  }
  const app = await buildApp(t, { templates: t.testdir({ ...pages, constructor: '{% block a %}here{% endblock %}' }) })
  t.equal(await render(app, 'constructor', 'a'), 'here')
  t.equal(await render(app, 'extends.html', 'a'), 'here')
})

t.test('a block of an included template is named, with its template', async t => {
  const views = {
    'page.html': '{% include "list.html" %}{% include "missing.html" ignore missing %}{% include "broken.html" %}{% include name %}',
    'list.html': '<ul>{% block list %}{% for x in y %}{% include "./item.html" %}{% endfor %}{% endblock %}</ul>{% include "page.html" %}',
    'item.html': '{% block item %}{% endblock %}',
    'broken.html': '{% if %}',
    'child.html': '{% extends "base.html" %}{% block own %}{% endblock %}',
    'base.html': '{% block own %}{% endblock %}{% if true %}{% include "item.html" %}{% endif %}'
  }
  const app = await buildApp(t, { templates: t.testdir(views) })
  const cases = [
    ['page.html', 'list', 'Template "page.html" has no block "list"; it has no blocks. The included template "list.html" has it: name that template instead'],
    ['page.html', 'item', 'Template "page.html" has no block "item"; it has no blocks. The included template "item.html" has it: name that template instead'],
    ['child.html', 'item', 'Template "child.html" has no block "item"; it has "own". The included template "item.html" has it: name that template instead'],
    ['page.html', 'none', 'Template "page.html" has no block "none"; it has no blocks'],
    ['page.html', 'constructor', 'Template "page.html" has no block "constructor"; it has no blocks']
  ]
  for (const [template, block, message] of cases) await t.rejects(render(app, template, block), { code: 'FST_CHIRP_BLOCK_NOT_FOUND', message })

  const loader = { async: true, getSource (name, callback) { setImmediate(callback, null, views[name] === undefined ? null : { src: views[name], path: name, noCache: false }) } }
  const slow = await buildApp(t, { templates: new nunjucks.Environment(loader) })
  await t.rejects(render(slow, 'page.html', 'list'), { message: cases[0][2].split('. ')[0] }, 'what does not load at once is not looked at')
})

t.test('a symbolic link does not lead out of the templates folders', async t => {
  const root = t.testdir({
    views: { 'page.html': '{% block a %}{% include "x/secret.html" %}{% endblock %}{% block b %}{% include "./link.html" %}{% endblock %}', inner: { 'fine.html': '{% block a %}fine{% endblock %}' } },
    shared: { 'shared.html': '{% block a %}shared{% endblock %}' },
    secret: { 'secret.html': '{% block a %}secret{% endblock %}' },
    gone: {},
    next: { 'page.html': '{% block a %}next{% endblock %}' }
  })
  symlinkSync(`${root}/secret/secret.html`, `${root}/views/link.html`)
  symlinkSync(`${root}/secret`, `${root}/views/x`)
  symlinkSync(`${root}/views/inner`, `${root}/views/same`)
  symlinkSync(`${root}/shared`, `${root}/views/common`)
  symlinkSync(`${root}/views`, `${root}/current`)
  const reason = 'its file is a symbolic link that leads out of the templates folder. Add the folder that it leads to to the option "templates"'
  for (const folder of ['views', 'current']) {
    const app = await buildApp(t, { templates: `${root}/${folder}`, debug: true })
    for (const name of ['link.html', 'x/secret.html', 'common/shared.html']) {
      await t.rejects(render(app, name, 'a'), { code: 'FST_CHIRP_TEMPLATE_NOT_FOUND', message: `Template "${name}" was not found: ${reason}` })
    }
    await t.rejects(render(app, 'page.html', 'a'), { message: `Template "x/secret.html" was not found: ${reason}. It is named in "page.html", line 1, column 17` })
    await t.rejects(render(app, 'page.html', 'b'), { code: 'FST_CHIRP_TEMPLATE_NOT_FOUND', message: /^Template "\.\/link.html" was not found/ })
    await t.rejects(render(app, 'page.html', 'none'), { code: 'FST_CHIRP_BLOCK_NOT_FOUND', message: 'Template "page.html" has no block "none"; it has "a", "b"' })
    t.equal(await render(app, 'same/fine.html', 'a'), 'fine')
    const { issues } = await app.checkContracts()
    t.match(issues.filter(({ category }) => category === 'template-error'), ['common/shared.html', 'link.html', 'x/secret.html'].map(template => ({ template, message: /symbolic link/ })))
  }
  const both = await buildApp(t, { templates: [`${root}/gone`, `${root}/views`, `${root}/shared`], debug: true })
  t.equal(await render(both, 'common/shared.html', 'a'), 'shared', 'a link to another folder of the list')
  rmSync(`${root}/gone`, { recursive: true })
  t.equal(await render(both, 'inner/fine.html', 'a'), 'fine', 'another folder of the list is gone')

  const app = await buildApp(t, { templates: `${root}/current`, debug: true })
  t.equal(await render(app, 'inner/fine.html', 'a'), 'fine')
  rmSync(`${root}/current`)
  symlinkSync(`${root}/next`, `${root}/current`)
  t.equal(await render(app, 'page.html', 'a'), 'next', 'the folder itself may be a link, and another one after a deploy')
})

t.test('in debug the box is followed by the place that the log has', async t => {
  const templates = t.testdir({ 'page.html': '{% block a %}\n  {{ users }}\n{% endblock %}{% block b %}{% include "part.html" %}{% endblock %}', 'part.html': '\n\n {{ x.y }}', 'bad.html': '{% block a %}\n{% if %}{% endblock %}' })
  const app = await buildApp(t, { templates, debug: true })
  const list = [['page.html', 'a'], ['page.html', 'b'], ['bad.html', 'a'], ['none.html', 'a'], ['page.html', 'c']].map(([template, block]) => new Fragment(template, block, { x: null }))
  app.get('/', (request, reply) => reply.eventStream([...list, new Fragments(list.slice(0, 2))]))
  const { events } = await new TestClient(app).sse('/')
  const box = (block, name, message, place) => `<div class="chirp-block-error" data-block="${block}"><strong>${name}</strong>: ${message}</div>\n<small class="chirp-block-error-place">${place}</small>`
  t.equal(events[0].data, box('a', 'UndefinedError', '&#39;users&#39; is undefined', 'page.html, line 2, column 3'))
  t.equal(events[1].data, box('b', 'UndefinedError', '&#39;x&#39; is null', 'part.html, line 3, column 2'))
  t.match(events[2].data, /<small class="chirp-block-error-place">bad\.html, line 2, column [0-9]+<\/small>$/)
  t.equal(events[3].data, box('a', 'FST_CHIRP_TEMPLATE_NOT_FOUND', 'Template &quot;none.html&quot; was not found', 'none.html'))
  t.match(events[4].data, /<small class="chirp-block-error-place">page\.html<\/small>$/)
  t.equal(events[5].data, events[0].data + events[1].data)
  t.match(messagesOf(app)[0], 'Cannot render block "a" of "page.html" (line 2, column 3)')
})

t.test('in debug a browser gets a page that says why, where, and shows the lines', async t => {
  const lines = Array.from({ length: 12 }, (_, n) => `<p>${n + 1}</p>`)
  const templates = t.testdir({ 'page.html': lines.with(7, '  {{ users }} & co').join('\r\n'), 'short.html': '{{ x }}', 'include.html': '{% include "none.html" %}', 'bad.html': '{% if %}' })
  const app = await buildApp(t, { templates, debug: true })
  app.get('/', (request, reply) => reply.page('page.html'))
  app.get('/short', (request, reply) => reply.page('short.html'))
  app.get('/fragment', (request, reply) => reply.fragment('short.html', '<b>'))
  app.get('/:name', (request, reply) => reply.page(request.params.name))
  app.get('/caught', (request, reply) => {
    try {
      return reply.page('page.html')
    } catch (error) {
      return reply.code(500).send({ statusCode: 500, code: error.code, error: 'Internal Server Error', message: error.message })
    }
  })
  app.get('/other', () => { throw new Error('not ours') })
  const response = await app.inject({ url: '/', headers: browser })
  t.equal(response.statusCode, 500)
  t.equal(response.headers['content-type'], 'text/html; charset=utf-8')
  t.equal(Number(response.headers['content-length']), Buffer.byteLength(response.body))
  t.match(response.body, '<title>UndefinedError: &#39;users&#39; is undefined</title>')
  t.match(response.body, '<code>page.html, line 8, column 3</code>')
  t.match(response.body, [
    ...[4, 5, 6, 7].map(n => `   ${n} | &lt;p&gt;${n}&lt;/p&gt;`), '&gt;  8 |   {{ users }} &amp; co', '     |   ^', ...[9, 10, 11, 12].map(n => `  ${String(n).padStart(2)} | &lt;p&gt;${n}&lt;/p&gt;`)
  ].join('\n'))
  t.match(response.body, 'Cannot render &quot;page.html&quot; (line 8, column 3)')

  const get = async (url, headers = browser) => app.inject({ url, headers })
  t.match(await get('/short'), { statusCode: 500, body: /&gt; 1 \| \{\{ x \}\}\n {4}\| \^/ })
  t.match((await get('/fragment')).body, /<h1>FST_CHIRP_BLOCK_NOT_FOUND<\/h1>\n<p>Template &quot;short.html&quot; has no block &quot;&lt;b&gt;&quot;/)
  t.notMatch((await get('/fragment')).body, '<pre')
  t.match((await get('/include.html')).body, /<h1>FST_CHIRP_TEMPLATE_NOT_FOUND<\/h1>[^]*&gt; 1 \| \{% include/)
  t.match((await get('/bad.html')).body, /bad\.html, line 1, column [0-9]+<\/code>[^]*&gt; 1 \| \{% if %\}/)
  t.match((await get('/..%2Fx')).body, '<h1>FST_CHIRP_TEMPLATE_NAME</h1>')
  t.match((await get('/caught')).json(), { code: 'FST_CHIRP_RENDER' }, 'what a handler answers stays')
  t.match((await get('/other')).json(), { message: 'not ours' })
  for (const accept of ['*/*', 'application/json', 'text/html;q=0', 'text/html; q=0.0, */*']) t.match((await get('/', { accept })).json(), { code: 'FST_CHIRP_RENDER' }, accept)
  t.match((await get('/', {})).json(), { code: 'FST_CHIRP_RENDER' })
  for (const accept of ['text/html;q=0.5', 'application/json, TEXT/HTML']) t.match((await get('/', { accept })).body, /^<!doctype html>/, accept)
  t.match(messagesOf(app)[0], 'Cannot render "page.html" (line 8, column 3)', 'Fastify has logged it')
})

t.test('an error page needs no template to show, and gives way to the error handler of the app', async t => {
  const get = app => app.inject({ url: '/', headers: browser })
  const answers = async (options, prepare = () => {}) => {
    const app = await buildApp(t, { debug: true, ...options })
    prepare(app)
    app.get('/', (request, reply) => reply.page('page.html'))
    return get(app)
  }
  t.match((await answers({})).body, '<h1>FST_CHIRP_NO_TEMPLATES</h1>')
  const vanishing = t.testdir({ 'page.html': '{{ x }}' })
  t.notMatch((await answers({ templates: vanishing }, app => app.addHook('onError', async () => rmSync(`${vanishing}/page.html`)))).body, '<pre')
  const own = { templates: t.testdir({ 'page.html': '{{ x() }}' }) }
  t.match((await answers({ ...own, debug: false })).json(), { statusCode: 500 })
  const handled = await answers(own, app => app.setErrorHandler((error, request, reply) => reply.code(500).send({ mine: error.code })))
  t.same(handled.json(), { mine: 'FST_CHIRP_RENDER' })
  const text = await answers(own, app => app.setErrorHandler((error, request, reply) => reply.code(error.statusCode).type('text/html').send('<h1>Mine</h1>')))
  t.equal(text.body, '<h1>Mine</h1>')
  const later = await answers(own, app => app.addHook('onSend', async () => 'a hook of the app'))
  t.equal(later.body, 'a hook of the app')
  const passed = await answers(own, app => app.setErrorHandler((error, request, reply) => reply.send(error)))
  t.match(passed.body, /^<!doctype html>/, 'one that leaves it to Fastify')
})
