// A promise that was put into a context without defer() or await.
import t from 'tap'
import { Fragment } from 'fastify-chirp'
import { buildApp, until } from '../helpers/app.js'
import { later, pageApp, read } from '../helpers/deferred.js'
import { buildTickets, Page } from '../helpers/live-views.js'

const warningsOf = app => app.log.lines.filter(({ level }) => level === 40).map(({ msg }) => msg)
const errorsOf = app => app.log.lines.filter(({ level }) => level === 50).map(({ msg, err }) => `${msg}: ${err.message}`)

t.test('it is not printed, nor taken for a list', async t => {
  for (const view of ['{{ items }}', '{% for item in items %}{{ item }}{% endfor %}']) {
    for (const debug of [true, false]) {
      const app = await pageApp(t, view, () => ({ items: Promise.resolve([1]) }), { plugin: { debug } })
      const { statusCode } = await app.inject('/')
      t.equal(statusCode, 500, view)
      t.match(errorsOf(app)[0], /a promise is no value that a template can show. Await it .* defer\(promise\)/)
    }
  }
})

t.test('a filter may wait for it', async t => {
  const app = await pageApp(t, '{{ items | wait }}{% for item in items | wait %}{{ item }};{% endfor %}', () => ({ items: Promise.resolve([1, 2]) }))
  app.env.addFilter('wait', (promise, callback) => { promise.then(value => callback(null, value), callback) }, true)
  t.equal(await (await read(app)).rest(), '1,21;2;')
})

t.test('a developer is told, once', async t => {
  for (const debug of [true, false]) {
    const app = await pageApp(t, 'page', () => ({ items: Promise.resolve(1) }), { plugin: { debug } })
    for (let n = 0; n < 2; n++) t.equal(await (await read(app)).rest(), 'page')
    t.same(warningsOf(app), debug ? ['the context of page.html has a promise as "items", and templates cannot wait for it. Await it, or let the blocks that read it follow later: { items: defer(promise) }'] : [])
  }
})

t.test('its failure ends no process, and is logged', async t => {
  for (const options of [undefined, { live: true }]) {
    const items = later()
    const app = await pageApp(t, 'page', () => ({ items: items.promise }), { options: () => options && { live: app.channel('news') } })
    t.equal(await (await read(app)).rest(), 'page')
    items.reject(new Error('no db'))
    await until(() => errorsOf(app).length > 0)
    t.same(errorsOf(app), ['the promise "items" in the context of "page.html" failed: no db'])
  }
})

t.test('the same in the context of a fragment, wherever it goes', async t => {
  const app = await buildApp(t, { templates: t.testdir({ 'page.html': '{% block a %}shown{% endblock %}' }) })
  const news = app.channel('news')
  const made = []
  const fragment = () => {
    made.push(later())
    return ['page.html', 'a', { items: made.at(-1).promise }]
  }
  app.get('/stream', (request, reply) => reply.eventStream([new Fragment(...fragment())]))
  app.get('/fragment', (request, reply) => reply.fragment(...fragment()))
  await news.publish(new Fragment(...fragment()))
  t.equal(await app.renderFragment(new Fragment(...fragment())), 'shown')
  t.match((await app.inject('/stream')).payload, 'data: shown')
  t.equal((await app.inject('/fragment')).payload, 'shown')
  for (const { reject } of made) reject(new Error('no db'))
  await until(() => errorsOf(app).length === 4)
  t.same(new Set(errorsOf(app)), new Set(['the promise "items" in a context of "page.html" failed: no db']))
})

t.test('the same in the context of a live view', async t => {
  for (const debug of [true, false]) {
    const made = []
    const context = (id, given, ticket) => {
      made.push(later())
      return { ticket, comments: made.at(-1).promise }
    }
    const { app, view, tickets } = await buildTickets(t, { template: '<main {{ sse_connect() }}><p {{ sse_swap("header") }}>{% block header %}{{ ticket.title }}{% endblock %}</p></main>', context, debug })
    const page = await (await Page.load(app, '/tickets/7')).connect()
    tickets.get('7').title = 'New'
    await view.changed('7')
    t.same(await page.take(1), ['header'])
    for (const { reject } of made) reject(new Error('no db'))
    await until(() => errorsOf(app).length === made.length)
    t.match(errorsOf(app).at(-1), /the promise "comments" in the context of live view "ticket" failed: no db/)
    t.equal(warningsOf(app).filter(message => /live view "ticket" has a promise/.test(message)).length, debug ? 1 : 0)
    await page.close()
  }
})
