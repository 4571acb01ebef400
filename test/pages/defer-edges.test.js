// Deferred parts where things happen in an order that is rare.
import diagnostics from 'node:diagnostics_channel'
import { gunzipSync } from 'node:zlib'
import compress from '@fastify/compress'
import t from 'tap'
import { defer } from 'fastify-chirp'
import { missingState, pendingValue } from '../../dist/render/unsettled.js'
import { assemble } from '../../dist/testing/page.js'
import { buildApp, until } from '../helpers/app.js'
import { environment, later, pageApp, part, place, read } from '../helpers/deferred.js'

t.test('what is around a part is there at the same time: it comes once', async t => {
  const [a, b] = [later(), later()]
  const app = await pageApp(t, '{% block a %}{% if a is settled %}{{ a }}{% endif %}{% block b %}{% if b is settled %}{{ b }}{% endif %}{% endblock %}{% endblock %}', () => ({ a: defer(a.promise), b: defer(b.promise) }))
  const page = await read(app)
  t.match(await page.next(), /<!--chirp-part:\d--><!--chirp-part:\d--><!--\/chirp-part/)
  a.resolve('A')
  b.resolve('B')
  t.match(await page.rest(), /^<template id="chirp-part-(\d)">A.*B.*<\/template><chirp-part for="\1"><\/chirp-part>$/)
})

t.test('outside of blocks only what is not there yet is waited for', async t => {
  const a = later()
  const app = await pageApp(t, '{{ a }}{{ b }}', () => ({ a: defer(a.promise), b: defer('B') }))
  const answer = app.inject('/')
  await until(() => app.eventStreams.partsPending === 0)
  setTimeout(() => a.resolve('A'), 20)
  t.equal((await answer).body, 'AB')
})

t.test('a page or a block that fails as a whole is a 500', async t => {
  const app = await pageApp(t, '{% block a %}{{ a }}{{ none.of.it }}{% endblock %}', () => ({ a: defer(async () => 'A') }), { options: { block: 'a' } })
  const headers = { accept: 'text/html', 'hx-request': 'true' }
  t.equal((await app.inject({ url: '/', headers })).statusCode, 500)
  t.equal((await app.inject({ url: '/', headers: { ...headers, 'hx-boosted': 'true' } })).statusCode, 500)
  const failed = await pageApp(t, '{{ none.of.it }}{% block a %}{{ a }}{% endblock %}', () => ({ a: defer(async () => { throw new Error('no a') }) }))
  t.equal((await failed.inject({ url: '/', headers })).statusCode, 500)
})

for (const order of [undefined, 'document']) {
  t.test(`a client that leaves while a part is rendered, order: ${order}`, async t => {
    const [a, b] = [later(), later()]
    let answer
    const app = await pageApp(t, 'x{% block a %}{% if a is settled %}{{ a | wait }}{% block c %}{% if b is settled %}{{ b }}{% endif %}{% endblock %}{% endif %}{% endblock %}y{% block b %}{% if b is settled %}{{ b }}{% endif %}{% endblock %}', () => ({ a: defer(a.promise), b: defer(b.promise) }), { options: { order } })
    app.env.addFilter('wait', (value, callback) => { answer = () => callback(null, value) }, true)
    const page = await read(app)
    t.match(await page.next(), /^x/)
    a.resolve('A')
    await until(() => answer !== undefined)
    page.close()
    await until(() => app.eventStreams.partsPending === 0)
    answer()
    b.resolve('B')
    await new Promise(resolve => setImmediate(resolve))
    t.equal(app.eventStreams.partsPending, 0)
    t.equal(app.eventStreams.errors, 0)
  })
}

