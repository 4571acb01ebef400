// Channels: publish once, send to everyone.
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Fragment, SSEEvent } from 'fastify-chirp'
import { Channel } from '../../dist/channel/channel.js'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { buildApp, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { buildChannel, dataOf, dial, environment, get, late, POSITION, take, watchWrites } from '../helpers/channel.js'

t.test('values', async t => {
  t.test('each kind of value is published as it would be yielded', async t => {
    const { app, channel, client } = await buildChannel(t)
    const streams = [await client.open('/'), await new TestClient(app, { listen: true }).open('/')]
    const values = [
      'text', 'two\nlines', '', { count: 42 }, [1], 0, false, null,
      new SSEEvent({ data: 'own', event: 'ping', id: '7', retry: 5000 }), new SSEEvent({ event: 'bare' }), new SSEEvent({ data: 'reset', id: '' })
    ]
    const ids = await Promise.all(values.map(value => channel.publish(value)))
    for (const [n, id] of ids.entries()) if (n !== 8) t.match(id, POSITION)
    t.equal(ids[8], '7')
    const wanted = [
      { data: 'text' }, { data: 'two\nlines' }, { data: '' }, { data: '{"count":42}' }, { data: '[1]' }, { data: '0' }, { data: 'false' }, { data: 'null' },
      { data: 'own', event: 'ping', retry: 5000 }, { data: '', event: 'bare' }, { data: 'reset' }
    ].map((event, n) => ({ ...event, id: ids[n] }))
    for (const stream of streams) t.same(await take(stream, values.length), wanted)
    t.equal(app.eventStreams.events, 2 * values.length)
    streams.forEach(stream => stream.close())
  })

  t.test('ids are an epoch and a sequence, which all channels count for themselves', async t => {
    const app = await buildApp(t)
    const [a, b] = [app.channel('a'), app.channel('b')]
    const ids = [await a.publish(1), await a.publish(2), await b.publish(1), await a.publish(3)]
    for (const id of ids) t.match(id, POSITION)
    const [[epoch], , [other]] = ids.map(id => id.split('-'))
    t.same(ids, [`${epoch}-1`, `${epoch}-2`, `${other}-1`, `${epoch}-3`])
    t.not(other, epoch)
    const app2 = await buildApp(t)
    t.not((await app2.channel('a').publish(1)).split('-')[0], epoch, 'in another app it has another epoch')
  })

  t.test('an event that sets only a cursor is not an event to clients', async t => {
    const { channel, client } = await buildChannel(t)
    const stream = await client.open('/')
    channel.publish(new SSEEvent({ id: 'mark' }))
    await until(() => stream.lastEventId === 'mark')
    channel.publish('after')
    t.same(dataOf(await take(stream, 1)), ['after'])
    const again = await client.open('/', { lastEventId: 'mark' })
    t.same(dataOf(await take(again, 1)), ['after'])
  })

  t.test('a fragment is rendered once, for both dialects and however many streams', async t => {
    const { env, rendered } = environment()
    const { app, channel, client } = await buildChannel(t, { plugin: { templates: env } })
    const socketClient = new TestClient(app, { listen: true })
    const htmx4 = { headers: { 'hx-request': 'true', 'hx-request-type': 'partial' } }
    const streams = []
    for (let n = 0; n < 4; n++) streams.push(await client.open('/'), await socketClient.open('/'), await client.open('/?htmx=4'), await socketClient.open('/', htmx4))
    t.equal(channel.size, 16)
    const first = await channel.publish(new Fragment('item.html', 'item', { name: 'a<b' }, { target: 'news', swap: 'beforeend', retry: 100 }))
    const second = await channel.publish(new Fragment('item.html', 'item', { name: 'plain' }, { id: 'own' }))
    t.match(first, POSITION)
    t.equal(second, 'own')
    const plain = { data: '<b>plain</b>', id: 'own' }
    for (const [n, stream] of streams.entries()) {
      t.same(await take(stream, 2), [n % 4 < 2
        ? { event: 'news', id: first, retry: 100, data: '<b>a&lt;b</b>' }
        : { id: first, retry: 100, data: '<hx-partial hx-target="#news" hx-swap="beforeend"><b>a&lt;b</b></hx-partial>' }, plain])
    }
    const replayed = await client.sse('/?htmx=4', { lastEventId: first, maxEvents: 1 })
    t.same(replayed.events, [plain])
    t.equal(rendered.count, 2)
    streams.forEach(stream => stream.close())
    await until(() => channel.size === 0)
  })

  t.test('without anyone who follows it is kept for those who come back', async t => {
    const { env, rendered } = environment()
    const { channel, client } = await buildChannel(t, { plugin: { templates: env } })
    const id = await channel.publish('first')
    await channel.publish(new Fragment('item.html', 'item', { name: 'x' }))
    t.equal(rendered.count, 1)
    t.same(dataOf((await client.sse('/', { lastEventId: id, maxEvents: 1 })).events), ['<b>x</b>'])
    t.equal(rendered.count, 1)
  })
})

t.test('publish', async t => {
  t.test('the order is that of the calls, also when renders are late or fail', async t => {
    const { env } = environment()
    const { app, channel, client } = await buildChannel(t, { plugin: { templates: env } })
    const stream = await client.open('/')
    const published = [late('9:one'), 'two', late('1:three'), late('3:fails'), late('0:five'), 'six', () => {}, late('2:eight'), 'nine']
      .map(value => channel.publish(value))
    const outcomes = await Promise.allSettled(published)
    t.same(outcomes.map(({ status }) => status), ['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
    t.match(outcomes[3].reason, { code: 'FST_CHIRP_RENDER' })
    t.match(outcomes[6].reason, { code: 'FST_CHIRP_VALUE' })
    t.same(dataOf(await take(stream, 7)), ['9:one', 'two', '1:three', '0:five', 'six', '2:eight', 'nine'])
    t.same(outcomes.filter(({ value }) => value).map(({ value }) => Number(value.split('-')[1])), [1, 2, 3, 4, 5, 6, 7])
    await channel.publish('sync again')
    t.same(dataOf(await take(stream, 1)), ['sync again'])
    t.equal(app.eventStreams.errors, 2)
  })

  t.test('one that fails is logged and counted, and does not bring the process down', async t => {
    const { app, channel } = await buildChannel(t)
    const rejections = []
    const listener = reason => rejections.push(reason)
    process.on('unhandledRejection', listener)
    t.teardown(() => process.removeListener('unhandledRejection', listener))
    channel.publish(undefined)
    channel.publish(new Fragment('none.html', 'item'))
    channel.publish(Buffer.from('bytes'))
    await until(() => app.eventStreams.errors === 3)
    await turn()
    t.same(rejections, [])
    const lines = app.log.lines.filter(({ msg }) => msg === 'an event of channel "a" was not published')
    t.same(lines.map(({ err, level }) => `${err.code} ${level}`).sort(), ['FST_CHIRP_NO_TEMPLATES 50', 'FST_CHIRP_VALUE 50', 'FST_CHIRP_VALUE 50'])
    await t.rejects(channel.publish(Symbol('x')), { code: 'FST_CHIRP_VALUE' })
    t.match(await channel.publish('fine'), /-1$/, 'what failed took no place')
  })

  t.test('in debug a box takes the place of a fragment that fails, for the same readers', async t => {
    const { env } = environment()
    const { app, channel, client } = await buildChannel(t, {
      plugin: { templates: env, debug: true },
      source: (channel, { query: { user } }) => channel.subscribe({ filter: audience => audience === user })
    })
    const [ann, bob] = [await client.open('/?user=ann'), await client.open('/?user=bob')]
    await t.rejects(channel.publish(new Fragment('item.html', 'none', {}, { target: 'news' }), { audience: 'ann' }), { code: 'FST_CHIRP_BLOCK_NOT_FOUND' })
    await t.rejects(channel.publish(undefined), { code: 'FST_CHIRP_VALUE' })
    await channel.publish('after')
    const [box, after] = await take(ann, 2)
    t.match(box, { event: 'news', data: /^<div class="chirp-block-error" data-block="none"><strong>/ })
    t.equal(after.data, 'after')
    t.same(dataOf(await take(bob, 1)), ['after'])
    t.equal(app.eventStreams.errors, 2)
    const closing = channel.publish(late('5:fails'))
    channel.close()
    await t.rejects(closing, { code: 'FST_CHIRP_RENDER' })
    t.equal(await ann.next(), undefined)
  })

  t.test('an engine that fails rejects, and the next event is not held up', async t => {
    const engine = new MemoryEngine()
    const reports = []
    const app = { engine, maxBuffer: 1000, toRecord: data => ({ data }), errorRecord: () => {}, report: (error, message) => reports.push([error.message, message]) }
    const channel = new Channel('a', {}, app)
    const { publish } = engine
    engine.publish = async () => { throw new Error('down') }
    await t.rejects(channel.publish('one'), { message: 'down' })
    engine.publish = () => { throw new Error('down at once') }
    await t.rejects(channel.publish('two'), { message: 'down at once' })
    engine.publish = publish
    t.match(await channel.publish('three'), /-1$/)
    t.same(reports, [['down', 'an event of channel "a" was not published'], ['down at once', 'an event of channel "a" was not published']])
  })

  t.test('what is published in one tick is one write for each connection', async t => {
    const { app, channel } = await buildChannel(t)
    const writes = watchWrites(app)
    const client = new TestClient(app, { listen: true })
    const streams = await Promise.all([1, 2, 3].map(() => client.open('/')))
    await until(() => channel.size === 3)
    await turn()
    writes.length = 0
    channel.publish('one')
    await channel.publish('two')
    channel.publish(3)
    for (const stream of streams) t.same(dataOf(await take(stream, 3)), ['one', 'two', '3'])
    t.equal(writes.length, 3)
    t.ok(Buffer.isBuffer(writes[0]))
    t.ok(writes.every(write => write === writes[0]), 'the bytes are shared')
    await channel.publish('four')
    for (const stream of streams) t.same(dataOf(await take(stream, 1)), ['four'])
    t.equal(writes.length, 6)
    streams.forEach(stream => stream.close())
  })
})

t.test('audience', async t => {
  const filtered = {
    source: (channel, { query: { user } }) => user === undefined ? channel : channel.subscribe({ filter: audience => audience === user })
  }

  t.test('a reader that has a filter that wants it gets an event, and nobody else', async t => {
    const { channel, client } = await buildChannel(t, filtered)
    const [ann, bob, all] = await Promise.all(['/?user=ann', '/?user=bob', '/'].map(path => client.open(path)))
    channel.publish('for all')
    channel.publish('for ann', { audience: 'ann' })
    channel.publish('for bob', { audience: 'bob' })
    channel.publish('for nobody', { audience: null })
    await turn()
    channel.publish('together')
    channel.publish('for ann too', { audience: 'ann' })
    await turn()
    channel.publish('end', { audience: undefined })
    t.same(dataOf(await take(ann, 5)), ['for all', 'for ann', 'together', 'for ann too', 'end'])
    t.same(dataOf(await take(bob, 4)), ['for all', 'for bob', 'together', 'end'])
    t.same(dataOf(await take(all, 3)), ['for all', 'together', 'end'])
  })

  t.test('a filter is asked about what has an audience, and only true lets it pass', async t => {
    const asked = []
    const { channel, client } = await buildChannel(t, {
      source: channel => channel.subscribe({
        filter: audience => {
          asked.push(audience)
          return audience.pass
        }
      })
    })
    const stream = await client.open('/')
    channel.publish('all')
    channel.publish('yes', { audience: { pass: true } })
    channel.publish('truthy', { audience: { pass: 1 } })
    channel.publish('no', { audience: {} })
    channel.publish('end')
    t.same(dataOf(await take(stream, 3)), ['all', 'yes', 'end'])
    t.same(asked, [{ pass: true }, { pass: 1 }, {}])
  })

  t.test('replay leaves out what is for others, and no id of theirs is seen', async t => {
    const { app, channel } = await buildChannel(t, filtered)
    const first = await channel.publish('first')
    channel.publish(new SSEEvent({ data: 'secret', id: 'secret-id', event: 'secret-event' }), { audience: 'bob' })
    channel.publish('for ann', { audience: 'ann' })
    channel.publish(new SSEEvent({ data: 'secret', id: 'secret-id-2' }), { audience: 'bob' })
    channel.publish('last')
    channel.publish(new SSEEvent({ data: 'secret', id: 'secret-id-3' }), { audience: 'bob' })
    const raw = await dial(t, app, get('/?user=ann', `Last-Event-ID: ${first}\r\n`))
    await until(() => raw.text.includes('data: last'))
    channel.publish(new SSEEvent({ data: 'secret', id: 'secret-id-4' }), { audience: 'bob' })
    await channel.publish('end')
    await until(() => raw.text.includes('data: end'))
    t.notMatch(raw.text, /secret/)
    t.same(raw.text.match(/data: .*/g), ['data: for ann', 'data: last', 'data: end'])
    const epoch = first.split('-')[0]
    t.same(raw.text.match(/id: .*/g), [3, 5, 8].map(sequence => `id: ${epoch}-${sequence}`))
  })

  t.test('a reader that comes without a cursor is told a position, not an id', async t => {
    const { channel, client } = await buildChannel(t, filtered)
    await channel.publish(new SSEEvent({ data: 'secret', id: 'secret-id' }), { audience: 'bob' })
    const stream = await client.open('/?user=ann')
    await until(() => stream.lastEventId !== '')
    t.match(stream.lastEventId, POSITION)
    channel.publish('x')
    t.same(dataOf(await take(stream, 1)), ['x'])
  })
})

t.test('close', async t => {
  t.test('a channel that is closed ends its streams and takes nothing', async t => {
    const { app, channel, client } = await buildChannel(t, { plugin: { closeEvent: 'bye' } })
    const streams = [await client.open('/'), await new TestClient(app, { listen: true }).open('/')]
    const other = app.channel('b').subscribe()[Symbol.asyncIterator]()
    channel.publish('last')
    channel.close()
    channel.close()
    for (const stream of streams) {
      t.match(await take(stream, 3), [{ data: 'last' }, { event: 'bye', data: '' }, undefined])
      t.ok(stream.ended)
    }
    t.equal(channel.size, 0)
    await t.rejects(channel.publish('x'), { code: 'FST_CHIRP_CHANNEL_CLOSED', message: /Channel "a" is closed/ })
    t.same((await client.sse('/')).events, [{ event: 'bye', data: '' }])
    t.not(app.channel('a'), channel)
    await app.channel('b').publish('fine')
    t.equal((await other.next()).value.record.data, 'fine')
    await other.return()
  })

  t.test('app.close() sends the last frame to the streams of a channel, and closes it', async t => {
    const { app, channel } = await buildChannel(t)
    const stream = await new TestClient(app, { listen: true }).open('/')
    const iterator = channel.subscribe()[Symbol.asyncIterator]()
    channel.publish('last')
    await app.close()
    t.match(await take(stream, 3), [{ data: 'last' }, { event: 'chirp:closing', data: '' }, undefined])
    t.equal((await iterator.next()).value.record.data, 'last')
    t.same(await iterator.next(), { done: true, value: undefined })
    await t.rejects(channel.publish('x'), { code: 'FST_CHIRP_CHANNEL_CLOSED' })
    t.equal(channel.size, 0)
  })
})

t.test('options', async t => {
  t.test('the same name is the same channel', async t => {
    const app = await buildApp(t)
    const news = app.channel('news', { history: 5 })
    t.equal(news.name, 'news')
    t.equal(news.size, 0)
    t.equal(app.channel('news'), news)
    t.equal(app.channel('news', {}), news)
    t.equal(app.channel('news', { history: 5 }), news)
    t.not(app.channel('other'), news)
    t.throws(() => app.channel('news', { history: 6 }), { code: 'FST_CHIRP_OPTION', message: /channel "news" was made with another "history" before/ })
    t.throws(() => app.channel('news', { latest: true }), { code: 'FST_CHIRP_OPTION', message: /another "latest"/ })
  })

  t.test('bad names and options are refused with what to do', async t => {
    const app = await buildApp(t)
    const refused = [
      [[''], /a channel needs a name, app\.channel\('news'\), not the string ""/], [[5], /needs a name/], [[], /needs a name/],
      [['x', 5], /options of app\.channel\(\) must be an object, not 5/], [['x', null], /must be an object, not null/],
      [['x', { size: 1 }], /there is no option "size" of app.channel\(\)\. The options are history, latest/],
      [['x', { history: -1 }], /channel option "history" must be a whole number of at least 0, not -1/], [['x', { history: 1.5 }], /"history"/],
      [['x', { history: '5' }], /"history"/], [['x', { history: Infinity }], /"history"/],
      [['x', { latest: 1 }], /channel option "latest" must be true or false, not 1/],
      [['x', { latest: true, history: 5 }], /either "latest" or "history"/]
    ]
    for (const [values, message] of refused) t.throws(() => app.channel(...values), { code: 'FST_CHIRP_OPTION', message })
    t.ok(app.channel('x', { latest: false, history: 0 }))
    const channel = app.channel('y')
    for (const [options, message] of [
      [{ lastEventId: 5 }, /option "lastEventId" of channel\.subscribe\(\) must be a string, not 5/],
      [{ signal: {} }, /option "signal" of channel\.subscribe\(\) must be an AbortSignal/],
      [{ filter: 'ann' }, /option "filter" of channel\.subscribe\(\) must be a function of an audience/]
    ]) t.throws(() => channel.subscribe(options), { code: 'FST_CHIRP_OPTION', message })
  })
})
