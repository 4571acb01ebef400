// What a client sends back as its last id: where each channel goes on, and that nothing of it gets onto the wire.
import net from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { merge, SSEEvent } from 'fastify-chirp'
import { htmx2 } from '../../dist/dialects/htmx2.js'
import { Channel } from '../../dist/channel/channel.js'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { kAttach } from '../../dist/stream/feed.js'
import { buildApp, listen, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

// fast-check prints the seed and the smallest case that fails; FC_SEED tries another.
const seed = Number(process.env.FC_SEED ?? 20250611)

/** The next `count` events of a stream. */
async function take (stream, count) {
  const events = []
  while (events.length < count) events.push(await stream.next())
  return events
}

const dataOf = events => events.map(event => event?.data)
const requestedOf = events => events.map(({ event, data }) => [event, JSON.parse(data).requested])

/** Channels `a`, `b`, a `latest` one, and streams of each alone and of several. */
async function build (t, options) {
  const app = await buildApp(t, options)
  const [a, b, c, latest] = [app.channel('a', { history: 5 }), app.channel('b'), app.channel('c'), app.channel('latest', { latest: true })]
  const own = (channel, { query: { user } }) => channel.subscribe({ filter: audience => audience === user })
  const routes = {
    '/a': () => a,
    '/latest': () => latest,
    '/ab': () => merge(a, b),
    '/ba': () => merge(b, a),
    '/abc': () => merge(a, b, c),
    '/cb': () => merge(c, b),
    '/a-latest': () => merge(latest, a),
    '/latest-only': () => merge(latest),
    '/a-latest-b': () => merge(a, latest, b),
    '/b-latest-a': () => merge(b, latest, a),
    '/latest-b-a': () => merge(latest, b, a),
    '/all': () => merge(a, latest, b),
    '/two': () => merge(a.subscribe({ filter: audience => audience === 'ann' }), a.subscribe({ filter: audience => audience === 'bob' }), b),
    '/from': ({ query: { from } }) => merge(a.subscribe({ lastEventId: from }), b),
    '/own': request => own(a, request),
    '/own-ab': request => merge(own(a, request), own(b, request))
  }
  for (const [path, source] of Object.entries(routes)) app.get(path, (request, reply) => reply.eventStream(source(request)))
  return { app, a, b, c, latest, client: new TestClient(app) }
}

/** A stream of `path` with a cursor in the address, as the bytes that a socket gets. */
async function dial (t, app, path, cursor) {
  const socket = net.connect(await listen(app), '127.0.0.1')
  const raw = { socket, text: '' }
  socket.setEncoding('utf8').on('data', text => { raw.text += text }).on('error', () => {})
  t.teardown(() => socket.destroy())
  socket.write(`GET ${path}?lastEventId=${encodeURIComponent(cursor)} HTTP/1.1\r\nHost: x\r\n\r\n`)
  return raw
}

// Lines of an id that clients may send to other servers without a preflight.
const ID = /^id: [A-Za-z0-9._~-]{3,64}$/

t.test('a cursor writes no line', async t => {
  const { app, a, b, latest } = await build(t)
  const position = await a.publish('before')
  await b.publish('before')
  await latest.publish(new SSEEvent({ event: 'gauge', data: 'before' }))
  const tail = '\nevent: news\ndata: <b>injected</b>\n\nid: injected'
  const cursors = [
    `x-1~y-1${tail}`, `x-1${tail}`, tail, `${position}${tail}`, `${position}~${position}${tail}`, `${position}${tail}~${position}`, `${position}~y-1\rdata: injected\r\r`,
    `${position}~y-1\0`, `x-1~y-1~${'z'.repeat(12000)}-1`, `${position}~${'9'.repeat(12000)}`, `${position}~y-${'9'.repeat(3000)}`
  ]
  for (const path of ['/a', '/latest', '/ab', '/a-latest', '/latest-only', '/all', '/own-ab']) {
    for (const cursor of cursors) {
      const raw = await dial(t, app, path, cursor)
      await until(() => app.eventStreams.open === 1)
      await Promise.all([a, b].map(channel => channel.publish('live')))
      await latest.publish(new SSEEvent({ event: 'gauge', data: 'live' }))
      await until(() => raw.text.includes('data: live'))
      raw.socket.destroy()
      await until(() => app.eventStreams.open === 0)
      const lines = raw.text.slice(raw.text.indexOf('\r\n\r\n') + 4).split(/\r\n|\r|\n/)
      const strange = lines.filter(line => !/^(: open|[0-9a-f]+|event: (gauge|chirp:gap)|data: (before|live|\{"requested":".{1,6000}","resumedFrom":"[\w.~-]+"(,"spread":\d+)?\})|)$/.test(line) && !ID.test(line))
      t.same(strange, [], `${path} ${cursor.slice(0, 60)}`)
    }
  }
})

t.test('whatever comes as a cursor is in no frame, and the stream goes on', async t => {
  const { app, a, b, latest } = await build(t)
  const known = [await a.publish('seen'), await b.publish('seen')]
  const piece = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }), fc.constantFrom(...known, '~', '-', '\n', '\r', '\0', 'event: x', 'data: x', '\ud800', '~~', '-1', 'x-1'),
    fc.integer({ min: 1, max: 12000 }).map(length => 'y'.repeat(length))
  )
  const cursor = fc.array(piece, { minLength: 1, maxLength: 6 }).map(pieces => pieces.join('').slice(0, 12000)).filter(cursor => cursor !== '')
  const client = new TestClient(app)
  let count = 0
  await fc.assert(fc.asyncProperty(cursor, fc.constantFrom('/a', '/latest', '/ab', '/all'), async (cursor, path) => {
    const stream = await client.open(`${path}?lastEventId=${encodeURIComponent(cursor.toWellFormed())}`)
    const value = `live ${++count}`
    await turn()
    for (const channel of [a, b]) channel.publish(value)
    await latest.publish(new SSEEvent({ event: 'gauge', data: value }))
    for (let left = { '/a': 1, '/latest': 1, '/ab': 2, '/all': 3 }[path]; left > 0;) {
      const { event = '', id = 'none-1', data, ...rest } = await stream.next()
      if (Object.keys(rest).length > 0 || !['', 'gauge', 'chirp:gap'].includes(event)) throw new Error(`event ${event}`)
      if (!ID.test(`id: ${id}`)) throw new Error(`id ${id}`)
      if (data === value) left--
      else if (event === 'chirp:gap') {
        // So many in a second are told to wait.
        const { requested, resumedFrom, spread, ...others } = JSON.parse(data)
        const sent = cursor.toWellFormed().slice(0, 1024)
        // eslint-disable-next-line no-control-regex
        const cleaned = `${sent.toWellFormed().replaceAll(/[\u0000-\u001f\u007f]/g, '\ufffd')} `.slice(0, 1024)
        const isRight = [sent, cleaned].includes(requested) && resumedFrom === id && Object.keys(others).length === 0
        if (!isRight) throw new Error(`gap ${data}`)
      } else if (!/^(seen|live \d+)$/.test(data)) {
        throw new Error(`data ${data}`)
      }
    }
    stream.close()
  }), { seed, numRuns: 200, endOnFailure: false })
  t.pass(`seed ${seed}`)
})