t.test('with @fastify/compress: a live route, and a client that wants nothing compressed', async t => {
  const app = await buildApp(t, { templates: environment({ 'page.html': 'x{% block a %}{% if a is settled %}{{ a }}{% endif %}{% endblock %}' }) })
  await app.register(compress)
  for (const [path, live] of [['/live', true], ['/plain', false], ['/trailer', false]]) {
    app.get(path, { live, compress: {} }, (request, reply) => (path === '/trailer' ? reply.trailer('x-end', async () => 'over') : reply).page('page.html', { a: defer(async () => { await new Promise(resolve => setImmediate(resolve)); return 'A' }) }))
  }
  for (const path of ['/live', '/plain', '/trailer']) {
    const headers = { accept: 'text/html', 'accept-encoding': 'gzip' }
    const { headers: { 'content-encoding': encoding }, rawPayload } = await app.inject({ url: path, headers })
    t.equal(encoding, 'gzip', path)
    t.match(gunzipSync(rawPayload).toString(), /^x.*<template id="chirp-part-[^>]+>A<\/template>/)
    const { body, headers: plain } = await app.inject({ url: path, headers: { ...headers, 'x-no-compression': 'true' } })
    t.equal(plain['content-encoding'], undefined)
    t.match(body, /^x.*<template id="chirp-part-[^>]+>A<\/template>/)
  }
})

t.test('the client script is there early on a page with parts, and once on another', async t => {
  const app = await pageApp(t, '{{ chirp_client() }}{% block a %}{% if a is settled %}{{ a }}{% endif %}{% endblock %}', ({ query }) => ({ a: query.plain ? 'A' : defer(async () => { await new Promise(resolve => setImmediate(resolve)); return 'A' }) }))
  const tags = async url => [...(await (await read(app, url)).rest()).matchAll(/<script (\w+) /g)].map(([, mode]) => mode)
  t.same(await tags('/'), ['async', 'defer'])
  t.same(await tags('/?plain=1'), ['defer'])
})

t.test('the last tag of the script stands in front of the parts, with the nonce of the first', async t => {
  const a = later()
  const view = "<html><head>{{ chirp_client(nonce='n&1') }}</head><body><p>{% block a %}{% if a is settled %}{{ a }}{% endif %}{% endblock %}</p></body></html>"
  const app = await pageApp(t, view, () => ({ a: defer(a.promise) }))
  const page = await read(app)
  t.match(await page.next(), /<\/p><script data-chirp-part src="[^"]+" nonce="n&amp;1"><\/script>$/)
  a.resolve('A')
  t.equal(await page.rest(), `${part(1, 'A')}</body></html>`)
})

t.test('values that settle in one turn of the loop leave in one piece', async t => {
  const names = ['a', 'b', 'c']
  const ends = Object.fromEntries(names.map(name => [name, later()]))
  const view = names.map(name => `{% block ${name} %}{% if ${name} is settled %}{{ ${name} }}{% endif %}{% endblock %}`).join('')
  const app = await pageApp(t, view, () => Object.fromEntries(names.map(name => [name, defer(ends[name].promise)])))
  const page = await read(app)
  await page.next()
  await new Promise(resolve => setImmediate(resolve))
  // Each of them has a phase of microtasks of its own.
  for (const name of names) setImmediate(() => ends[name].resolve(name))
  t.equal(await page.next(), names.map((name, n) => part(n + 1, name)).join(''))
})

t.test('a value that needs no turn of the loop comes with the page', async t => {
  const slow = async () => {
    for (let step = 0; step < 50; step++) await undefined
    return 'A'
  }
  for (const load of [() => 'A', slow, async () => { await new Promise(resolve => { process.nextTick(resolve) }); return 'A' }]) {
    const app = await pageApp(t, '{% block a %}{% if a is pending %}no{% else %}{{ a }}{% endif %}{% endblock %}', () => ({ a: defer(load) }))
    const { body, headers } = await app.inject('/')
    t.equal(body, 'A')
    t.equal(headers['content-length'], '1')
  }
})

t.test('a page that is cut off, and a part whose place is not there', async t => {
  const cut = `${place(1)}<template id="chirp-part-1">A`
  t.equal(assemble(cut), cut)
  t.equal(assemble(`x${part(1, 'A')}y`), 'xy')
  t.equal(assemble(`<!--chirp-part:1-->${part(1, 'A')}`), '<!--chirp-part:1-->')
  t.equal(assemble(`x${place(1, 'waits')}y${part(1, 'A')}`), 'xAy')
})

t.test('values of more names than are kept', async t => {
  const names = Array.from({ length: 1100 }, (_, n) => `v${n}`)
  for (const name of names) t.equal(missingState(pendingValue(name)), 'pending')
  t.equal(pendingValue('v0'), pendingValue('v0'), 'those of the first are')
})

t.test('a signal that is asked for when nobody waits any more', async t => {
  let given
  const app = await pageApp(t, '{% block a %}{% if a is failed %}no{% endif %}{% endblock %}', () => ({ a: defer(context => { given = context; return new Promise(() => {}) }) }), { options: { timeout: 1 } })
  await (await read(app)).rest()
  t.ok(given.signal.aborted)
})

t.test('a page whose template is missing is an error, also with values that are not there', async t => {
  const app = await buildApp(t, { templates: environment({}) })
  app.get('/', (request, reply) => reply.page('none.html', { a: defer(later().promise) }))
  const response = await app.inject({ url: '/', headers: { accept: 'text/html' } })
  t.equal(response.statusCode, 500)
  t.match(response.json().message, /none\.html/)
  t.equal(app.eventStreams.partsPending, 0)
})

t.test('the renders of a shell and of its parts are traced', async t => {
  const rendered = []
  const listen = ({ template, block }) => { rendered.push(block === undefined ? template : `${template} ${block}`) }
  const tracing = diagnostics.tracingChannel('fastify-chirp:render')
  tracing.subscribe({ start: listen })
  t.teardown(() => tracing.unsubscribe({ start: listen }))
  const a = later()
  const app = await pageApp(t, 'x{% block a %}{% if a is settled %}{{ a }}{% endif %}{% endblock %}', () => ({ a: defer(a.promise) }))
  const page = await read(app)
  t.match(await page.next(), /^x/)
  a.resolve('A')
  t.match(await page.rest(), /A/)
  t.same(rendered, ['page.html', 'page.html a'])
})

t.test('parts see reply.locals, as the rest of the page does', async t => {
  const a = later()
  const app = await pageApp(t, '{{ user }}: {% block a %}{% if a is settled %}{{ a }} for {{ user }}{% endif %}{% endblock %}', () => ({ a: defer(a.promise) }))
  app.decorateReply('locals', null)
  app.addHook('preHandler', async (request, reply) => { reply.locals = { user: 'Ann' } })
  const page = await read(app)
  t.match(await page.next(), /^Ann: /)
  a.resolve('tea')
  t.match(await page.rest(), /tea for Ann/)
})
