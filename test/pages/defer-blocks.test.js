// Which blocks are parts, and where parts cannot be: whatever a template does, the page is right in the end.
import t from 'tap'
import { defer } from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'
import { environment, later, pageApp, part, place, read } from '../helpers/deferred.js'
import { buildApp, until } from '../helpers/app.js'

const waits = app => app.log.lines.filter(({ level }) => level === 40).map(({ msg }) => msg)

/**
 * Compares the page in parts with the one whose values are there, in both orders, settling its values in each order.
 * Gives how many parts there were.
 */
async function compare (t, view, values, { views = {}, context = {} } = {}) {
  const names = Object.keys(values)
  const env = environment({ 'page.html': view, ...views })
  const app = await buildApp(t, { templates: env, debug: true })
  let ends
  app.get('/now', (request, reply) => reply.page('page.html', { ...context, ...values }))
  app.get('/', (request, reply) => {
    ends = Object.fromEntries(names.map(name => [name, later()]))
    const deferred = Object.fromEntries(names.map(name => [name, defer(ends[name].promise)]))
    return reply.page('page.html', { ...context, ...deferred }, { order: request.query.order })
  })
  const client = new TestClient(app)
  const { html: expected } = await client.page('/now')
  let most = 0
  for (const url of ['/', '/?order=document']) {
    for (const order of [names, [...names].reverse()]) {
      ends = undefined
      const reading = client.page(url)
      await until(() => ends !== undefined)
      for (const name of order) {
        // Each gets the time to be a part.
        await new Promise(resolve => setImmediate(() => setImmediate(resolve)))
        most = Math.max(most, app.eventStreams.partsPending)
        ends[name].resolve(values[name])
      }
      const { html, status } = await reading
      t.equal(html, expected, `${url} ${order}`)
      t.equal(status, 200)
    }
  }
  t.equal(app.eventStreams.partsPending, 0)
  return { parts: most, waits: waits(app) }
}

t.test('one block, or one value, may be read in several places', async t => {
  const values = { a: 1, b: 2 }
  t.match(await compare(t, '<p>{% block x %}{{ a }}-{{ b }}{% endblock %}</p>', values), { parts: 1 })
  t.match(await compare(t, '<p>{% block x %}{{ a }}{% endblock %}|{% block y %}{{ a }}{{ b }}{% endblock %}</p>', values), { parts: 2 })
  t.match(await compare(t, '<p>{% block x %}{{ a }}{{ a }}{% endblock %}</p>{% block z %}{{ c }}{% endblock %}', values, { context: { c: 3 } }), { parts: 1, waits: [] })
})

t.test('values that are falsy, null, undefined, functions or long', async t => {
  const view = '<p>{% block x %}{% if a is settled %}[{{ a }}{{ a is defined }}{% if a %}yes{% endif %}]{% endif %}{% endblock %}</p>'
  for (const a of [0, '', false, null, undefined, 'x'.repeat(200000), Number.NaN]) t.equal((await compare(t, view, { a })).parts, 1)
})

t.test('a block in a block, in both orders, also where it is shown only when the outer one is there', async t => {
  const inner = '{% block inner %}{% if b is pending %}wait{% else %}{{ b }}{% endif %}{% endblock %}'
  const values = { a: 1, b: 2 }
  t.match(await compare(t, `<p>{% block outer %}{{ a }}<i>${inner}</i>{% endblock %}</p>`, values), { parts: 1, waits: [] })
  t.match(await compare(t, `<p>{% block outer %}{% if a is settled %}{{ a }}{% endif %}<i>${inner}</i>{% endblock %}</p>`, values), { parts: 2, waits: [] })
  t.match(await compare(t, `<p>{% block outer %}{% if a is pending %}-{% else %}{{ a }}<i>${inner}</i>{% endif %}{% endblock %}</p>`, values), { parts: 1, waits: [] })
  t.match(await compare(t, `<p>{% block outer %}-<i>${inner}</i>{% endblock %}</p>`, values, {}), { parts: 1, waits: [] })
})

