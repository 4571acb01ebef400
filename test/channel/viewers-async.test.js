// Renders for viewers that take their time, or fail.
import t from 'tap'
import { Fragments, merge } from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'
import { until } from '../helpers/app.js'
import { dataOf, take } from '../helpers/channel.js'
import { block, buildViewers, item, url } from '../helpers/viewers.js'

const late = n => block('late', { n })

t.test('events of a reader are in order, whichever render ends first, and others do not wait', async t => {
  const { channel, client, waiting, release } = await buildViewers(t)
  const [a, b] = [await client.open(url('a')), await client.open(url('b'))]
  for (const n of [1, 2]) await channel.publish(late(n))
  await channel.publish('text')
  await until(() => waiting.length === 4)
  const seen = [take(a, 3), take(b, 3)]
  release()
  t.same(dataOf(await seen[0]), ['"a" 1', '"a" 2', 'text'])
  t.same(dataOf(await seen[1]), ['"b" 1', '"b" 2', 'text'])
  await channel.publish(block('whole', { n: 3 }))
  t.same(dataOf([await a.next(), await b.next()]), ['"a" 3', '"b" 3'])
  for (const stream of [a, b]) stream.close()
})

t.test('equal viewers wait for one render', async t => {
  const { channel, client, rendered, waiting, release } = await buildViewers(t)
  const streams = [await client.open(url('a')), await client.open(url('a'))]
  const start = await channel.publish('start')
  for (const stream of streams) await stream.next()
  await channel.publish(late(1))
  await until(() => waiting.length > 0)
  const again = client.sse(url('a'), { lastEventId: start, maxEvents: 1 })
  await new Promise(setImmediate)
  release()
  t.same(dataOf([await streams[0].next(), await streams[1].next(), (await again).events[0]]), Array(3).fill('"a" 1'))
  t.equal(rendered.count, 1)
  for (const stream of streams) stream.close()
})

t.test('a slow render holds back no other viewer, and no other part of a merge', async t => {
  const { app, channel, waiting, release } = await buildViewers(t)
  const other = app.channel('other')
  app.get('/both', (request, reply) => reply.eventStream(merge(channel.subscribe({ viewer: 'a' }), other)))
  const client = new TestClient(app)
  const [both, plain] = [await client.open('/both'), await client.open(url('b'))]
  await channel.publish(late(1))
  await until(() => waiting.length === 2)
  await other.publish('on')
  const { data, id } = await both.next()
  t.equal(data, 'on')
  waiting.pop()()
  t.equal((await plain.next()).data, '"b" 1')
  both.close()
  const again = await client.open('/both', { lastEventId: id })
  await until(() => again.lastEventId !== '' || waiting.length > 0)
  release()
  t.equal((await again.next()).data, '"a" 1', 'it is not lost to who left meanwhile')
  for (const stream of [again, plain]) stream.close()
})

t.test('a render that fails costs one viewer one event', async t => {
  for (const debug of [false, true]) {
    const { app, channel, client } = await buildViewers(t, { plugin: { debug } })
    const streams = [await client.open(url({ role: 'bad' })), await client.open(url({ role: 'bad' })), await client.open(url({ role: 'good' }))]
    const start = await channel.publish('start')
    const failed = await channel.publish(block('fails', { text: 1 }, { target: 'x', id: 'own', retry: 9 }))
    await channel.publish('end')
    const bad = debug ? ['start', 'box', 'end'] : ['start', 'end']
    const shown = events => events.map(({ data }) => data.startsWith('<div class="chirp-block-error"') ? 'box' : data)
    for (const stream of streams.slice(0, 2)) t.same(shown(await take(stream, bad.length)), bad)
    const good = await take(streams[2], 3)
    t.same([dataOf(good), good[1].id, good[1].retry, failed], [['start', 'good', 'end'], 'own', 9, 'own'])
    const replay = await client.sse(url({ role: 'bad' }), { lastEventId: start, maxEvents: bad.length - 1 })
    t.same(shown(replay.events), bad.slice(1))
    if (debug) t.not(replay.events[0].id, 'own', 'the box does not pass for the event')
    const lines = app.log.lines.filter(({ level }) => level === 50)
    t.equal(lines.length, 1, 'it is told once')
    t.equal(app.eventStreams.errors, 1)
    t.match(lines[0].msg, debug ? /the error box of an event of channel "a" was sent to a viewer/ : /an event of channel "a" was not sent to a viewer/)
    for (const stream of streams) stream.close()
  }
})

t.test('a render that fails later does too, and one fragment of several alone', async t => {
  const { app, channel, client, waiting, release } = await buildViewers(t)
  const stream = await client.open(url('a'))
  await channel.publish(late('!'))
  await channel.publish(new Fragments([late(1), late('!')]))
  await channel.publish('end')
  await until(() => waiting.length === 3)
  const events = take(stream, 2)
  release()
  t.same(dataOf(await events), ['"a" 1', 'end'])
  t.equal(app.eventStreams.errors, 2)
  stream.close()
})