t.test('a cursor that cannot be ours costs no more than its gap', async t => {
  const { app, a, b, latest } = await build(t)
  const raw = await dial(t, app, '/all', `x-1~y-1~${'z'.repeat(12000)}`)
  await until(() => raw.text.split('chirp:gap').length === 3)
  t.ok(raw.text.length < 4000)
  const before = app.eventStreams.bytes
  for (const channel of [a, b, latest]) await channel.publish('x')
  await until(() => raw.text.match(/data: x/g)?.length === 3)
  t.ok(app.eventStreams.bytes - before < 3 * 60)
})

t.test('the cursor of a merged stream', async t => {
  t.test('each channel has an epoch of its own, by which a merge knows its position', async t => {
    const { a, b, client } = await build(t)
    const [a1, b1] = [await a.publish('a1'), await b.publish('b1')]
    t.not(a1.split('-')[0], b1.split('-')[0])
    const [a2, b2] = [await a.publish('a2'), await b.publish('b2')]
    const open = async (path, cursor, count) => {
      const stream = await client.open(path, { lastEventId: cursor })
      const events = await take(stream, count)
      stream.close()
      return events
    }
    t.same(await open('/ab', `${a1}~${b1}`, 2), [{ data: 'a2', id: `${a2}~${b1}` }, { data: 'b2', id: `${a2}~${b2}` }])
    t.same(await open('/ba', `${a1}~${b1}`, 2), [{ data: 'b2', id: `${b2}~${a1}` }, { data: 'a2', id: `${b2}~${a2}` }], 'in another order')
    t.same(await open('/ab', `${a2}~${b1}`, 1), [{ data: 'b2', id: `${a2}~${b2}` }])
  })

  t.test('the cursor of one of its channels is replayed, and the others start with what comes', async t => {
    const { a, b, c, client } = await build(t)
    for (const publish of [() => a.publish('a1'), () => b.publish('b1'), () => c.publish('c1')]) await publish()
    const cursor = await b.publish('b2')
    await b.publish('b3')
    await a.publish('a2')
    const stream = await client.open('/abc', { lastEventId: cursor })
    t.same(dataOf(await take(stream, 1)), ['b3'])
    await until(() => stream.lastEventId.split('~').length === 3)
    await a.publish('a3')
    t.same(dataOf(await take(stream, 1)), ['a3'])
    stream.close()
    await c.publish('c2')
    const again = await client.open('/abc', { lastEventId: stream.lastEventId })
    t.same(dataOf(await take(again, 1)), ['c2'], 'what it was told is the place of all')
  })

  t.test('the id that an event brought in one of its channels is such a cursor too', async t => {
    const { a, b, client } = await build(t)
    await a.publish(new SSEEvent({ data: 'a1', id: 'row-7' }))
    await b.publish('b1')
    await a.publish('a2')
    t.same(dataOf((await client.sse('/ab', { lastEventId: 'row-7', maxEvents: 1 })).events), ['a2'])
    await b.publish(new SSEEvent({ data: 'b2', id: 'row-7' }))
    await b.publish('b3')
    t.same(dataOf((await client.sse('/ab', { lastEventId: 'row-7', maxEvents: 2 })).events), ['a2', 'b3'], 'in each that knows it')
    t.same(requestedOf((await client.sse('/ab', { lastEventId: 'row-8', maxEvents: 2 })).events), [['chirp:gap', 'row-8'], ['chirp:gap', 'row-8']])
  })

  t.test('of fewer or other channels: what is known is replayed, and what is not says so once', async t => {
    const { a, b, c, client } = await build(t)
    const [a1, b1] = [await a.publish('a1'), await b.publish('b1')]
    const [a2, b2, c1] = [await a.publish('a2'), await b.publish('b2'), await c.publish('c1')]
    const open = async (path, cursor) => {
      const stream = await client.open(path, { lastEventId: cursor })
      const events = await take(stream, 2)
      stream.close()
      return events
    }
    const cursor = `${a1}~${b1}`
    const gap = { event: 'chirp:gap', id: `${c1}~${b1}`, data: JSON.stringify({ requested: cursor, resumedFrom: `${c1}~${b1}` }) }
    t.same(await open('/cb', cursor), [gap, { data: 'b2', id: `${c1}~${b2}` }])
    const stream = await client.open('/abc', { lastEventId: cursor })
    t.same((await take(stream, 3)).map(({ event, data, id }) => event ?? [data, id]), ['chirp:gap', ['a2', `${a2}~${b1}~${c1}`], ['b2', `${a2}~${b2}~${c1}`]])
    stream.close()
  })

  t.test('a position that a channel never gave is a gap, and in no id', async t => {
    const { a, b, client } = await build(t)
    const [a1, b1] = [await a.publish('a1'), await b.publish('b1')]
    const [epochA, epochB] = [a1, b1].map(id => id.split('-')[0])
    const place = `${a1}~${b1}`
    for (const cursor of [`${epochA}-9~${b1}`, `${epochA}-01~${b1}`, `${a1}~${epochB}-9`, `${a1}~${epochB}-x`, `${a1}~${a1}~${b1}`, `${a1}~other-1`]) {
      const stream = await client.open('/ab', { lastEventId: cursor })
      t.same(await take(stream, 1), [{ event: 'chirp:gap', id: place, data: JSON.stringify({ requested: cursor, resumedFrom: place }) }])
      await turn()
      t.equal(stream.lastEventId, place)
      stream.close()
    }
    const tooFar = await client.open('/ab', { lastEventId: `${epochA}-9` })
    t.match(await take(tooFar, 1), [{ event: 'chirp:gap', id: a1 }])
    await until(() => tooFar.lastEventId === place)
    tooFar.close()
    for (const cursor of [`${a1}~`, `~${b1}`, `${a1}~~${b1}`, '~', 'x-1~y-1', `${place} `, `${place}~`]) {
      const stream = await client.open('/ab', { lastEventId: cursor })
      t.same((await take(stream, 2)).map(({ event, id }) => [event, id]), Array(2).fill(['chirp:gap', place]), cursor)
      stream.close()
    }
  })

  t.test('a channel of values has no place in it', async t => {
    const { a, b, latest, client } = await build(t)
    const value = await latest.publish(new SSEEvent({ event: 'gauge', data: '1' }))
    const a1 = await a.publish('a1')
    const a2 = await a.publish('a2')
    t.same((await client.sse('/a-latest', { lastEventId: a1, maxEvents: 2 })).events, [{ event: 'gauge', data: '1', id: a1 }, { data: 'a2', id: a2 }])
    const stream = await client.open('/a-latest', { lastEventId: value })
    t.same(await take(stream, 1), [{ event: 'gauge', data: '1', id: a2 }], 'but its ids are of one channel')
    stream.close()
    const streams = await Promise.all(['/a-latest-b', '/b-latest-a', '/latest-b-a', '/ab'].map(path => client.open(path)))
    const b1 = await b.publish('b1')
    for (const stream of streams) await until(() => stream.lastEventId.includes(b1))
    const a3 = await a.publish('a3')
    const wanted = [`${a3}~${b1}`, `${b1}~${a3}`, `${b1}~${a3}`, `${a3}~${b1}`]
    for (const [n, stream] of streams.entries()) {
      let event
      while (event?.data !== 'a3') event = await stream.next()
      t.equal(event.id, wanted[n], 'the bytes are shared only where the order is the same')
      stream.close()
    }
    t.same((await client.sse('/latest-only', { lastEventId: 'x', maxEvents: 1 })).events, [{ event: 'gauge', data: '1' }])
  })

  t.test('subscriptions may bring a cursor, and two may be of one channel', async t => {
    const { a, b, client } = await build(t)
    const [a1, b1] = [await a.publish('for ann', { audience: 'ann' }), await b.publish('b1')]
    const a2 = await a.publish('for bob', { audience: 'bob' })
    t.same(await client.first(0, '/two', { lastEventId: `${a1}~${a2}~${b1}` }), [])
    t.same(dataOf((await client.sse('/two', { lastEventId: a1, maxEvents: 1 })).events), ['for bob'])
    t.same(dataOf((await client.sse('/two', { lastEventId: `${a1}~${a1}~${b1}`, maxEvents: 1 })).events), ['for bob'])
    const tooMany = (await client.sse('/two', { lastEventId: `${a1}~${a1}~${a1}~${b1}`, maxEvents: 2 })).events
    t.same(tooMany.map(({ event }) => event), ['chirp:gap', 'chirp:gap'], 'nobody can tell which of them is whose')
    await b.publish('b2')
    const { events } = await client.sse('/from?from=mine', { lastEventId: b1, maxEvents: 2 })
    t.same(events.map(({ event, data }) => event === undefined ? data : JSON.parse(data).requested), ['mine', 'b2'])
  })

  t.test('merge() takes no more channels than an id can hold', async t => {
    const app = await buildApp(t)
    const channels = Array.from({ length: 51 }, (_, n) => app.channel(`c${n}`))
    t.throws(() => merge(...channels), { code: 'FST_CHIRP_SOURCE', message: /51 channels/ })
    app.get('/', (request, reply) => reply.eventStream(merge(...channels.slice(1))))
    for (const channel of channels) await channel.publish('before')
    const client = new TestClient(app)
    const stream = await client.open('/')
    await until(() => stream.lastEventId !== '')
    stream.close()
    t.ok(stream.lastEventId.length < 1024)
    await channels[7].publish('missed')
    t.same(dataOf((await client.sse('/', { lastEventId: stream.lastEventId, maxEvents: 1 })).events), ['missed'])
  })
})

