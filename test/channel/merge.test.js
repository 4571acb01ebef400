// Several channels and other sources in one stream, and the cursors that heartbeats tell.
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Fragment, merge, SSEEvent } from 'fastify-chirp'
import { buildApp, never, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { buildChannel, dataOf, dial, environment, get, isChunk, POSITION, take, watchWrites } from '../helpers/channel.js'

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