t.test('a client hears by a heartbeat that it has come past what could not be rendered', async t => {
  const { channel, client, waiting, release } = await buildViewers(t, { plugin: { heartbeat: 1000 } })
  const stream = await client.open(url({ role: 'bad' }))
  await until(() => stream.lastEventId !== '')
  const before = stream.lastEventId
  const failed = await channel.publish(block('fails', { text: 1 }))
  await until(() => stream.lastEventId === failed, 'the heartbeat has come', 20000)
  const pending = await channel.publish(late(1))
  await until(() => waiting.length === 1)
  const { heartbeats } = stream
  await until(() => stream.heartbeats > heartbeats, 'another one has come', 20000)
  t.equal(stream.lastEventId, failed, 'which tells nothing of what is yet to be sent')
  release()
  t.equal((await stream.next()).id, pending)
  t.not(before, failed)
  stream.close()
})

t.test('a reader that leaves while an event is rendered gets nothing more, and nothing is kept for it', async t => {
  const { app, channel, waiting, release } = await buildViewers(t)
  const client = new TestClient(app, { listen: true })
  const stream = await client.open(url('a'))
  await until(() => channel.size === 1)
  await channel.publish(late(1))
  await until(() => waiting.length === 1)
  stream.close()
  await until(() => channel.size === 0)
  release()
  await until(() => app.eventStreams.open === 0)
  t.equal(app.eventStreams.events, 0)
})

t.test('a channel that is closed sends what is being rendered, then ends', async t => {
  const { app, channel, waiting, release } = await buildViewers(t)
  const controller = new AbortController()
  app.get('/signal', (request, reply) => reply.eventStream(channel.subscribe({ viewer: 'b', signal: controller.signal })))
  const client = new TestClient(app)
  const [stream, aborted] = [await client.open(url('a')), await client.open('/signal')]
  await channel.publish(late(1))
  await until(() => waiting.length === 2)
  channel.close()
  controller.abort()
  t.equal(await aborted.next(), undefined, 'who was asked to stop does not wait')
  const end = take(stream, 2)
  release()
  const [event, nothing] = await end
  t.same([event.data, nothing], ['"a" 1', undefined])
})

t.test('a filter that fails while an event is rendered ends the stream behind it', async t => {
  const { app, channel, waiting, release } = await buildViewers(t)
  app.get('/filter', (request, reply) => reply.eventStream(channel.subscribe({ viewer: 'a', filter: () => { throw new Error('no') } })))
  const stream = await new TestClient(app).open('/filter')
  await channel.publish(late(1))
  await until(() => waiting.length === 1)
  await channel.publish('x', { audience: 1 })
  const events = take(stream, 3)
  release()
  t.same((await events).map(event => event?.event ?? event?.data), ['"a" 1', 'chirp:error', undefined])
})

t.test('what waits for renders is bounded: who falls behind comes back', async t => {
  const { app, channel, client, waiting, release } = await buildViewers(t, { plugin: { maxBuffer: 20000 } })
  const stream = await client.open(url('a'))
  await until(() => stream.lastEventId !== '')
  const { lastEventId } = stream
  for (let n = 0; n < 20; n++) {
    channel.publish(late(n))
    await new Promise(setImmediate)
  }
  t.equal((await stream.next()).event, 'chirp:error')
  t.equal(await stream.next(), undefined)
  t.match(app.log.lines.find(({ level }) => level === 50).err, { code: 'FST_CHIRP_BEHIND' })
  const iterator = channel.subscribe({ viewer: 'b' })[Symbol.asyncIterator]()
  const count = waiting.length
  release()
  t.ok(count < 20)
  const timer = setInterval(release, 1)
  t.teardown(() => clearInterval(timer))
  const { events } = await client.sse(url('a'), { lastEventId, maxEvents: 20 })
  t.same(dataOf(events), Array.from({ length: 20 }, (_, n) => `"a" ${n}`))
  await iterator.return()
})

t.test('a replay renders no more at once than a connection may hold, and goes live', async t => {
  const { channel, client, waiting, release } = await buildViewers(t)
  const start = await channel.publish('start')
  for (let n = 0; n < 300; n++) await channel.publish(late(n))
  let most = 0
  const timer = setInterval(() => {
    most = Math.max(most, waiting.length)
    release()
  }, 1)
  t.teardown(() => clearInterval(timer))
  const stream = await client.open(url('a'), { lastEventId: start })
  t.same(dataOf(await take(stream, 300)), Array.from({ length: 300 }, (_, n) => `"a" ${n}`))
  t.ok(most < 100, `${most} at once`)
  await until(() => channel.size === 1)
  await channel.publish(item('live'))
  t.equal((await stream.next()).data, '<b>nobody: live</b>'.replace('nobody', ''))
  stream.close()
})

t.test('a slow viewer of values skips to the newest', async t => {
  const { channel, client, waiting, release } = await buildViewers(t, { options: { latest: true }, plugin: { maxBuffer: 5000 } })
  const stream = await client.open(url('a'))
  const publish = async n => {
    await channel.publish(block('late', { n }, { target: 'x' }))
    await new Promise(setImmediate)
  }
  await publish(0)
  await until(() => waiting.length === 1)
  for (let n = 1; n <= 50; n++) await publish(n)
  const timer = setInterval(release, 1)
  t.teardown(() => clearInterval(timer))
  const seen = []
  while (seen.at(-1) !== '"a" 50') seen.push((await stream.next()).data)
  t.ok(seen.length < 10, seen.join())
  stream.close()
})
