// Gaps that come again, and many at once.
import t from 'tap'
import { merge, SSEEvent } from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'
import { Gaps } from '../../dist/stream/gaps.js'
import { buildApp } from '../helpers/app.js'
import { addressIn, views } from '../helpers/live.js'

async function build (t, options) {
  const app = await buildApp(t, { templates: views({ 'page.html': '<p {{ sse_connect() }}></p>' }), ...options })
  const [news, other] = [app.channel('news'), app.channel('other')]
  app.get('/news', { live: true }, (request, reply) => reply.page('page.html', {}, { live: news, cursor: request.query.cursor }))
  app.get('/both', { live: true }, (request, reply) => reply.eventStream(merge(news, other)))
  const gapsOf = async (path, { count = 1, ...options } = {}) => {
    const { events } = await new TestClient(app).sse(path, { maxEvents: count, timeout: 20000, ...options })
    return events.map(({ event, data }) => event === 'chirp:gap' ? JSON.parse(data) : data)
  }
  return { app, news, other, gapsOf }
}

t.test('a page that was loaded because of a gap, and has one again, is told so', async t => {
  const { app, news, gapsOf } = await build(t)
  await news.publish('a')
  const last = await news.cursor()
  const gap = { requested: 'unknown', resumedFrom: last }
  const page = async headers => addressIn((await app.inject({ url: '/news?cursor=unknown', headers })).body)
  t.same(await gapsOf(await page({})), [gap], 'the first time it is as ever')
  const again = await page({ 'chirp-gap': '1' })
  t.same(await gapsOf(again), [{ ...gap, again: true }])
  t.same(await gapsOf(again, { lastEventId: 'unknown' }), [gap], 'a client that comes back later has a gap of its own')
  t.same(await gapsOf(again, { headers: { 'last-event-id': '' } }), [{ ...gap, again: true }], 'an empty header says nothing')
  t.same(await gapsOf(await page({})), [gap], 'and a page that the user loads is a new one')
})

t.test('of a merge each gap is, and one that comes after events is not', async t => {
  const { news, other, gapsOf } = await build(t)
  await news.publish('a')
  await other.publish('b')
  const gaps = await gapsOf('/both?lastEventId=unknown&chirp-gap=1', { count: 2 })
  t.same(gaps.map(({ again }) => again), [true, true])
})

t.test('many clients that have a gap at once are told to take their time', async t => {
  const { news, other, gapsOf } = await build(t)
  await news.publish(new SSEEvent({ data: 'a' }))
  await other.publish('b')
  const spreads = (await Promise.all(Array.from({ length: 60 }, () => gapsOf('/both?lastEventId=unknown', { count: 2 })))).flat().map(({ spread }) => spread)
  t.ok(spreads.some(spread => spread > 0), 'they came within a second')
  t.ok(spreads.filter(spread => spread === undefined).length >= 20, 'the first ones need not wait')
})

t.test('the spread grows with their number, and falls with time', t => {
  let now = 0
  const gaps = new Gaps(() => now)
  const many = count => Array.from({ length: count }, () => gaps.note(false))
  t.same(many(22), [...Array(20).fill(0), 210, 220])
  t.equal(gaps.note(true), 220, 'one that is counted already')
  t.equal(many(10_000).at(-1), 60_000)
  now += 1000
  t.same(many(20), Array(20).fill(0))
  for (let second = 0; second < 200; second++) {
    now += 100
    gaps.note(false)
  }
  t.equal(gaps.note(false), 0, 'ten a second are few')
  t.end()
})
