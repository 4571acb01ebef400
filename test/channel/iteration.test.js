// A subscription as something to iterate.
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { SSEEvent } from 'fastify-chirp'
import { buildApp, until } from '../helpers/app.js'
import { buildChannel, dataOf, POSITION, take } from '../helpers/channel.js'

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

  t.test('a reader that falls more than maxBuffer behind gets what came, and then an error', async t => {
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
