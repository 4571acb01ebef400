// Channels that render an event for each viewer.
import t from 'tap'
import { Fragments, merge, SSEEvent } from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'
import { until } from '../helpers/app.js'
import { dataOf, take, watchWrites } from '../helpers/channel.js'
import { block, buildViewers, item, url } from '../helpers/viewers.js'

t.test('each viewer gets the block with its viewer, rendered once for all who are equal', async t => {
  const { app, channel, client, rendered } = await buildViewers(t)
  const viewers = [{ role: 'admin', team: 1 }, { team: 1, role: 'admin' }, { role: 'guest' }]
  const streams = []
  for (const viewer of viewers) streams.push(await client.open(url(viewer)), await client.open(`${url(viewer)}&htmx=4`))
  streams.push(await client.open('/'))
  t.equal(rendered.count, 0)
  const id = await channel.publish(item('one'))
  const events = await Promise.all(streams.map(stream => stream.next()))
  const place = html => `<hx-partial hx-target="#list">${html}</hx-partial>`
  t.same(dataOf(events), ['admin', 'admin', 'guest'].flatMap(role => [`<b>${role}: one</b>`, place(`<b>${role}: one</b>`)]).concat('<b>nobody: one</b>'))
  t.same(events.map(event => event.id), Array(7).fill(id))
  t.equal(events[0].event, 'list')
  t.equal(rendered.count, 3)
  t.equal(app.eventStreams.events, 7)
  for (const stream of streams) stream.close()
})

t.test('equal viewers share the bytes of one write', async t => {
  const { app, channel } = await buildViewers(t)
  const writes = watchWrites(app)
  const client = new TestClient(app, { listen: true })
  const streams = [await client.open(url({ role: 'a' })), await client.open(url({ role: 'a' })), await client.open(url({ role: 'b' }))]
  writes.length = 0
  channel.publish(item('one'))
  channel.publish('for all')
  for (const stream of streams) await take(stream, 2)
  const chunks = writes.filter(data => Buffer.isBuffer(data) && data.includes('one'))
  t.equal(chunks.length, 3)
  t.equal(new Set(chunks).size, 2)
  for (const stream of streams) stream.close()
})

t.test('a replay renders for the viewer who comes back', async t => {
  const { channel, client, rendered } = await buildViewers(t)
  const start = await channel.publish('start')
  for (const text of ['one', 'two']) await channel.publish(item(text))
  t.equal(rendered.count, 0)
  const replay = async viewer => dataOf((await client.sse(url(viewer), { lastEventId: start, maxEvents: 2 })).events)
  t.same(await replay({ role: 'a' }), ['<b>a: one</b>', '<b>a: two</b>'])
  t.same(await replay({ role: 'b' }), ['<b>b: one</b>', '<b>b: two</b>'])
  t.equal(rendered.count, 4)
  t.same(await replay({ role: 'a' }), ['<b>a: one</b>', '<b>a: two</b>'])
  t.equal(rendered.count, 4, 'what was rendered is kept')
})

t.test('the renders of 64 viewers are kept, and those who asked last stay', async t => {
  const { channel, client, rendered } = await buildViewers(t)
  const start = await channel.publish('start')
  await channel.publish(item('one'))
  const replay = async n => (await client.sse(url({ role: n }), { lastEventId: start, maxEvents: 1 })).events[0].data
  for (let n = 0; n < 64; n++) await replay(n)
  t.equal(await replay(0), '<b>0: one</b>')
  t.equal(rendered.count, 64)
  await replay(64)
  await replay(0)
  t.equal(rendered.count, 65, 'the first one was asked for again')
  t.equal(await replay(1), '<b>1: one</b>')
  t.equal(rendered.count, 66, 'the second one had to go')
})

t.test('a hundred viewers at once are a hundred renders, whoever comes first', async t => {
  const { channel, client, rendered } = await buildViewers(t)
  const streams = []
  for (let n = 0; n < 200; n++) streams.push(await client.open(url({ role: n % 100 })))
  channel.publish(item('one'))
  t.same(dataOf(await Promise.all(streams.map(stream => stream.next()))), streams.map((_, n) => `<b>${n % 100}: one</b>`))
  t.equal(rendered.count, 100)
  for (const stream of streams) stream.close()
})

