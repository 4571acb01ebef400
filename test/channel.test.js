// Channels: publish once, send to everyone, replay to those who come back.
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import zlib from 'node:zlib'
import nunjucks from 'nunjucks'
import t from 'tap'
import { Fragment, merge, SSEEvent } from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'
import { Channel } from '../dist/channel/channel.js'
import { MemoryEngine } from '../dist/channel/memory.js'
import { EventStreamParser } from '../dist/testing/parser.js'
import { buildApp, listen, never, until } from './helpers/app.js'
import { AsyncEngine, testEngine } from './helpers/engine.js'

testEngine(t, 'memory engine', () => new MemoryEngine())
testEngine(t, 'engine that takes its time', () => new AsyncEngine())
testEngine(t, 'engine whose listeners lag behind', () => new AsyncEngine({ lag: true }))

const POSITION = /^[a-z0-9]+-\d+$/

/** An app with one channel that is streamed at `/`. */
async function buildChannel (t, { options, plugin, fastify, source = channel => channel } = {}) {
  const app = await buildApp(t, plugin, fastify)
  const channel = app.channel('a', options)
  app.get('/', (request, reply) => reply.eventStream(source(channel, request)))
  return { app, channel, client: new TestClient(app) }
}

/** The next `count` events of a stream. */
async function take (stream, count) {
  const events = []
  while (events.length < count) events.push(await stream.next())
  return events
}

const dataOf = events => events.map(event => event?.data)

/** Sends a request as it is, and collects what comes back. */
async function dial (t, app, head) {
  const socket = net.connect(await listen(app), '127.0.0.1')
  const raw = { socket, text: '', ended: false }
  socket.setEncoding('utf8').on('data', text => { raw.text += text }).on('close', () => { raw.ended = true }).on('error', () => {})
  t.teardown(() => socket.destroy())
  socket.write(head)
  return raw
}