t.test('templates that extend others, super(), includes and macros', async t => {
  const views = {
    'base.html': '<body>{% block main %}<p>{% block x %}base{{ a }}{% endblock %}</p>{% endblock %}</body>',
    'middle.html': '{% extends "base.html" %}{% block x %}middle{{ super() }}{{ b }}{% endblock %}',
    'part.html': '<i>{{ a }}</i>',
    'macros.html': '{% macro show(v) %}<u>{{ v }}</u>{% endmacro %}{% macro own() %}{{ a }}{% endmacro %}'
  }
  const values = { a: 1, b: 2 }
  t.match(await compare(t, '{% extends "middle.html" %}', values, { views }), { parts: 1, waits: [] })
  t.match(await compare(t, '{% extends "middle.html" %}{% block x %}leaf{{ super() }}{% endblock %}', values, { views }), { parts: 1, waits: [] })
  t.match(await compare(t, '<p>{% block x %}{% include "part.html" %}{% endblock %}{% block y %}{{ b }}{% endblock %}</p>', values, { views }), { parts: 2, waits: [] })
  t.match(await compare(t, '{% from "macros.html" import show %}<p>{% block x %}{{ show(a) }}{% endblock %}</p>', { a: '<1>' }, { views }), { parts: 1, waits: [] })
  t.match(await compare(t, '{% import "macros.html" as m with context %}<p>{% block x %}{{ m.own() }}{{ a }}{% endblock %}</p>', { a: 1 }, { views }), { parts: 1 })
  t.match(await compare(t, '{% macro own() %}{{ a }}{% endmacro %}<p>{% block x %}{{ own() }}{% endblock %}</p>', { a: 1 }), { parts: 1, waits: [] })
})

t.test('what is set to a value counts where it is used', async t => {
  t.match(await compare(t, '{% set c = a %}<p>{% block x %}{{ c }}{% endblock %}</p>', { a: 1 }), { parts: 1, waits: [] })
  t.match(await compare(t, '{% set c = [a, 2] %}<p>{% block x %}{% for n in c %}{{ n }}{% endfor %}{% endblock %}</p>', { a: 1 }), { parts: 1, waits: [] })
  t.match(await compare(t, '{% set c = a.b %}<p>{% block x %}{{ c }}{% endblock %}</p>', { a: { b: 1 } }), { parts: 0, waits: [/is needed outside of the blocks/] })
})

t.test('a value that is read outside of any block is awaited first, and a developer is told once', async t => {
  const told = await compare(t, '<h1>{{ a }}</h1><p>{% block x %}{{ b }}{% endblock %}</p>', { a: 1, b: 2 })
  t.equal(told.waits.length, 1)
  t.match(told.waits[0], 'the page page.html waits for the deferred value "a": it is read outside of any block, in line 1 of page.html')
  t.match(await compare(t, '{% if a %}yes{% endif %}<p>{% block x %}{{ a }}{% endblock %}</p>', { a: 0 }), { parts: 0, waits: [/outside/] })
  t.match(await compare(t, '{% for n in a %}{% block x %}{{ n }}{% endblock %}{% endfor %}', { a: [1, 2] }), { parts: 0 })
})

t.test('blocks of a loop need its variables', async t => {
  const view = '<ul>{% for id in ids %}<li>{% block item %}{{ id }}: {% if a is pending %}...{% else %}{{ a[id] }}{% endif %}{% endblock %}</li>{% endfor %}</ul>{% block y %}{{ b }}{% endblock %}'
  t.match(await compare(t, view, { a: { x: 1, y: 2, z: 3 }, b: 4 }, { context: { ids: ['x', 'y', 'z'] } }), { parts: 4, waits: [] })
  const nested = '{% for id in ids %}<p>{% block item %}{{ id }}{{ a }}<i>{% block inner %}{{ id }}{{ b }}{% endblock %}</i>{% endblock %}</p>{% endfor %}'
  t.match(await compare(t, nested, { a: 1, b: 2 }, { context: { ids: ['x', 'y'] } }), { parts: 2 })
})

