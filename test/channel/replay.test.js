// What those get who come back, and the newest of each name for those who come.
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Fragment, SSEEvent } from 'fastify-chirp'
import { buildApp, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { buildChannel, dataOf, dial, environment, get, take } from '../helpers/channel.js'

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

  t.test('a reader that comes without a cursor is told where it starts, so that nothing is lost before its first event', async t => {
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

  t.test('a reader that comes between a publication and its delivery gets it once', async t => {
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

  t.test('a reader that comes gets the newest of each name, in the order in which they came', async t => {
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