const get = (path = '/', fields = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`

/** Collects what is written to the sockets of an app. */
function watchWrites (app) {
  const writes = []
  app.server.on('connection', socket => {
    const { write } = socket
    socket.write = function (data, ...rest) {
      writes.push(data)
      return write.call(this, data, ...rest)
    }
  })
  return writes
}

// Node.js writes the ends of its own chunks as a Buffer too.
const isChunk = data => Buffer.isBuffer(data) && data.length > 2

function environment () {
  const templates = { 'item.html': '{% block item %}{{ count() }}<b>{{ name }}</b>{% endblock %}{% block late %}{{ name | late }}{% endblock %}' }
  const env = new nunjucks.Environment({
    getSource: name => Object.hasOwn(templates, name) ? { src: templates[name], path: name, noCache: false } : null
  })
  const rendered = { count: 0 }
  env.addGlobal('count', () => {
    rendered.count++
    return ''
  })
  // Resolves after as many turns as the value says.
  env.addFilter('late', (value, callback) => {
    const [turns, outcome] = String(value).split(':')
    const next = left => left > 0 ? setImmediate(next, left - 1) : outcome === 'fails' ? callback(new Error('late')) : callback(null, value)
    next(Number(turns))
  }, true)
  return { env, rendered }
}

const late = name => new Fragment('item.html', 'late', { name })

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

  t.test('who has a filter that wants it gets an event, and nobody else', async t => {
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

  t.test('who comes without a cursor is told a position, not an id', async t => {
    const { channel, client } = await buildChannel(t, filtered)
    await channel.publish(new SSEEvent({ data: 'secret', id: 'secret-id' }), { audience: 'bob' })
    const stream = await client.open('/?user=ann')
    await until(() => stream.lastEventId !== '')
    t.match(stream.lastEventId, POSITION)
    channel.publish('x')
    t.same(dataOf(await take(stream, 1)), ['x'])
  })
})

t.test('replay', async t => {
  for (const [kind, open] of [
    ['header', (client, id) => client.open('/', { lastEventId: id })],
    ['query', (client, id) => client.open(`/?lastEventId=${encodeURIComponent(id)}`)]
  ]) {
    t.test(`what came after the ${kind}'s cursor, then what comes`, async t => {
      const { app, channel } = await buildChannel(t)
      const ids = []
      for (const value of ['one', 'two', new SSEEvent({ data: 'three', id: 'drei ü' }), 'four']) ids.push(await channel.publish(value))
      const wanted = [{ data: 'two', id: ids[1] }, { data: 'three', id: 'drei ü' }, { data: 'four', id: ids[3] }]
      const streams = []
      for (const client of [new TestClient(app), new TestClient(app, { listen: true })]) {
        for (const [n, id] of ids.entries()) {
          const stream = await open(client, id)
          t.same(await take(stream, 3 - n), wanted.slice(n))
          streams.push(stream)
        }
      }
      t.equal(channel.size, 8)
      const id = await channel.publish('live')
      for (const stream of streams) {
        t.same(await take(stream, 1), [{ data: 'live', id }])
        stream.close()
      }
    })
  }

  t.test('every cursor of a history gives exactly what came after it', async t => {
    const { channel, client } = await buildChannel(t)
    const ids = []
    for (let n = 0; n < 250; n++) ids.push(await channel.publish(n))
    for (const n of [0, 1, 48, 49, 50, 148, 149, 150, 200, 247, 248]) {
      const stream = await client.open('/', { lastEventId: ids[n] })
      const events = await take(stream, 249 - n)
      t.same(events, ids.slice(n + 1).map((id, m) => ({ data: String(n + 1 + m), id })))
      stream.close()
    }
  })

  t.test('a cursor at the end gives nothing, and then what comes', async t => {
    const { app, channel, client } = await buildChannel(t)
    const id = await channel.publish('one')
    const stream = await client.open('/', { lastEventId: id })
    const live = await channel.publish('two')
    t.same(await take(stream, 1), [{ data: 'two', id: live }])
    t.equal(app.eventStreams.events, 1)
  })

  t.test('who comes without a cursor is told where it starts, so that nothing is lost before its first event', async t => {
    const { channel, client } = await buildChannel(t)
    for (const before of [0, 1]) {
      for (let n = 0; n < before; n++) await channel.publish('before')
      const stream = await client.open('/')
      await until(() => stream.lastEventId !== '')
      const cursor = stream.lastEventId
      stream.close()
      await until(() => channel.size === 0)
      const id = await channel.publish('missed')
      const again = await client.open('/', { lastEventId: cursor })
      t.same(await take(again, 1), [{ data: 'missed', id }])
      again.close()
    }
  })

  t.test('an empty history with a known cursor gives nothing', async t => {
    for (const history of [0, 10]) {
      const { app, channel, client } = await buildChannel(t, { options: { history } })
      const stream = await client.open('/')
      await until(() => stream.lastEventId !== '')
      const again = await client.open('/', { lastEventId: stream.lastEventId })
      const id = await channel.publish('first')
      t.same(await take(again, 1), [{ data: 'first', id }])
      t.equal(app.eventStreams.events, 2)
    }
  })

  t.test('a cursor that cannot be replayed gives a gap, before the first live event', async t => {
    const { channel, client } = await buildChannel(t, { options: { history: 2 } })
    const ids = []
    for (let n = 0; n < 4; n++) ids.push(await channel.publish(n))
    const epoch = ids[0].split('-')[0]
    const cursors = [ids[0], `${epoch}-0`, 'other-3', `${epoch}-99`, 'x', '~', 'é"\\', `${epoch}-`, 'y'.repeat(2000)]
    for (const requested of cursors) {
      const stream = await client.open('/', { lastEventId: requested })
      const last = ids.at(-1)
      t.same(await take(stream, 1), [{ event: 'chirp:gap', id: last, data: JSON.stringify({ requested: requested.slice(0, 1024), resumedFrom: last }) }])
      ids.push(await channel.publish('live'))
      t.same(await take(stream, 1), [{ data: 'live', id: ids.at(-1) }])
      t.equal(stream.lastEventId, ids.at(-1))
      stream.close()
    }
    const stream = await client.open('/', { lastEventId: ids.at(-3) })
    t.same(dataOf(await take(stream, 2)), ['live', 'live'], 'as many as history promises have no gap')
  })

  t.test('the client of a gap goes on from there when it comes back', async t => {
    const { channel, client } = await buildChannel(t)
    await channel.publish('lost')
    const stream = await client.open('/', { lastEventId: 'unknown' })
    t.match(await stream.next(), { event: 'chirp:gap' })
    const cursor = stream.lastEventId
    stream.close()
    const id = await channel.publish('next')
    t.same((await client.sse('/', { lastEventId: cursor, maxEvents: 1 })).events, [{ data: 'next', id }])
  })

  t.test('a history of 0 keeps nothing', async t => {
    const { channel, client } = await buildChannel(t, { options: { history: 0 } })
    const ids = [await channel.publish('one'), await channel.publish('two')]
    const stream = await client.open('/', { lastEventId: ids[0] })
    t.match(await take(stream, 1), [{ event: 'chirp:gap', id: ids[1] }])
    const current = await client.open('/', { lastEventId: ids[1] })
    const id = await channel.publish('three')
    t.same(await take(current, 1), [{ data: 'three', id }])
  })

  t.test('who comes between a publication and its delivery gets it once', async t => {
    const { channel, client } = await buildChannel(t)
    const early = await client.open('/')
    const first = await channel.publish('first')
    const coming = [client.open('/'), client.open('/', { lastEventId: first })]
    // Published in the tick in which the others are attached, before and after.
    for (let n = 0; n < 10; n++) {
      channel.publish(n)
      await null
    }
    const [fresh, back] = await Promise.all(coming)
    const end = await channel.publish('end')
    t.same(dataOf(await take(early, 12)), ['first', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'end'])
    t.same(dataOf(await take(back, 11)), ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'end'])
    const seen = []
    while (seen.at(-1)?.id !== end) seen.push(await fresh.next())
    t.equal(new Set(seen.map(({ id }) => id)).size, seen.length)
  })

  t.test('a reader that is attached in the same tick as a publication', async t => {
    const app = await buildApp(t)
    const channel = app.channel('a')
    const early = channel.subscribe()[Symbol.asyncIterator]()
    const first = await channel.publish('first')
    channel.publish('before')
    const fresh = channel.subscribe()[Symbol.asyncIterator]()
    const back = channel.subscribe({ lastEventId: first })[Symbol.asyncIterator]()
    channel.publish('after')
    const read = async (iterator, count) => {
      const values = []
      while (values.length < count) values.push((await iterator.next()).value.record.data)
      return values
    }
    t.same(await read(early, 3), ['first', 'before', 'after'])
    t.same(await read(fresh, 1), ['after'])
    t.same(await read(back, 2), ['before', 'after'])
    await Promise.all([early, fresh, back].map(iterator => iterator.return()))
    t.equal(channel.size, 0)
  })

  t.test('a subscription with a cursor of its own does not look at the client\'s', async t => {
    const { channel, client } = await buildChannel(t, {
      source: (channel, { query: { from } }) => channel.subscribe({ lastEventId: from })
    })
    const ids = [await channel.publish('one'), await channel.publish('two'), await channel.publish('three')]
    const open = async (from, lastEventId) => dataOf(await take(await client.open(`/${from}`, { lastEventId }), 1))
    t.same(await open(`?from=${ids[1]}`, ids[0]), ['three'])
    t.same(await open('', ids[0]), ['two'])
    const off = await client.open('/?from=', { lastEventId: ids[0] })
    channel.publish('four')
    t.same(dataOf(await take(off, 1)), ['four'])
  })
})