t.test('a merged stream over an engine that takes its time', async t => {
  /** Two channels whose engine answers a read when it is told to. */
  function buildSlow () {
    const engine = new MemoryEngine()
    const reads = []
    const slow = {
      publish: (...values) => engine.publish(...values),
      read: (...values) => new Promise((resolve, reject) => { reads.push({ answer: () => resolve(engine.read(...values)), fail: () => reject(new Error('down')) }) }),
      listen: (...values) => engine.listen(...values),
      close () {}
    }
    const app = { engine: slow, maxBuffer: 1e6, toRecord: record => record, errorRecord () {}, report () {} }
    const [a, b, latest] = [{}, {}, { latest: true }].map((options, n) => new Channel(`channel ${n}`, options, app))
    const target = {
      dialect: htmx2,
      isBlocked: false,
      text: '',
      errors: [],
      flush () {},
      async whenDrained () {},
      ended () {},
      send (text) { this.text += text },
      share ({ text }) { this.text += text },
      failed (error) { this.errors.push(error.message) }
    }
    /** Answers until nothing more is asked. */
    const answerAll = async () => {
      for (await turn(); reads.length > 0; await turn()) reads.shift().answer()
    }
    return { a, b, latest, reads, target, answerAll, attach: cursor => merge(a, b)[kAttach](target, cursor) }
  }

  t.test('knows all places before it sends the first event', async t => {
    const { a, b, target, answerAll, attach } = buildSlow()
    const [a1, b1] = [await a.publish({ data: 'a1' }), await b.publish({ data: 'b1' })]
    const [a2, b2] = [await a.publish({ data: 'a2' }), await b.publish({ data: 'b2' })]
    const attachment = attach(`${a1}~${b1}`)
    t.equal(attachment.cursor(), undefined)
    await answerAll()
    t.equal(target.text, `id: ${a2}~${b1}\ndata: a2\n\nid: ${a2}~${b2}\ndata: b2\n\n`)
    attachment.detach()
  })

  t.test('tells once where those start that have no place yet', async t => {
    const { a, b, target, answerAll, attach } = buildSlow()
    const [a1, b1] = [await a.publish({ data: 'a1' }), await b.publish({ data: 'b1' })]
    const attachment = attach('')
    await answerAll()
    t.equal(target.text, `id: ${a1}~${b1}\n\n`)
    attachment.detach()
    t.equal(a.size + b.size, 0)
  })

  t.test('fails with the engine, and says nothing to those who have left', async t => {
    for (const hasLeft of [false, true]) {
      const { a, reads, target, attach } = buildSlow()
      const attachment = attach('')
      if (hasLeft) attachment.detach()
      for (const { fail } of reads) fail()
      await turn()
      t.same(target.errors, hasLeft ? [] : ['down'])
      attachment.detach()
      t.equal(a.size, 0)
    }
  })

  t.test('is not followed by those who left before it answered', async t => {
    const { a, b, target, answerAll, attach } = buildSlow()
    attach('x-1~x-2').detach()
    await answerAll()
    t.equal(a.size + b.size, 0)
    t.equal(target.text, '')
  })

  t.test('does not attach the others when one fails at once', async t => {
    const { b, latest, target, answerAll } = buildSlow()
    await latest.publish({ data: '1' }, { audience: 'ann' })
    const b1 = await b.publish({ data: 'b1' })
    const attachment = merge(latest.subscribe({ filter: () => { throw new Error('filter') } }), b)[kAttach](target, b1)
    target.failed = error => {
      target.errors.push(error.message)
      attachment.detach()
    }
    await answerAll()
    t.same(target.errors, ['filter'])
    t.equal(latest.size + b.size, 0)
  })
})