t.test('a block of a loop fails alone, and what fails elsewhere in the page does not matter to it', async t => {
  const [a, b, c] = [later(), later(), later()]
  const view = '{% for id in ids %}<p>{% block item %}{% if a is settled %}{{ a[id].n }}{{ flaky() }}<i>{% block inner %}{{ c.n }}{% endblock %}</i>{% endif %}{% endblock %}</p>{% endfor %}{% block other %}{% if b is settled %}{{ b.no.such }}{% endif %}{% endblock %}{% block plain %}{{ oops() }}{% endblock %}'
  let isShell = true
  const app = await pageApp(t, view, () => ({
    ids: ['x', 'y', 'z'], a: defer(a.promise), b: defer(b.promise), c: defer(c.promise), flaky: () => '', oops () { if (!isShell) throw new Error('oops'); return '' }
  }))
  const page = await read(app)
  t.equal((await page.next()).split('<!--chirp-part').length, 5)
  isShell = false
  b.resolve({})
  t.equal(await page.next(), part(4, ''))
  a.resolve({ x: { n: 1 }, z: { n: 3 } })
  c.resolve({})
  const text = await page.rest()
  t.match(text, /^<template id="chirp-part-1"><\/template>/, 'its inner block fails, and it with it')
  t.equal(app.eventStreams.partsFailed, 4)
})

t.test('a loop that gives another list than before', async t => {
  const a = later()
  let ids = ['x', 'y']
  const app = await pageApp(t, '{% for id in ids() %}<p>{% block item %}{% if a is settled %}{{ id }}{{ a }}{% endif %}{% endblock %}</p>{% endfor %}', () => ({ ids: () => ids, a: defer(a.promise) }))
  const page = await read(app)
  await page.next()
  ids = ['x']
  a.resolve(1)
  t.equal(await page.rest(), part(1, 'x1') + part(2, ''))
  t.match(app.log.lines.find(({ level }) => level === 50).err.message, 'the loop around it gave another list than before')
})

t.test('a block of htmx whose value has failed, or that fails itself', async t => {
  for (const [debug, expected] of [[true, /^<div class="chirp-block-error"/], [false, /^$/]]) {
    const env = environment({ 'page.html': '{% block x %}{{ a }}{% endblock %}{% block y %}{{ b.c.d }}{% endblock %}' }, { throwOnUndefined: true })
    const app = await buildApp(t, { templates: env, debug })
    for (const block of 'xy') app.get(`/${block}`, (request, reply) => reply.page('page.html', { a: defer(async () => { throw new Error('no') }), b: defer({}) }, { block }))
    const headers = { 'hx-request': 'true' }
    t.match(await (await read(app, { url: '/x', headers })).rest(), expected)
    t.equal((await read(app, { url: '/y', headers })).status, 500, 'an error of its own is one')
    t.equal(app.eventStreams.partsFailed, 1)
  }
})

t.test('in the order of the document blocks may be in blocks, need more values, and be placed anywhere', async t => {
  const env = environment({ 'page.html': '<title>{% block t %}{{ a }}{% endblock %}</title><p>{% block x %}{% if a is settled %}{{ "b" | hidden }}{% endif %}{% endblock %}</p>{% block y %}<i>{% block z %}{{ c }}{% endblock %}</i>{{ b }}{% endblock %}' })
  env.addFilter('hidden', function (name) { return String(this.lookup(name)) })
  const app = await buildApp(t, { templates: env })
  const [a, b, c] = [later(), later(), later()]
  app.get('/', (request, reply) => reply.page('page.html', { a: defer(a.promise), b: defer(b.promise), c: defer(c.promise), get d () { throw new Error('is not read') } }, { order: 'document' }))
  const page = await read(app)
  a.resolve('a')
  await new Promise(resolve => setImmediate(resolve))
  b.resolve('b')
  await new Promise(resolve => setImmediate(resolve))
  c.resolve('c')
  t.equal(await page.rest(), '<title>a</title><p>b</p><i>c</i>b')
  t.equal(app.eventStreams.partsPending, 0)
})