t.test('latest', async t => {
  const status = (data, event = 'status') => new SSEEvent({ event, data })
  const latest = { options: { latest: true } }

  t.test('who comes gets the newest of each name, in the order in which they came', async t => {
    const { env } = environment()
    const { channel, client } = await buildChannel(t, { ...latest, plugin: { templates: env } })
    const empty = await client.open('/')
    channel.publish(status(1))
    channel.publish(status(1, 'load'))
    channel.publish('unnamed')
    channel.publish(new Fragment('item.html', 'item', { name: 'x' }, { target: 'news' }))
    channel.publish(status(2))
    t.same((await take(empty, 5)).map(({ event, data }) => [event, data]),
      [['status', '1'], ['load', '1'], [undefined, 'unnamed'], ['news', '<b>x</b>'], ['status', '2']], 'who reads gets them all')
    for (const lastEventId of [undefined, empty.lastEventId, 'unknown']) {
      const stream = await client.open('/', { lastEventId })
      t.same((await take(stream, 4)).map(({ event, data }) => [event, data]), [['load', '1'], [undefined, 'unnamed'], ['news', '<b>x</b>'], ['status', '2']])
      channel.publish(status(3))
      t.match(await stream.next(), { event: 'status', data: '3' })
      await channel.publish(status(2))
      t.match(await stream.next(), { event: 'status', data: '2' })
      stream.close()
    }
  })

  t.test('the snapshot does not double what is still on its way', async t => {
    const app = await buildApp(t)
    const channel = app.channel('a', { latest: true })
    channel.publish(status('one'))
    const iterator = channel.subscribe()[Symbol.asyncIterator]()
    channel.publish(status('two'))
    t.equal((await iterator.next()).value.record.data, 'one')
    t.equal((await iterator.next()).value.record.data, 'two')
    await iterator.return()
  })

  t.test('values for an audience are in the snapshot of those who may see them', async t => {
    const { channel, client } = await buildChannel(t, { ...latest, source: channel => channel.subscribe({ filter: audience => audience === 'ann' }) })
    channel.publish(status('ann', 'a'), { audience: 'ann' })
    channel.publish(status('bob', 'b'), { audience: 'bob' })
    channel.publish(status('all', 'c'))
    const stream = await client.open('/')
    t.same(dataOf(await take(stream, 2)), ['ann', 'all'])
    channel.publish(status('bob', 'b'), { audience: 'bob' })
    channel.publish(status('end', 'c'))
    t.same(dataOf(await take(stream, 1)), ['end'])
  })

  t.test('a slow client skips to the newest values, and the last of each arrives', async t => {
    const { app, channel } = await buildChannel(t, { ...latest, plugin: { maxBuffer: 5e6, writeTimeout: false } })
    const raw = await dial(t, app, get())
    await until(() => channel.size === 1)
    raw.socket.pause()
    const pad = 'x'.repeat(100000)
    // More than any kernel buffers.
    for (let n = 0; n < 1000; n++) {
      channel.publish(status(`${n} ${pad}`, 'big'))
      await channel.publish(status(n + 1, 'count'))
      await turn()
    }
    t.equal(app.eventStreams.dropped, 0)
    raw.socket.resume()
    await until(() => /event: count\nid: .*\ndata: 1000\n/.test(raw.text) && raw.text.includes(`data: 999 ${pad}`))
    t.ok(raw.text.length < 50e6, `${raw.text.length} bytes of 100 MB were sent`)
    const counts = raw.text.match(/(?<=event: count\nid: .*\ndata: )\d+/g).map(Number)
    t.same(counts, [...counts].sort((a, b) => a - b), 'never an older one after a newer one')
    t.equal(counts.at(-1), 1000)
    await channel.publish(status('live', 'count'))
    await until(() => raw.text.includes('data: live'))
  })

  t.test('a slow client that leaves is forgotten', async t => {
    const { app, channel } = await buildChannel(t, { ...latest, plugin: { writeTimeout: false } })
    const raw = await dial(t, app, get())
    await until(() => channel.size === 1)
    raw.socket.pause()
    channel.publish(status('x'.repeat(10e6)))
    await turn()
    channel.publish(status('newest'))
    await turn()
    raw.socket.destroy()
    await until(() => channel.size === 0)
    await until(() => app.eventStreams.open === 0)
    t.equal(app.eventStreams.errors, 0)
  })

  t.test('heartbeats tell no cursor', async t => {
    const { channel, client } = await buildChannel(t, { ...latest, plugin: { heartbeat: 1000 } })
    const stream = await client.open('/')
    channel.publish('x', { audience: 'none' })
    await until(() => {
      return stream.heartbeats === 1
    })
    t.equal(stream.lastEventId, '')
  })
})

t.test('presence', async t => {
  t.test('tabs of one member are counted, and who disconnects leaves', async t => {
    const app = await buildApp(t)
    const channel = app.channel('room')
    const presence = channel.presence()
    t.equal(channel.presence(), presence)
    app.get('/', (request, reply) => reply.eventStream(({ signal }) => {
      presence.join(request.query.user, { info: { tab: request.query.tab }, signal })
      return channel
    }))
    const heard = []
    presence.on('join', member => heard.push(['join', member]))
    presence.on('leave', member => heard.push(['leave', member]))
    const client = new TestClient(app, { listen: true })
    const ann1 = await client.open('/?user=ann&tab=1')
    const bob = await client.open('/?user=bob&tab=1')
    const ann2 = await client.open('/?user=ann&tab=2')
    t.same(presence.members(), [{ key: 'ann', info: { tab: '1' }, count: 2 }, { key: 'bob', info: { tab: '1' }, count: 1 }])
    t.equal(presence.size, 2)
    ann1.close()
    await until(() => presence.members()[0].count === 1)
    t.same(heard.splice(0), [['join', { key: 'ann', info: { tab: '1' }, count: 1 }], ['join', { key: 'bob', info: { tab: '1' }, count: 1 }]])
    ann2.close()
    await until(() => presence.size === 1)
    t.same(heard.splice(0), [['leave', { key: 'ann', info: { tab: '1' }, count: 0 }]])
    const again = await client.open('/?user=ann&tab=3')
    t.same(presence.members().map(({ key }) => key), ['bob', 'ann'])
    await app.close()
    t.equal(presence.size, 0)
    t.same(heard.map(([name, { key }]) => `${key} ${name}`).sort(), ['ann join', 'ann leave', 'bob leave'])
    for (const stream of [bob, again]) stream.close()
  })

  t.test('without a signal one leaves by hand, once', async t => {
    const presence = (await buildApp(t)).channel('room').presence()
    const leaves = [presence.join('ann'), presence.join('ann')]
    t.same(presence.members(), [{ key: 'ann', info: undefined, count: 2 }])
    leaves[0]()
    leaves[0]()
    t.equal(presence.members()[0].count, 1)
    presence.members()[0].count = 99
    t.equal(presence.members()[0].count, 1, 'members are copies')
    leaves[1]()
    t.same(presence.members(), [])
  })

  t.test('who has left by hand does not leave once more with the signal, nor comes with one that has aborted', async t => {
    const presence = (await buildApp(t)).channel('room').presence()
    const controller = new AbortController()
    const leave = presence.join('ann', { signal: controller.signal })
    presence.join('ann')
    leave()
    controller.abort()
    t.equal(presence.members()[0].count, 1)
    presence.join('bob', { signal: controller.signal })()
    t.equal(presence.size, 1)
  })
})