t.test('several fragments are rendered for each viewer, with their places', async t => {
  const { channel, client } = await buildViewers(t)
  const streams = [await client.open(url({ role: 'a' })), await client.open(`${url({ role: 'b' })}&htmx=4`)]
  const id = await channel.publish(new Fragments([item('one', { target: 'x', swap: 'beforeend' }), item('two', {})], { id: 'both', retry: 7 }))
  t.equal(id, 'both')
  for (const [n, role] of ['a', 'b'].entries()) {
    t.same(await streams[n].next(), { data: `<hx-partial hx-target="#x" hx-swap="beforeend"><b>${role}: one</b></hx-partial><b>${role}: two</b>`, id: 'both', retry: 7 })
    streams[n].close()
  }
})

t.test('all other values are as they are for everyone', async t => {
  const { app, channel, client } = await buildViewers(t)
  const stream = await client.open(url({ role: 'a' }))
  const [plain] = [app.channel('plain')]
  const entries = plain.subscribe()[Symbol.asyncIterator]()
  plain.publish(item('of another channel'))
  const values = ['text', { viewer: 1 }, new SSEEvent({ event: 'e', data: 'x', id: '9' }), (await entries.next()).value]
  for (const value of values) channel.publish(value)
  t.same(dataOf(await take(stream, 4)), ['text', '{"viewer":1}', 'x', '<b>nobody: of another channel</b>'])
  await entries.return()
  stream.close()
})

t.test('the viewer of the channel wins over one in the context, and over none', async t => {
  const { channel, client } = await buildViewers(t)
  const streams = [await client.open(url({ role: 'a' })), await client.open('/'), await client.open(url(null))]
  channel.publish(block('item', { text: 'x', viewer: { role: 'another' } }))
  t.same(dataOf(await Promise.all(streams.map(stream => stream.next()))), ['<b>a: x</b>', '<b>nobody: x</b>', '<b>nobody: x</b>'])
  for (const stream of streams) stream.close()
})

t.test('what a template does to its context is not seen by another viewer', async t => {
  const { channel, client } = await buildViewers(t)
  const streams = [await client.open(url({ role: 'a' })), await client.open(url({ role: 'b' }))]
  const list = []
  channel.publish(block('changes', { list }))
  list.push('later')
  t.same(dataOf(await Promise.all(streams.map(stream => stream.next()))), ['1 a', '1 b'])
  for (const stream of streams) stream.close()
})

t.test('audiences and viewers work together', async t => {
  const { app, channel, rendered } = await buildViewers(t)
  app.get('/for', (request, reply) => reply.eventStream(channel.subscribe({ viewer: { role: request.query.role }, filter: team => team === request.query.team })))
  const client = new TestClient(app)
  const streams = [await client.open('/for?role=a&team=1'), await client.open('/for?role=b&team=1'), await client.open('/for?role=a&team=2')]
  channel.publish(item('one'), { audience: '1' })
  channel.publish(item('two'), { audience: '2' })
  channel.publish(item('all'))
  t.same(dataOf(await take(streams[0], 2)), ['<b>a: one</b>', '<b>a: all</b>'])
  t.same(dataOf(await take(streams[1], 2)), ['<b>b: one</b>', '<b>b: all</b>'])
  t.same(dataOf(await take(streams[2], 2)), ['<b>a: two</b>', '<b>a: all</b>'])
  t.equal(rendered.count, 5)
  for (const stream of streams) stream.close()
})

t.test('the newest values are rendered for who connects', async t => {
  const { channel, client } = await buildViewers(t, { options: { latest: true } })
  await channel.publish(item('old', { target: 'x' }))
  await channel.publish(item('new', { target: 'x' }))
  await channel.publish(new Fragments([item('several', { target: 'y' })]))
  const { events } = await client.sse(url({ role: 'a' }), { maxEvents: 2 })
  t.same(dataOf(events), ['<b>a: new</b>', '<hx-partial hx-target="#y"><b>a: several</b></hx-partial>'])
})

t.test('in a merge each part has its viewer, and a cursor finds all', async t => {
  const { app, channel } = await buildViewers(t)
  const other = app.channel('b', { viewer: true })
  app.get('/both', (request, reply) => reply.eventStream(merge(channel.subscribe({ viewer: { role: 'a' } }), other.subscribe({ viewer: { role: 'b' } }))))
  const client = new TestClient(app)
  const stream = await client.open('/both')
  await channel.publish(item('one'))
  await other.publish(item('two'))
  const events = await take(stream, 2)
  t.same(dataOf(events), ['<b>a: one</b>', '<b>b: two</b>'])
  stream.close()
  const again = await client.sse('/both', { lastEventId: events[0].id, maxEvents: 1 })
  t.same(dataOf(again.events), ['<b>b: two</b>'])
})

