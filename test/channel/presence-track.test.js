// A membership that is held by a stream.
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { merge, SSEEvent } from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'
import { buildApp, until } from '../helpers/app.js'
import { dataOf, take } from '../helpers/channel.js'

async function build (t, source, plugin) {
  const app = await buildApp(t, plugin)
  const news = app.channel('news')
  const people = news.presence()
  app.get('/', (request, reply) => reply.eventStream(source({ news, people, app, request })))
  return { app, news, people, client: new TestClient(app, { listen: true }) }
}

t.test('beside a channel it counts each stream, and leaves no trace in its ids', async t => {
  const { news, people, client } = await build(t, ({ news, people, request }) => merge(news, people.track(request.query.user, { info: request.query })))
  const streams = [await client.open('/?user=ann'), await client.open('/?user=ann'), await client.open('/?user=bob')]
  await until(() => people.size === 2)
  t.same(people.members(), [{ key: 'ann', info: { user: 'ann' }, count: 2 }, { key: 'bob', info: { user: 'bob' }, count: 1 }])
  const id = await news.publish('one')
  for (const stream of streams) {
    const { data, id: shown } = await stream.next()
    t.same([data, shown], ['one', id])
  }
  streams[0].close()
  await until(() => people.members()[0].count === 1)
  await news.publish('two')
  const again = await client.open('/?user=ann', { lastEventId: id })
  t.equal((await again.next()).data, 'two', 'its cursor is that of the channel')
  for (const stream of [...streams, again]) stream.close()
  await until(() => people.size === 0)
})

t.test('alone it is a stream without events that goes on', async t => {
  const { app, news, people, client } = await build(t, ({ people }) => people.track('ann'))
  const stream = await client.open('/')
  t.same(people.members(), [{ key: 'ann', info: undefined, count: 1 }])
  await wait(30)
  t.equal(app.eventStreams.open, 1)
  const ended = stream.next()
  news.close()
  t.equal(await ended, undefined, 'and ends with the channel')
  t.equal(people.size, 0)
  const late = await client.sse('/')
  t.same([late.ended, late.events], [true, []], 'whoever comes later ends at once')
})

t.test('in a merge it is this part that ends with the channel', async t => {
  const { app, news, people, client } = await build(t, ({ app, people }) => merge(app.channel('other'), people.track('ann')))
  const stream = await client.open('/')
  await until(() => people.size === 1)
  news.close()
  await app.channel('other').publish('on')
  t.equal((await stream.next()).data, 'on')
  stream.close()
  await until(() => app.eventStreams.open === 0)
})

t.test('heartbeats go out beside it, with and without a channel', async t => {
  for (const source of [({ people }) => merge(people.track('ann')), ({ people }) => people.track('ann'), ({ news, people }) => merge(people.track('ann'), news)]) {
    const { client } = await build(t, source, { heartbeat: 1000 })
    const { heartbeats } = await client.sse('/', { timeout: 2600 })
    t.ok(heartbeats >= 1, `${heartbeats} heartbeats`)
  }
})

t.test('beside a generator it stays when that has ended', async t => {
  const { people, client } = await build(t, ({ people }) => merge(['one', new SSEEvent({ data: 'two', id: '7' })], people.track('ann')))
  const stream = await client.open('/')
  t.same(dataOf(await take(stream, 2)), ['one', 'two'])
  t.equal(stream.lastEventId, '7')
  t.equal(people.size, 1)
  stream.close()
  await until(() => people.size === 0)
})

t.test('what is never streamed joins nobody', async t => {
  const { app, people, client } = await build(t, ({ news, people }) => merge(news, people.track('ann')))
  const { status } = await client.sse('/', { method: 'HEAD' })
  t.equal(status, 200)
  t.equal((await app.inject({ url: '/', headers: { accept: 'text/html' } })).statusCode, 406)
  people.track('bob')
  t.equal(people.size, 0)
})

t.test('a stream that is refused by a limit joins nobody', async t => {
  const { app, people, client } = await build(t, ({ people }) => people.track('ann'), { maxStreams: 1 })
  const stream = await client.open('/')
  t.equal((await client.sse('/')).events[0].event, 'chirp:busy')
  t.equal(people.members()[0].count, 1)
  stream.close()
  await until(() => people.size === 0 && app.eventStreams.open === 0)
})

t.test('one track in two streams counts each of them', async t => {
  let track
  const { people, client } = await build(t, ({ people }) => {
    track ??= people.track('ann')
    return track
  })
  const streams = [await client.open('/'), await client.open('/')]
  t.equal(people.members()[0].count, 2)
  for (const stream of streams) stream.close()
  await until(() => people.size === 0)
})

t.test('a listener that closes the channel ends the stream that joins', async t => {
  const { news, people, client } = await build(t, ({ people }) => people.track('ann'))
  people.on('join', () => news.close())
  t.equal((await client.sse('/')).ended, true)
  t.equal(people.size, 0)
})

t.test('key and options are checked at once', async t => {
  const { people } = await build(t, () => [])
  for (const [given, message] of [
    [[], /presence.track\(\) needs a key.*not undefined/], [[''], /needs a key/], [[7], /not 7/], [['ann', { inof: 1 }], /Did you mean "info"/],
    [['ann', { signal: new AbortController().signal }], /no option "signal" of presence.track\(\)/], [['ann', null], /must be an object/]
  ]) t.throws(() => people.track(...given), { code: 'FST_CHIRP_OPTION', message })
})