t.test('merge', async t => {
  async function * clock (values, gate = never) {
    yield * values
    await gate
  }

  async function buildMerged (t, sources, options) {
    const app = await buildApp(t, options)
    const [a, b] = [app.channel('a', { history: 5 }), app.channel('b')]
    app.get('/', (request, reply) => reply.eventStream(merge(...sources(a, b))))
    return { app, a, b, client: new TestClient(app) }
  }

  t.test('two channels have one cursor, with which both go on', async t => {
    const { app, a, b, client } = await buildMerged(t, (a, b) => [a, b])
    const streams = [await client.open('/'), await new TestClient(app, { listen: true }).open('/')]
    for (const stream of streams) await until(() => stream.lastEventId !== '')
    const [id] = (await a.publish('a1')).split('-')
    await turn()
    const [other] = (await b.publish('b1')).split('-')
    await turn()
    await a.publish(new SSEEvent({ data: 'a2', id: 'own', event: 'e' }))
    const cursor = (n, m) => `${id}-${n}~${other}-${m}`
    const wanted = [{ data: 'a1', id: cursor(1, 0) }, { data: 'b1', id: cursor(1, 1) }, { data: 'a2', id: cursor(2, 1), event: 'e' }]
    const cursors = []
    for (const stream of streams) {
      t.same(await take(stream, 3), wanted)
      t.equal(stream.lastEventId, cursor(2, 1))
      cursors.push(stream.lastEventId)
      stream.close()
    }
    t.match(cursors[0], /^[\w.~-]{1,40}$/)
    await b.publish('b2')
    await a.publish('a3')
    await b.publish('b3')
    for (const [lastEventId, data] of [[cursor(2, 1), ['a3', 'b2', 'b3']], [cursor(0, 3), ['a1', 'a2', 'a3']], [cursor(3, 3), []]]) {
      const stream = await client.open('/', { lastEventId })
      t.same(dataOf(await take(stream, data.length)), data)
      stream.close()
    }
    const stream = await client.open('/', { lastEventId: cursor(3, 3) })
    await a.publish('a4')
    t.same(await take(stream, 1), [{ data: 'a4', id: cursor(4, 3) }])
  })

  t.test('streams whose cursors agree share their bytes', async t => {
    const { app, a, b } = await buildMerged(t, (a, b) => [a, b])
    const writes = watchWrites(app)
    const client = new TestClient(app, { listen: true })
    const early = await client.open('/')
    await a.publish('a1')
    await b.publish('b1')
    t.equal((await take(early, 2)).length, 2)
    // This one does not know of b1's position in another way: it starts there.
    const latecomer = await client.open('/')
    await until(() => a.size === 2)
    await until(() => latecomer.lastEventId !== '')
    writes.length = 0
    await a.publish('a2')
    t.same(await take(early, 1), await take(latecomer, 1))
    t.equal(writes.length, 2)
    t.equal(writes[0], writes[1])
    early.close()
    latecomer.close()
  })

  t.test('what several channels publish in one tick is one write, put together once', async t => {
    const { app, a, b } = await buildMerged(t, (a, b) => [a, clock([]), b, app.channel('c')])
    const writes = watchWrites(app)
    const client = new TestClient(app, { listen: true })
    const streams = [await client.open('/'), await client.open('/')]
    for (const stream of streams) await until(() => /^.+~.+~.+$/.test(stream.lastEventId))
    writes.length = 0
    const publish = values => Promise.all(values.map(value => app.channel(value[0]).publish(value)))
    await publish(['b1', 'a1', 'a2', 'c1', 'b2'])
    const [events, others] = [await take(streams[0], 5), await take(streams[1], 5)]
    t.same(dataOf(events).sort(), ['a1', 'a2', 'b1', 'b2', 'c1'])
    t.match(events.at(-1).id, /-2~\w+-2~\w+-1$/)
    t.same(events, others)
    t.equal(writes.length, 2)
    t.equal(writes[0], writes[1], 'the same bytes')
    t.ok(isChunk(writes[0]))
    const before = app.eventStreams.events
    await a.publish('for bob', { audience: 'bob' })
    a.publish('a4')
    b.publish('b3')
    a.close()
    t.same(dataOf(await take(streams[0], 2)).sort(), ['a4', 'b3'])
    t.same(dataOf(await take(streams[1], 2)).sort(), ['a4', 'b3'])
    t.equal(app.eventStreams.events, before + 4)
    b.publish('b4')
    b.close()
    app.channel('c').close()
    t.same(dataOf(await take(streams[0], 1)), ['b4'], 'the last event comes before the end')
  })

  t.test('what was published comes before the failure of another part in the same tick', async t => {
    const filter = () => { throw new Error('filter') }
    const { a, b, client } = await buildMerged(t, (a, b) => [b, a.subscribe({ filter })])
    const stream = await client.open('/')
    await until(() => a.size === 1 && b.size === 1)
    b.publish('b1')
    a.publish('for bob', { audience: 'bob' })
    t.same((await take(stream, 2)).map(({ event, data }) => [event, data]), [[undefined, 'b1'], ['chirp:error', 'Internal Server Error']])
  })

  t.test('a gap of one channel leaves the other alone', async t => {
    const { a, b, client } = await buildMerged(t, (a, b) => [a, b])
    const ids = []
    for (let n = 1; n <= 7; n++) ids.push(await a.publish(`a${n}`))
    const [b1, b2] = [await b.publish('b1'), await b.publish('b2')]
    const [requested, resumedFrom] = [`${ids[0]}~${b1}`, `${ids[6]}~${b1}`]
    const stream = await client.open('/', { lastEventId: requested })
    t.same(await take(stream, 2), [{ event: 'chirp:gap', id: resumedFrom, data: JSON.stringify({ requested, resumedFrom }) }, { data: 'b2', id: `${ids[6]}~${b2}` }])
  })

  t.test('a cursor that is none of ours is a gap of each', async t => {
    const { a, b, client } = await buildMerged(t, (a, b) => [a, b])
    const place = `${await a.publish('a1')}~${await b.publish('b1')}`
    for (const requested of ['x', 'x-1~1~1', 'a~b~c', 'é', `${place}~`]) {
      const stream = await client.open('/', { lastEventId: requested })
      const events = await take(stream, 2)
      t.same(events.map(({ event }) => event), ['chirp:gap', 'chirp:gap'])
      t.same(events.map(({ data }) => JSON.parse(data).requested), [requested, requested])
      t.equal(stream.lastEventId, place)
      stream.close()
    }
    const stream = await client.open('/', { lastEventId: 'x~y' })
    t.same((await take(stream, 2)).map(({ data }) => JSON.parse(data).requested), ['x~y', 'x~y'])
  })

  t.test('a channel and a generator: what any has is sent, and ids are those of the channel', async t => {
    const { a, client } = await buildMerged(t, a => [a, clock([
      'tick', { n: 1 }, new SSEEvent({ data: 'own', id: 'x', event: 'e', retry: 9 }), new SSEEvent({ id: 'y' }), new SSEEvent({ retry: 7 }), new SSEEvent({ data: 'none' })
    ])])
    const stream = await client.open('/')
    t.same(await take(stream, 4), [{ data: 'tick' }, { data: '{"n":1}' }, { data: 'own', event: 'e', retry: 9 }, { data: 'none' }])
    t.match(stream.lastEventId, POSITION)
    const id = await a.publish('news')
    t.same(await take(stream, 1), [{ data: 'news', id }])
    stream.close()
    await until(() => a.size === 0)
  })

  t.test('a fragment of a generator loses its id, and keeps the rest', async t => {
    const { env } = environment()
    const options = { target: 'news', swap: 'none', retry: 3 }
    const { client } = await buildMerged(t, a => [a, clock([
      new Fragment('item.html', 'item', { name: 'x' }, { ...options, id: '1' }), new Fragment('item.html', 'item', { name: 'y' }, options)
    ])], { templates: env })
    t.same(await take(await client.open('/'), 2), [{ event: 'news', retry: 3, data: '<b>x</b>' }, { event: 'news', retry: 3, data: '<b>y</b>' }])
  })

  t.test('sources that are no channels keep their ids', async t => {
    const { client } = await buildMerged(t, () => [[new SSEEvent({ data: 'one', id: '1' })], clock(['two']), Readable.from(['three'])])
    const stream = await client.open('/')
    t.same((await take(stream, 3)).map(({ data, id }) => `${data} ${id}`).sort(), ['one 1', 'three undefined', 'two undefined'])
  })

  t.test('it ends when all have ended', async t => {
    const controller = new AbortController()
    const { a, b, client } = await buildMerged(t, (a, b) => [a, ['one'], b.subscribe({ signal: controller.signal })])
    const stream = await client.open('/')
    t.same(dataOf(await take(stream, 1)), ['one'])
    a.close()
    await b.publish('still')
    t.same(dataOf(await take(stream, 1)), ['still'])
    controller.abort()
    t.equal(await stream.next(), undefined)
    t.ok(stream.ended)
    t.equal(b.size, 0)
  })

  t.test('it fails when one fails, and the others are closed', async t => {
    let returned = 0
    const waiting = { [Symbol.asyncIterator]: () => ({ next: () => never, return: async () => { returned++ } }) }
    const failing = { [Symbol.asyncIterator]: () => ({ next: async () => { throw new Error('broken') } }) }
    const { app, a, client } = await buildMerged(t, a => [a, waiting, failing])
    const stream = await client.open('/')
    t.match(await stream.next(), { event: 'chirp:error', data: 'Internal Server Error' })
    t.equal(await stream.next(), undefined)
    t.equal(returned, 1)
    t.equal(a.size, 0)
    t.equal(app.eventStreams.errors, 1)
  })

  t.test('a source that fails while it is closed is logged', async t => {
    const failing = { [Symbol.asyncIterator]: () => ({ next: () => never, return: async () => { throw new Error('late') } }) }
    const { app, client } = await buildMerged(t, a => [a, failing])
    const stream = await client.open('/')
    stream.close()
    await until(() => app.eventStreams.errors === 1)
    t.match(app.log.lines.find(({ level }) => level === 50), { err: { message: 'late' }, msg: 'the source failed after its stream was closed' })
  })

  t.test('a source with much to say does not starve the channel, nor overflow a slow client', async t => {
    const { app, a } = await buildMerged(t, a => [a, (function * () { for (;;) yield 'x'.repeat(5000) })()], { writeTimeout: false })
    const raw = await dial(t, app, get())
    await until(() => raw.text.length > 1e6)
    raw.socket.pause()
    await a.publish('news')
    raw.socket.resume()
    await until(() => raw.text.includes('data: news\n'))
    t.equal(app.eventStreams.dropped, 0)
  })

  t.test('what was never streamed is let go', async t => {
    const { client } = await buildMerged(t, () => [])
    t.match((await client.sse('/')), { status: 500, body: /FST_CHIRP_SOURCE/ })
    const readable = new Readable({ read () {} })
    let returned = 0
    const failing = { [Symbol.asyncIterator]: () => ({ next: () => never, return: async () => { returned++; throw new Error('ignored') } }) }
    const app = await buildApp(t)
    app.get('/', (request, reply) => reply.eventStream(merge(readable, failing, app.channel('a'))))
    t.equal((await app.inject({ method: 'HEAD', url: '/' })).statusCode, 200)
    t.ok(readable.destroyed)
    t.equal(returned, 1)
    t.throws(() => merge(app.channel('a'), 5), { code: 'FST_CHIRP_SOURCE' })
    t.throws(() => merge(app.channel('a'), 'text'), { code: 'FST_CHIRP_SOURCE' })
  })

  t.test('a stream that cannot start lets a channel go', async t => {
    const app = await buildApp(t, { maxStreams: 1 })
    const channel = app.channel('a')
    app.get('/', (request, reply) => reply.eventStream(channel))
    const client = new TestClient(app)
    const stream = await client.open('/')
    t.match((await client.sse('/')).events, [{ event: 'chirp:busy' }])
    t.equal(channel.size, 1)
    stream.close()
  })
})

