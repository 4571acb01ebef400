// A page that shows a job: the page and its stream are one route.
import t from 'tap'
import { Fragment, merge } from 'fastify-chirp'
import { buildApp } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { dataOf, take } from '../helpers/channel.js'
import { AsyncEngine } from '../helpers/engine.js'
import { addressIn, load, PAGE, views } from '../helpers/live.js'
import { controlled } from '../helpers/raw.js'

for (const [name, createEngine] of Object.entries({ 'in memory': () => undefined, 'an engine that takes its time': () => new AsyncEngine() })) {
  t.test(`${name}: each load of the page shows the whole job`, async t => {
    const app = await buildApp(t, { templates: views({ 'page.html': PAGE }), engine: createEngine() })
    const rows = controlled()
    const job = app.job('import', rows.source)
    app.get('/import', { live: true }, (request, reply) =>
      reply.page('page.html', { items: [] }, { live: app.job('import'), stream: { closeEvent: 'done' } }))
    const client = new TestClient(app, { listen: true })
    for (const item of ['a', 'b']) rows.give(new Fragment('page.html', 'item', { item }, { target: 'news' }))

    const tab = await client.open(addressIn((await load(app, '/import')).html))
    const shown = await take(tab, 2)
    t.match(dataOf(shown).join(), /a.*b/s, 'what was there before the page, too')
    rows.give(new Fragment('page.html', 'item', { item: 'c' }, { target: 'news' }))
    t.match((await take(tab, 1))[0].data, /c/)
    rows.end()
    t.equal(await job.done, 'ended')
    t.match(await tab.next(), { event: 'done' })

    const later = await client.sse(addressIn((await load(app, '/import')).html), {})
    t.match(dataOf(later.events).join(), /a.*b.*c/s, 'a page that is loaded after the end')
    t.equal(later.ended, true)
  })
}

t.test('a page that knows what has happened says where it stopped', async t => {
  const app = await buildApp(t, { templates: views({ 'page.html': PAGE }) })
  const rows = controlled()
  const job = app.job('import', rows.source)
  app.get('/import', { live: true }, async (request, reply) => {
    const cursor = await job.cursor()
    return reply.page('page.html', { items: ['a'] }, { live: job, cursor })
  })
  const client = new TestClient(app, { listen: true })
  rows.give('a')
  const before = await client.open('/import?lastEventId=')
  await take(before, 1)
  const tab = await client.open(addressIn((await load(app, '/import')).html))
  rows.give('b')
  t.same(dataOf(await take(tab, 1)), ['b'])
  rows.end()
})

for (const [name, createEngine] of Object.entries({ 'in memory': () => undefined, 'an engine that takes its time': () => new AsyncEngine() })) {
  t.test(`${name}: a page of a job and a channel shows the whole job, too`, async t => {
    const app = await buildApp(t, { templates: views({ 'page.html': PAGE }), engine: createEngine() })
    const news = app.channel('news')
    const rows = controlled()
    const job = app.job('import', rows.source)
    app.get('/import', { live: true }, (request, reply) => reply.page('page.html', { items: [] }, { live: merge(news, job) }))
    app.get('/job', { live: true }, (request, reply) => reply.eventStream(job))
    const client = new TestClient(app, { listen: true })
    for (const row of ['a', 'b']) rows.give(row)
    const first = await client.open('/job')
    await take(first, 2)
    await news.publish('before the page')

    const tab = await client.open(addressIn((await load(app, '/import')).html))
    t.same(dataOf(await take(tab, 2)), ['a', 'b'])
    await news.publish('later')
    t.same(dataOf(await take(tab, 1)), ['later'])
    rows.end()
    await job.done
  })
}

t.test('a job that is not there: its page is not found, and its stream says that it is gone', async t => {
  const app = await buildApp(t, { templates: views({ 'page.html': PAGE }) })
  app.get('/import', { live: true }, (request, reply) => reply.page('page.html', { items: [] }, { live: app.job('import'), stream: { closeEvent: 'done' } }))
  app.get('/null', { live: true }, (request, reply) => reply.page('page.html', { items: [] }, { live: null }))
  app.get('/bad', { live: true }, (request, reply) => reply.page('page.html', { items: [] }, { live: null, stream: { heartbeet: 1 } }))
  for (const accept of ['text/html', 'text/event-stream']) {
    t.match((await app.inject({ url: '/bad', headers: { accept } })).json().message, /there is no option "heartbeet" in "stream" of reply\.page\(\)/)
  }
  const client = new TestClient(app)
  for (const path of ['/import', '/null']) {
    const page = await app.inject(path)
    t.equal(page.statusCode, 404)
    t.match(page.headers.vary, /Accept/)
    const { events, ended, status } = await client.sse(path, {})
    t.same([status, events[0].event, ended], [200, 'chirp:gone', true])
    t.same(events.slice(1).map(({ event }) => event), path === '/import' ? ['done'] : [])
  }
  const job = app.job('import', ['a'])
  await job.done
  t.equal((await app.inject('/import')).statusCode, 200)
})