t.test('where no part can be placed the page waits', async t => {
  for (const view of [
    '<title>{% block x %}{{ a }}{% endblock %}</title>',
    '<p class="{% block x %}{{ a }}{% endblock %}">x</p>',
    '<p class={% block x %}{{ a }}{% endblock %}>x</p>',
    '<textarea>{% block x %}{{ a }}{% endblock %}</textarea>',
    '<script>let a = {% block x %}{{ a }}{% endblock %}</script>',
    '<STYLE>b { c: {% block x %}{{ a }}{% endblock %} }</STYLE>',
    '<template>{% block x %}{{ a }}{% endblock %}</template>',
    '<noscript>{% block x %}{{ a }}{% endblock %}</noscript>',
    '<!-- {% block x %}{{ a }}{% endblock %} --><p>',
    '<html><head></head>{% block x %}{{ a }}{% endblock %}<body>x</body>',
    '<!doctype html>{% block x %}{{ a }}{% endblock %}<html><body>x</body></html>',
    '<p>x</p></body>{% block x %}{{ a }}{% endblock %}',
    '<p>{% block x %}{{ a }}{% endblock %}</p><textarea>',
    '<p>{% block x %}{{ a }}{% endblock %}</p></template>',
    '<p>{% block x %}{{ a }}{% endblock %}</p><template>',
    '<p>{% block x %}{{ a }}{% endblock %}</p><a href="',
    '<p>{% block x %}{{ a }}{% endblock %}</p><a href',
    '<p>{% block x %}{{ a }}{% endblock %}</p><!-- ',
    '<script><!--<script></script>{% block x %}{{ a }}{% endblock %}</script>',
    '<p>{% block x %}{{ a }}{% endblock %}</p><script><!-- <script> </script>',
    '<p>{% block x %}{{ a }}{% endblock %}</p><!y',
    '<p>{% block x %}{{ a }}{% endblock %}</p><i a',
    '<p>{% block x %}{{ a }}{% endblock %}</p><i a=b',
    '<p>{% filter upper %}{% block x %}{{ a }}{% endblock %}{% endfilter %}</p>'
  ]) {
    const app = await pageApp(t, view, () => ({ a: defer(new Promise(resolve => setImmediate(resolve, 'b'))) }), { plugin: { debug: true } })
    const page = await new TestClient(app).page('/')
    t.equal(waits(app).length, 1, view)
    t.notOk(page.chunks.join('').includes('chirp-part'))
    t.equal(page.html, view.replace(/\{% block x %\}\{\{ a \}\}\{% endblock %\}/, 'b').replace(/\{% filter upper %\}(.*)\{% endfilter %\}/, (_, text) => text.toUpperCase()))
  }
})

t.test('a page waits for a block that it has twice', async t => {
  for (const order of [undefined, 'document']) {
    const a = later()
    const app = await pageApp(t, '<p>{% filter twice %}{% block x %}{{ a }}{% endblock %}{% endfilter %}</p>', () => ({ a: defer(a.promise) }), { options: { order } })
    app.env.addFilter('twice', html => app.env.getFilter('safe')(html + html))
    setTimeout(() => a.resolve('b'), 20)
    t.equal((await app.inject('/')).body, '<p>bb</p>')
  }
})

t.test('where parts can be placed: in a head, behind attributes and texts of any kind, without any element around', async t => {
  for (const [before, after, body = ''] of [
    ['<html><head>', '</head><body></body></html>'],
    ['<head><title>a</title><script>"<p" + \'</scrip\'</script>', '</head><body>'],
    ['<p title="a > b" class=\'"\'>', '</p>'],
    ['<!-- <p title=" --><p>', '</p>'],
    ['<!--><!---><!-- a -- > --!><?x "><!y \'></><a>< b<p>', '</p>'],
    ['<p size=5">', '</p>'],
    ['<p title="a"" class = \'b\' size=5" =\' / "><i c=d"e=\' f= >', '</i></p>'],
    ['<script><!--> <script> </script><script><!-- <script> </script> --> </script><p>', '</p>'],
    ['<!doctype html><![CDATA[x]]><p>', '</p>'],
    ['<svg><title>x</title><g>', '</g></svg>'],
    ['<!doctype html>', '', '<body>'],
    ['<title>a</title><template><p></p><body></body></template>', '', '<body>'],
    ['<!-- a license --><html>', '</html>', '<body>']
  ]) {
    const a = later()
    const app = await pageApp(t, `${before}{% block x %}{{ a }}{% endblock %}${after}`, () => ({ a: defer(a.promise) }))
    const page = await read(app)
    t.ok((await page.next()).startsWith(before + body + place(1)), before)
    a.resolve('b')
    t.equal(await page.rest(), part(1, 'b') + (/<\/(?:body|html)>.*/.exec(after)?.[0] ?? ''))
  }
})