t.test('cursor heartbeats', async t => {
  const filtered = { plugin: { heartbeat: 1000 }, source: channel => channel.subscribe({ filter: audience => audience === 'ann' }) }

  t.test('hidden events move the cursor of a quiet stream, without an event', async t => {
    const { app, channel } = await buildChannel(t, filtered)
    const raw = await dial(t, app, get())
    await until(() => raw.text.includes('id: '))
    const [epoch] = raw.text.match(/id: (.*)/)[1].split('-')
    await channel.publish(new SSEEvent({ data: 'hidden', id: 'secret' }), { audience: 'bob' })
    await until(() => raw.text.includes(`\nid: ${epoch}-1\n\n`))
    await until(() => raw.text.includes('\n:\n'), 'and then there is nothing to tell')
    t.same(raw.text.match(/(?:id|data|event): .*/g), [`id: ${epoch}-0`, `id: ${epoch}-1`])
    t.equal(app.eventStreams.events, 0)
    raw.socket.destroy()
    await until(() => channel.size === 0)
    for (let n = 0; n < 3; n++) await channel.publish('hidden', { audience: 'bob' })
    const id = await channel.publish('seen', { audience: 'ann' })
    const result = await new TestClient(app).sse('/', { lastEventId: `${epoch}-1`, maxEvents: 1 })
    t.same(result.events, [{ data: 'seen', id }])
  })

  t.test('a merged stream tells its whole cursor', async t => {
    const app = await buildApp(t, { heartbeat: 1000 })
    const [a, b] = [app.channel('a'), app.channel('b')]
    app.get('/', (request, reply) => reply.eventStream(merge(a.subscribe({ signal: new AbortController().signal }), b, (async function * () { await never; yield 1 })())))
    const stream = await new TestClient(app).open('/')
    await until(() => stream.lastEventId !== '')
    const hidden = await a.publish('hidden', { audience: 'x' })
    await until(() => stream.lastEventId.startsWith(`${hidden}~`) && stream.lastEventId.endsWith('-0'))
    await until(() => stream.heartbeats === 1)
    const other = await b.publish('hidden', { audience: 'x' })
    await until(() => stream.lastEventId === `${hidden}~${other}`)
    t.equal(app.eventStreams.events, 0)
  })

  t.test('a part that was over from the start has no cursor to tell', async t => {
    const app = await buildApp(t, { heartbeat: 1000 })
    const [a, b] = [app.channel('a'), app.channel('b')]
    app.get('/', (request, reply) => reply.eventStream(merge(a.subscribe({ signal: AbortSignal.abort() }), b)))
    const stream = await new TestClient(app).open('/')
    await until(() => stream.lastEventId !== '')
    const hidden = await b.publish('hidden', { audience: 'x' })
    await until(() => stream.lastEventId === hidden)
    t.equal(a.size, 0)
    const id = await b.publish('seen')
    t.same(await take(stream, 1), [{ data: 'seen', id }])
  })

  t.test('what is quiet or has shown its last event has plain heartbeats', async t => {
    const { channel, client } = await buildChannel(t, filtered)
    const stream = await client.open('/')
    const id = await channel.publish('seen')
    await until(() => {
      return stream.heartbeats === 1
    })
    t.equal(stream.lastEventId, id)
  })
})

