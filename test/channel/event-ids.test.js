// Ids that events bring, whom they tell of, and channels that take the name of a closed one.
import net from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Fragment, merge, SSEEvent } from 'fastify-chirp'
import { buildApp, heapUsed, listen, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

const dataOf = events => events.map(event => event?.data)
const event = (data, id) => new SSEEvent({ data, id })

async function build (t, options, plugin) {
  const app = await buildApp(t, plugin)
  const channel = app.channel('a', options)
  app.get('/', (request, reply) => reply.eventStream(app.channel('a')))
  app.get('/merged', (request, reply) => reply.eventStream(merge(app.channel('a'), app.channel('b'))))
  const subscribe = (name, { query: { user } }) => app.channel(name).subscribe({ filter: audience => audience === user })
  app.get('/own', (request, reply) => reply.eventStream(subscribe('a', request)))
  app.get('/own-merged', (request, reply) => reply.eventStream(merge(subscribe('a', request), subscribe('b', request))))
  return { app, channel, client: new TestClient(app) }
}

t.test('ids that events bring', async t => {
  t.test('one that comes again while it is in the history is refused, and nothing is lost', async t => {
    const { app, channel, client } = await build(t)
    const outcomes = await Promise.allSettled([event('one', 'A'), event('two', 'X'), event('three', 'B'), event('four', 'X'), event('five', 'C')].map(value => channel.publish(value)))
    t.same(outcomes.map(({ value, reason }) => value ?? reason.code), ['A', 'X', 'B', 'FST_CHIRP_ID', 'C'])
    t.match(outcomes[3].reason.message, /the id "X": an event of the history has it/)
    t.match(app.log.lines.find(({ level }) => level > 30), { level: 40, err: { code: 'FST_CHIRP_ID' }, msg: 'an event of channel "a" was not published' })
    t.same(dataOf((await client.sse('/', { lastEventId: 'X', maxEvents: 2 })).events), ['three', 'five'])
  })

  t.test('it may come again when the history no longer reaches back to it', async t => {
    const { channel, client } = await build(t, { history: 2 })
    for (let round = 0; round < 30; round++) {
      for (const id of ['one', 'two', 'three', 'four']) t.equal(await channel.publish(event(`${round}`, id)), id)
      await t.rejects(channel.publish(event('again', 'two')), { code: 'FST_CHIRP_ID' })
      await t.rejects(channel.publish(event('again', 'four')), { code: 'FST_CHIRP_ID' })
      t.same((await client.sse('/', { lastEventId: 'two', maxEvents: 2 })).events.map(({ id }) => id), ['three', 'four'])
    }
  })

  t.test('as many events as history promises are replayed after one, and none after the newest', async t => {
    for (const history of [0, 1, 3]) {
      const { channel, client } = await build(t, { history })
      await channel.publish(event('own', 'mine'))
      for (let n = 0; n < history; n++) await channel.publish(`after ${n}`)
      const stream = await client.open('/', { lastEventId: 'mine' })
      await turn()
      await channel.publish('live')
      const events = []
      while (events.at(-1) !== 'live') events.push((await stream.next()).data)
      t.same(events, [...Array.from({ length: history }, (_, n) => `after ${n}`), 'live'])
      stream.close()
      t.match((await client.sse('/', { lastEventId: 'mine', maxEvents: 1 })).events, [{ event: 'chirp:gap' }], 'and then it is too old')
    }
  })

  t.test('one that looks like a position of its channel is refused, like another it is an id', async t => {
    const { app, channel, client } = await build(t)
    const first = await channel.publish('first')
    const [epoch] = first.split('-')
    for (const id of [`${epoch}-5`, `${epoch}-x`, first]) {
      await t.rejects(channel.publish(event('x', id)), { code: 'FST_CHIRP_ID', message: /it reads like a position of this channel/ })
    }
    const foreign = await app.channel('b').publish('foreign')
    for (const id of ['order-4711', 'x-1~y-2', '~', foreign]) {
      t.equal(await channel.publish(event(id, id)), id)
      await channel.publish(`after ${id}`)
      t.same(dataOf((await client.sse('/', { lastEventId: id, maxEvents: 1 })).events), [`after ${id}`])
    }
    t.same(dataOf((await client.sse('/', { lastEventId: first, maxEvents: 1 })).events), ['order-4711'])
  })

  t.test('in debug no box takes the place of an event that is there already', async t => {
    const { channel, client } = await build(t, {}, { debug: true, templates: 'test/fixtures/hardening' })
    const first = await channel.publish('first')
    const fragment = () => new Fragment('block.html', 'item', { text: 'x' }, { id: 'mine' })
    await channel.publish(fragment())
    await t.rejects(channel.publish(fragment()), { code: 'FST_CHIRP_ID' })
    await channel.publish('last')
    t.same((await client.sse('/', { lastEventId: first, maxEvents: 2 })).events.map(({ id, data }) => id === 'mine' ? id : data), ['mine', 'last'])
  })

  t.test('a channel of values takes an id as often as it comes, and does not keep it', async t => {
    const { channel, client } = await build(t, { latest: true })
    for (const data of ['1', '2', '3']) t.equal(await channel.publish(new SSEEvent({ event: 'gauge', data, id: 'same' })), 'same')
    t.same((await client.sse('/', { lastEventId: 'same', maxEvents: 1 })).events, [{ event: 'gauge', data: '3', id: 'same' }])
  })
})

t.test('the id of a hidden event is as good as none', async t => {
  const { app, channel } = await build(t)
  await app.channel('b').publish('b')
  await channel.publish('first')
  await channel.publish(event('secret', 'order-4711'), { audience: 'bob' })
  await channel.publish('last')
  const ask = async (path, id) => {
    const socket = net.connect(await listen(app), '127.0.0.1')
    let text = ''
    socket.setEncoding('utf8').on('data', data => { text += data })
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nLast-Event-ID: ${id}\r\n\r\n`)
    await until(() => app.eventStreams.open === 1 && text.includes('id: '))
    await channel.publish('live')
    await until(() => text.includes('data: live'))
    socket.destroy()
    await until(() => app.eventStreams.open === 0)
    return text.slice(text.indexOf(': open')).replaceAll(id, 'ID').replaceAll(/-\d+/g, '-n')
  }
  for (const path of ['/', '/own?user=ann', '/own', '/own-merged?user=ann', '/merged']) {
    t.equal(await ask(path, 'order-4711'), await ask(path, 'order-4712'), path)
  }
  for (const path of ['/own?user=bob', '/own-merged?user=bob']) {
    await channel.publish(event('secret', `id of ${path}`), { audience: 'bob' })
    await channel.publish('seen')
    const { events } = await new TestClient(app).sse(path, { lastEventId: `id of ${path}`, maxEvents: 1 })
    t.same(dataOf(events), ['seen'], 'for those who may see it, it is a cursor')
  }
})

t.test('the id of a hidden event is asked of the filter of the stream, and what fails is the end of that stream', async t => {
  const { app, channel } = await build(t)
  const fails = { filter: () => { throw new Error('filter') } }
  app.get('/fails', (request, reply) => reply.eventStream(channel.subscribe(fails)))
  app.get('/fails-merged', (request, reply) => reply.eventStream(merge(channel.subscribe(fails), app.channel('b'))))
  await channel.publish(event('secret', 'secret'), { audience: 'bob' })
  for (const path of ['/fails', '/fails-merged']) {
    t.match((await new TestClient(app).sse(path, { lastEventId: 'secret' })).events, [{ event: 'chirp:error', data: 'Internal Server Error' }])
  }
  t.equal(app.eventStreams.errors, 2)
})

t.test('an event of one channel that is published in another keeps its audience', async t => {
  const { app, channel, client } = await build(t)
  const other = app.channel('b')
  app.get('/b', (request, reply) => reply.eventStream(other.subscribe({ filter: audience => audience === request.query.user })))
  const streams = await Promise.all(['ann', 'bob', ''].map(user => client.open(`/b?user=${user}`)))
  const iterator = channel.subscribe({ filter: () => true })[Symbol.asyncIterator]()
  channel.publish('for bob', { audience: 'bob' })
  const { value: entry } = await iterator.next()
  await other.publish(entry)
  await other.publish(entry, { audience: undefined })
  await other.publish(entry, { audience: 'ann' })
  await other.publish('for all')
  const read = async stream => {
    const values = []
    while (values.at(-1) !== 'for all') values.push((await stream.next()).data)
    return values
  }
  t.same(await Promise.all(streams.map(read)), [['for bob', 'for all'], ['for bob', 'for bob', 'for all'], ['for all']])
  await iterator.return()
})

t.test('a closed channel and a new one of its name have nothing in common', async t => {
  t.test('while a client still reads the replay of the old one', async t => {
    const { app, channel: old, client } = await build(t, {}, { writeTimeout: false, maxBuffer: 100e6 })
    const first = await old.publish('first')
    for (let n = 0; n < 200; n++) old.publish(`old ${n} ${'x'.repeat(100000)}`)
    const socket = net.connect(await listen(app), '127.0.0.1')
    let text = ''
    socket.setEncoding('utf8').on('data', data => { text += data })
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\nLast-Event-ID: ${first}\r\n\r\n`)
    await until(() => text !== '')
    socket.pause()
    await until(() => app.eventStreams.open === 1)
    old.close()
    const made = app.channel('a')
    for (let n = 0; n < 300; n++) await made.publish(`new ${n}`)
    for (const cursor of [first, first.replace(/\d+$/, '150')]) {
      const { events } = await client.sse('/', { lastEventId: cursor, maxEvents: 1 })
      t.match(events, [{ event: 'chirp:gap' }], 'an id of the old one is unknown to the new one')
    }
    socket.resume()
    await until(() => text.includes('\r\n0\r\n\r\n'))
    t.same(text.match(/data: \w+ \d+/g), Array.from({ length: 200 }, (_, n) => `data: old ${n}`), 'the old one is read to its end')
    t.notMatch(text, /new|chirp:gap/)
    socket.destroy()
  })

  t.test('what the old one kept is freed when nobody reads it any more', async t => {
    const { app } = await build(t)
    const before = heapUsed()
    for (let n = 0; n < 20; n++) {
      const channel = app.channel('a')
      for (let m = 0; m < 100; m++) await channel.publish('é'.repeat(20000) + m)
      channel.close()
    }
    t.ok(heapUsed() - before < 20e6)
  })

  t.test('in a merge the new one is a gap, and the other goes on', async t => {
    const { app, channel, client } = await build(t)
    const cursor = [await channel.publish('a1'), await app.channel('b').publish('b1')].join('~')
    channel.close()
    await app.channel('a').publish('new')
    await app.channel('b').publish('b2')
    const { events } = await client.sse('/merged', { lastEventId: cursor, maxEvents: 2 })
    t.match(events, [{ event: 'chirp:gap' }, { data: 'b2' }])
  })

  t.test('a merge with a channel that is closed goes on with the other', async t => {
    const { app, channel, client } = await build(t)
    const b1 = await app.channel('b').publish('b1')
    await app.channel('b').publish('b2')
    channel.close()
    app.get('/closed', (request, reply) => reply.eventStream(merge(channel, app.channel('b'))))
    const { events } = await client.sse('/closed', { lastEventId: b1, maxEvents: 1 })
    t.match(events, [{ data: 'b2' }])
  })
})