t.test('a part that leaves something open is none', async t => {
  for (const html of ['<textarea>', '<!-- ', '<a href="', '</template>', '<template>', '<p', '<body>']) {
    const a = later()
    const app = await pageApp(t, '<p>{% block x %}{{ a | safe }}{% endblock %}</p>', () => ({ a: defer(a.promise) }))
    const page = await read(app)
    await page.next()
    a.resolve(html)
    t.equal(await page.rest(), part(1, ''), html)
    t.match(app.log.lines.find(({ level }) => level === 50).err.message, 'Cannot render block "x": it leaves a comment, a tag, a text or a template open')
  }
})

t.test('what users write is not taken for a place', async t => {
  const a = later()
  const app = await pageApp(t, '<p>{{ text | safe }}{% block x %}{{ a }}{% endblock %}{{ text }}</p>', () => ({ a: defer(a.promise), text: '<!--chirp-part:1-0--><!--/chirp-part:1-0-->' }))
  const page = await read(app)
  const [id] = /(?<=chirp-part:)\w{6,}-0/.exec(await page.next()) ?? []
  t.equal(id, undefined)
  a.resolve('a')
  t.match(await page.rest(), '>a</template>')
})

t.test('a value that a block reads in a way that cannot be seen is waited for', async t => {
  const env = environment({ 'page.html': '<p>{% block x %}{{ a }}{{ "b" | hidden }}{% endblock %}</p>{% block y %}{{ b }}{% endblock %}' })
  env.addFilter('hidden', function (name) { return String(this.lookup(name)) })
  const app = await buildApp(t, { templates: env })
  const [a, b] = [later(), later()]
  app.get('/', (request, reply) => reply.page('page.html', { a: defer(a.promise), b: defer(b.promise) }))
  const page = await read(app)
  await page.next()
  a.resolve('a')
  // By then the block was rendered without the other one.
  for (let turn = 0; turn < 3; turn++) await new Promise(resolve => setImmediate(resolve))
  b.resolve('b')
  t.match(await page.rest(), '>ab</template>')
})

t.test('async filters, and a shared environment whose own tests have our names', async t => {
  const env = environment({ 'page.html': '<p>{% block x %}{% if a is pending %}...{% else %}{{ a | slow }}{% endif %}{% if order is pending %}!{% endif %}{% if order is not failed %}?{% endif %}{% endblock %}</p>' })
  env.addFilter('slow', (value, callback) => setImmediate(callback, null, value), true)
  env.addTest('pending', order => order.state === 'pending')
  const app = await buildApp(t, { templates: env })
  const a = later()
  app.get('/', (request, reply) => reply.page('page.html', { a: defer(a.promise), order: { state: 'pending' } }))
  const page = await read(app)
  t.equal(await page.next(), `<p>${place(1, '...!?')}</p>`)
  a.resolve('a')
  t.equal(await page.rest(), part(1, 'a!?'))
  t.equal(env.renderString('{% if 1 is settled %}s{% endif %}{% if 1 is failed %}f{% endif %}{% if a is pending %}p{% endif %}', { a: { state: 'pending' } }), 'sp')
})

t.test('a deferred value is shown by reply.page() only', async t => {
  const app = await pageApp(t, '{% block x %}{{ a }}{% endblock %}', () => ({ a: [defer(1)] }))
  t.match(await (await read(app)).rest(), 'can be shown by reply.page() only')
})