t.test('iteration', async t => {
  t.test('events come as frames that can be yielded', async t => {
    const { channel, client } = await buildChannel(t, {
      source: (channel, { headers }) => (async function * () {
        yield 'hello'
        for await (const entry of channel.subscribe({ lastEventId: headers['last-event-id'] })) yield entry
      })()
    })
    const stream = await client.open('/?htmx=4')
    t.same(await take(stream, 1), [{ data: 'hello' }])
    await until(() => channel.size === 1)
    const ids = [await channel.publish('one'), await channel.publish(new SSEEvent({ data: 'two', id: 'own', event: 'e' })), await channel.publish('three')]
    t.same(await take(stream, 3), [{ data: 'one', id: ids[0] }, { data: 'two', id: 'own', event: 'e' }, { data: 'three', id: ids[2] }])
    const again = await client.open('/', { lastEventId: 'own' })
    t.same(await take(again, 2), [{ data: 'hello' }, { data: 'three', id: ids[2] }])
    const gap = await client.open('/', { lastEventId: 'unknown' })
    t.same(await take(gap, 2), [{ data: 'hello' }, { event: 'chirp:gap', id: ids[2], data: JSON.stringify({ requested: 'unknown', resumedFrom: ids[2] }) }])
    channel.close()
    for (const open of [stream, again, gap]) {
      t.equal(await open.next(), undefined)
      t.ok(open.ended)
    }
  })

  t.test('what came is kept until it is taken, and leaving stops it', async t => {
    const channel = (await buildApp(t)).channel('a')
    const values = []
    const subscription = channel.subscribe()
    t.equal(channel.size, 0)
    setImmediate(() => { for (const n of [1, 2, 3]) channel.publish(n) })
    for await (const { record: { data }, id } of subscription) {
      t.match(id, POSITION)
      t.equal(channel.size, 1)
      if (values.push(data) === 2) break
    }
    t.same(values, ['1', '2'])
    t.equal(channel.size, 0)
  })

  t.test('after it was left there is nothing', async t => {
    const channel = (await buildApp(t)).channel('a')
    const iterator = channel.subscribe()[Symbol.asyncIterator]()
    channel.publish('one')
    await turn()
    const waiting = iterator.return()
    t.same(await waiting, { done: true, value: undefined })
    t.same(await iterator.next(), { done: true, value: undefined })
  })

  t.test('a signal ends it after what came before', async t => {
    const channel = (await buildApp(t)).channel('a')
    const controller = new AbortController()
    const iterator = channel.subscribe({ signal: controller.signal })[Symbol.asyncIterator]()
    channel.publish('one')
    await turn()
    controller.abort()
    channel.publish('two')
    t.equal(channel.size, 0)
    t.equal((await iterator.next()).value.record.data, 'one')
    t.same(await iterator.next(), { done: true, value: undefined })
    const over = channel.subscribe({ signal: controller.signal })
    t.same(await over[Symbol.asyncIterator]().next(), { done: true, value: undefined })
    const waiting = channel.subscribe()[Symbol.asyncIterator]()
    const next = waiting.next()
    await waiting.return()
    t.same(await next, { done: true, value: undefined })
  })

  t.test('a signal ends a stream', async t => {
    const controller = new AbortController()
    const { channel, client } = await buildChannel(t, { source: channel => channel.subscribe({ signal: controller.signal }) })
    const stream = await client.open('/')
    const left = await client.open('/')
    left.close()
    await until(() => channel.size === 1)
    channel.publish('one')
    await turn()
    controller.abort()
    t.same(dataOf(await take(stream, 2)), ['one', undefined])
    t.ok(stream.ended)
    t.ok((await client.sse('/')).ended)
    t.equal(channel.size, 0)
  })

  t.test('who falls more than maxBuffer behind gets what came, and then an error', async t => {
    const channel = (await buildApp(t, { maxBuffer: 3000 })).channel('a')
    const iterator = channel.subscribe()[Symbol.asyncIterator]()
    for (let n = 0; n < 5; n++) {
      channel.publish(`${n}${'x'.repeat(300)}`)
      channel.publish(new SSEEvent({ id: `id${n}` }))
      await turn()
    }
    t.equal(channel.size, 0)
    const seen = []
    for (let n = 0; n < 8; n++) seen.push((await iterator.next()).value.id)
    t.match(seen, [POSITION, 'id0', POSITION, 'id1', POSITION, 'id2', POSITION, 'id3'])
    await t.rejects(iterator.next(), { code: 'FST_CHIRP_BEHIND', message: /channel "a" fell more than 3000 bytes behind/ })
    t.same(await iterator.next(), { done: true, value: undefined })
    const again = channel.subscribe({ lastEventId: seen.at(-1) })[Symbol.asyncIterator]()
    t.match((await again.next()).value.record.data, /^4/)
    await again.return()
  })

  t.test('a replay that is more than maxBuffer ends at once', async t => {
    const channel = (await buildApp(t, { maxBuffer: 1000 })).channel('a')
    const first = await channel.publish('first')
    await channel.publish('x'.repeat(2000))
    const iterator = channel.subscribe({ lastEventId: first })[Symbol.asyncIterator]()
    t.equal(channel.size, 0)
    t.equal((await iterator.next()).value.record.data.length, 2000)
    await t.rejects(iterator.next(), { code: 'FST_CHIRP_BEHIND' })
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

t.test('the bytes of a broadcast', async t => {
  const frames = (epoch, from, values) => values.map((value, n) => `id: ${epoch}-${from + n}\ndata: ${value}\n\n`).join('')
  const epochOf = async channel => (await channel.publish('probe')).split('-')[0]

  t.test('HTTP/1.1: a chunk goes to the socket as it is, and the body is valid', async t => {
    const { app, channel } = await buildChannel(t, { plugin: { closeEvent: 'bye' } })
    const writes = watchWrites(app)
    const epoch = await epochOf(channel)
    const request = http.get({ port: await listen(app), agent: false })
    const [response] = await once(request, 'response')
    let text = ''
    response.setEncoding('utf8').on('data', data => { text += data })
    await until(() => text !== '')
    await channel.publish('größe 豆 😀')
    await turn()
    await channel.publish('x'.repeat(100000))
    await turn()
    channel.close()
    await once(response, 'end')
    t.equal(text, `: open\nid: ${epoch}-1\n\n${frames(epoch, 2, ['größe 豆 😀', 'x'.repeat(100000)])}event: bye\ndata: \n\n`)
    t.equal(app.eventStreams.bytes, Buffer.byteLength(text))
    t.equal(writes.filter(isChunk).length, 2)
  })

  t.test('HTTP/2', async t => {
    const { app, channel } = await buildChannel(t, { fastify: { http2: true } })
    const epoch = await epochOf(channel)
    const session = http2.connect(`http://127.0.0.1:${await listen(app)}`)
    const stream = session.request({ ':path': '/' })
    let text = ''
    stream.setEncoding('utf8').on('data', data => { text += data })
    await until(() => channel.size === 1)
    await channel.publish('one')
    await turn()
    await channel.publish('two')
    await channel.publish('x'.repeat(100000))
    channel.close()
    await once(stream, 'end')
    t.equal(text, `: open\nid: ${epoch}-1\n\n${frames(epoch, 2, ['one', 'two', 'x'.repeat(100000)])}`)
    session.destroy()
  })

  t.test('HTTP/1.0 has no chunks', async t => {
    const { app, channel } = await buildChannel(t)
    const epoch = await epochOf(channel)
    const raw = await dial(t, app, 'GET / HTTP/1.0\r\n\r\n')
    await until(() => channel.size === 1)
    await channel.publish('one')
    await turn()
    await channel.publish('two')
    channel.close()
    await until(() => raw.ended)
    t.equal(raw.text.split('\r\n\r\n')[1], `: open\nid: ${epoch}-1\n\n${frames(epoch, 2, ['one', 'two'])}`)
  })

  t.test('HEAD has no body and follows nothing', async t => {
    const { app, channel } = await buildChannel(t)
    const raw = await dial(t, app, 'HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    await until(() => raw.ended)
    t.match(raw.text, /^HTTP\/1\.1 200 OK\r\n[^]*content-type: text\/event-stream/i)
    t.match(raw.text, /\r\n\r\n$/)
    t.equal(channel.size, 0)
  })

  t.test('a write() that somebody has replaced is called', async t => {
    const { app, channel } = await buildChannel(t)
    const seen = []
    app.addHook('onRequest', async (request, { raw }) => {
      const { write } = raw
      raw.write = function (text, ...rest) {
        seen.push(text)
        return write.call(this, text.replace('one', 'changed'), ...rest)
      }
    })
    const writes = watchWrites(app)
    const stream = await new TestClient(app, { listen: true }).open('/')
    await until(() => channel.size === 1)
    await turn()
    const id = await channel.publish('one')
    t.same(await take(stream, 1), [{ data: 'changed', id }])
    t.equal(seen.at(-1), `id: ${id}\ndata: one\n\n`)
    t.notOk(writes.some(isChunk))
    stream.close()
  })

  t.test('a length that the app has set means no chunks', async t => {
    const { app, channel } = await buildChannel(t)
    app.addHook('onSend', async (request, reply, payload) => {
      reply.header('content-length', '1000')
      return payload
    })
    const raw = await dial(t, app, get())
    await until(() => channel.size === 1)
    const id = await channel.publish('one')
    await until(() => raw.text.includes('one'))
    t.ok(raw.text.endsWith(`\n\nid: ${id}\ndata: one\n\n`))
  })

  t.test('a compressor gets each event in time', async t => {
    const { app, channel } = await buildChannel(t)
    app.addHook('onSend', async (request, reply, payload) => {
      reply.header('content-encoding', 'gzip')
      return payload.pipe(zlib.createGzip())
    })
    const request = http.get({ port: await listen(app), agent: false })
    const [response] = await once(request, 'response')
    let text = ''
    response.pipe(zlib.createGunzip()).setEncoding('utf8').on('data', data => { text += data }).on('error', () => {})
    await until(() => channel.size === 1)
    for (const value of ['one', 'two']) {
      const id = await channel.publish(value)
      await until(() => text.endsWith(`id: ${id}\ndata: ${value}\n\n`))
    }
    t.equal(text.match(/data/g).length, 2)
    request.destroy()
  })

  t.test('a response that is queued behind another waits for its turn', async t => {
    const app = await buildApp(t)
    const [a, b] = [app.channel('a'), app.channel('b')]
    app.get('/a', (request, reply) => reply.eventStream(a))
    app.get('/b', (request, reply) => reply.eventStream(b))
    const writes = watchWrites(app)
    const raw = await dial(t, app, get('/a') + get('/b'))
    await until(() => a.size === 1 && b.size === 1)
    for (const value of ['one', 'two', 'three']) {
      await b.publish(`b ${value}`)
      await a.publish(`a ${value}`)
      await turn()
    }
    await until(() => raw.text.includes('a three'))
    t.notMatch(raw.text, /b one/)
    a.close()
    await until(() => raw.text.includes('b three'))
    await b.publish('b four')
    await turn()
    b.close()
    await until(() => /0\r\n\r\n[^]*0\r\n\r\n$/.test(raw.text))
    const [, first, second] = raw.text.split('HTTP/1.1 200 OK')
    t.same(first.match(/data: .*/g), ['data: a one', 'data: a two', 'data: a three'])
    t.same(second.match(/data: .*/g), ['data: b one', 'data: b two', 'data: b three', 'data: b four'])
    t.equal(writes.filter(isChunk).length, 4, 'only what waited went another way')
    raw.socket.destroy()
  })

  t.test('a socket is used again after a stream, with nothing left on it', async t => {
    const { app } = await buildChannel(t, { plugin: { maxBuffer: 50e6 } })
    const sockets = []
    app.server.on('connection', socket => { sockets.push({ socket, drain: socket.listenerCount('drain') }) })
    let channel
    app.get('/n', (request, reply) => reply.eventStream(channel = app.channel(request.query.n)))
    const raw = await dial(t, app, '')
    for (let n = 1; n <= 12; n++) {
      raw.text = ''
      raw.socket.write(get(`/n?n=${n}`))
      await until(() => app.eventStreams.open === 1 && channel.name === String(n) && channel.size === 1)
      raw.socket.pause()
      // Twice, so that it is blocked more than once in its life.
      for (let m = 0; m < 2; m++) {
        channel.publish('x'.repeat(8e6))
        await turn()
        raw.socket.resume()
        await until(() => raw.text.length > (m + 1) * 8e6)
      }
      await channel.publish('end')
      channel.close()
      await until(() => raw.text.endsWith('data: end\n\n\r\n0\r\n\r\n'))
      await until(() => app.eventStreams.open === 0)
      t.equal(sockets[0].socket.listenerCount('drain'), sockets[0].drain)
    }
    t.equal(sockets.length, 1)
    t.equal(app.eventStreams.dropped, 0)
  })

  t.test('heartbeats, replay, live events and those of one reader keep their order', async t => {
    const app = await buildApp(t, { heartbeat: 1000 })
    const channel = app.channel('a')
    app.get('/', (request, reply) => reply.eventStream(channel.subscribe({ filter: audience => audience === 'ann' })))
    const first = await channel.publish('first')
    const publish = n => channel.publish(n, n % 3 === 0 ? { audience: 'ann' } : n % 7 === 0 ? { audience: 'bob' } : {})
    for (let n = 1; n <= 150; n++) publish(n)
    const streams = await Promise.all(Array.from({ length: 5 }, () => new TestClient(app, { listen: true }).open('/', { lastEventId: first })))
    for (let n = 151; n <= 400; n++) {
      publish(n)
      if (n % 10 === 0) await turn()
    }
    await until(() => {
      return streams.every(({ heartbeats }) => heartbeats === 1)
    })
    for (let n = 401; n <= 600; n++) publish(n)
    const wanted = []
    for (let n = 1; n <= 600; n++) if (n % 3 === 0 || n % 7 !== 0) wanted.push(String(n))
    for (const stream of streams) t.same(dataOf(await take(stream, wanted.length)), wanted)
    streams.forEach(stream => stream.close())
  })

  t.test('a merged stream mixes what is pulled and what is pushed without breaking a frame', async t => {
    const app = await buildApp(t)
    const channel = app.channel('a')
    let gate
    app.get('/', (request, reply) => reply.eventStream(merge(channel, (async function * () {
      for (let n = 0; n < 500; n++) {
        yield { pulled: n }
        if (n % 5 === 0) await turn()
      }
      await new Promise(resolve => { gate = resolve })
    })())))
    const raw = await dial(t, app, get('/', 'Connection: close\r\n'))
    await until(() => channel.size === 1)
    for (let n = 0; n < 500; n++) {
      channel.publish({ pushed: n })
      if (n % 7 === 0) await turn()
    }
    await until(() => gate !== undefined)
    gate()
    channel.close()
    await until(() => raw.ended)
    const body = raw.text.slice(raw.text.indexOf('\r\n\r\n') + 4)
    const events = []
    const reader = new EventStreamParser({ onEvent: event => events.push(JSON.parse(event.data)), onComment () {} })
    // Chunk by chunk, as the lengths say.
    let at = 0
    for (;;) {
      const end = body.indexOf('\r\n', at)
      const size = parseInt(body.slice(at, end), 16)
      if (size === 0) break
      reader.feed(Buffer.from(body.slice(end + 2, end + 2 + size)))
      t.equal(body.slice(end + 2 + size, end + 4 + size), '\r\n')
      at = end + 4 + size
    }
    const numbers = Array.from({ length: 500 }, (_, n) => n)
    t.same(events.map(({ pulled }) => pulled).filter(n => n !== undefined), numbers)
    t.same(events.map(({ pushed }) => pushed).filter(n => n !== undefined), numbers)
  })
})