t.test('iterating gives entries that are rendered for the viewer', async t => {
  const { channel } = await buildViewers(t)
  const iterator = channel.subscribe({ viewer: { role: 'a' } })[Symbol.asyncIterator]()
  const id = await channel.publish(item('one'))
  const { value } = await iterator.next()
  t.same([value.id, value.record.data, value.record.target], [id, '<b>a: one</b>', 'list'])
  await iterator.return()
})

t.test('a subscription that is aborted ends, and one of a closed channel too', async t => {
  const { app, channel, client } = await buildViewers(t)
  const controller = new AbortController()
  app.get('/signal', (request, reply) => reply.eventStream(channel.subscribe({ viewer: 1, signal: controller.signal })))
  const stream = await client.open('/signal')
  controller.abort()
  t.equal(await stream.next(), undefined)
  const other = await client.open(url(1))
  channel.publish(item('last'))
  channel.close()
  t.equal((await other.next()).data, '<b>: last</b>')
  t.equal(await other.next(), undefined)
  t.same((await client.sse(url(1))).ended, true)
  await until(() => app.eventStreams.open === 0)
})

t.test('a cursor that is unknown is a gap, then what comes is rendered', async t => {
  const { channel, client } = await buildViewers(t)
  const stream = await client.open(url({ role: 'a' }), { lastEventId: 'unknown' })
  t.equal((await stream.next()).event, 'chirp:gap')
  channel.publish(item('one'))
  t.equal((await stream.next()).data, '<b>a: one</b>')
  stream.close()
})

t.test('what is no viewer, or no option, is refused with what to do', async t => {
  const { app, channel } = await buildViewers(t)
  const refused = (make, message) => t.throws(make, { code: 'FST_CHIRP_OPTION', message })
  refused(() => app.channel('plain').subscribe({ viewer: { role: 'a' } }), /app\.channel\('plain', \{ viewer: true \}\)/)
  t.doesNotThrow(() => app.channel('plain').subscribe({ viewer: undefined }))
  refused(() => app.channel('b', { viewer: { role: 'a' } }), /"viewer" must be true or false, not an object.*subscribe\(\{ viewer \}\)/)
  refused(() => app.channel('a', { viewer: false }), /made with another "viewer"/)
  t.equal(app.channel('a'), channel)
  const circle = {}
  circle.circle = circle
  for (const [viewer, message] of [
    [() => {}, /a function would be left out/], [Symbol('x'), /symbol/], [1n, /JSON.stringify refused it/], [NaN, /NaN would become null/], [circle, /refused/],
    [{ roles: new Set(['a']) }, /a Set in "roles"/], [{ user: Promise.resolve() }, /a promise in "user"/], [{ can: () => true }, /a function in "can"/],
    [[undefined], /undefined in "0" of a list/], [{ key: Buffer.from('x') }, /bytes in "key"/], [new Uint8Array(2), /bytes/], [{ toJSON () {} }, /JSON has no form/],
    ['x'.repeat(4095), /4097 characters as JSON, and 4096/], [{ get role () { throw new Error('not now') } }, /not now/]
  ]) refused(() => channel.subscribe({ viewer }), message)
  for (const viewer of ['x'.repeat(4094), null, 0, '', false, [], {}, { at: new Date(0), none: undefined }]) t.doesNotThrow(() => channel.subscribe({ viewer }))
  let deep = []
  for (let n = 0; n < 2000; n++) deep = [deep]
  t.doesNotThrow(() => channel.subscribe({ viewer: deep }))
})

t.test('a context that is not plain data is refused when it is published', async t => {
  const { app, channel, client } = await buildViewers(t, { plugin: { debug: true } })
  const stream = await client.open(url({ role: 'a' }))
  for (const [context, message] of [
    [{ format: () => {} }, /context of block "item" of "item.html" as plain data, and a function in "format"/], [{ n: Infinity }, /Infinity in "n"/],
    [{ map: new Map([[1, 2]]) }, /a Map in "map"/], [{ big: 1n }, /refused/]
  ]) await t.rejects(channel.publish(block('item', context)), { code: 'FST_CHIRP_VALUE', message })
  await t.rejects(channel.publish(new Fragments([item('x'), block('item', { format () {} })])), { code: 'FST_CHIRP_VALUE' })
  t.match((await take(stream, 5))[4].data, /^<hx-partial.+chirp-block-error.+a function in.+\n?.*<div class="chirp-block-error".+a function in/, 'in debug everyone sees the boxes')
  t.equal(app.eventStreams.errors, 5)
  stream.close()
})
