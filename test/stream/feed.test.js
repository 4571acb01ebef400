// Feeds that others write, and merges that take anything that is one.
import { kAttach, merge, SSEEvent } from 'fastify-chirp'
import t from 'tap'
import { buildApp, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

const shown = ({ events }) => events.map(({ event, data, id }) => [event, data, id])

/** A list that grows, as somebody else would write it against the public interface. Position n is the nth event. */
class Log {
  entries = []
  attached = new Set()
  constructor (epoch) { this.epoch = epoch }
  position (n) { return `${this.epoch}-${n}` }

  add (data) {
    this.entries.push(data)
    for (const reader of this.attached) this.send(reader, this.entries.length)
  }

  send ({ outlet }, n) {
    const position = this.position(n)
    outlet.ids?.note(position)
    outlet.send(outlet.encode(new SSEEvent({ data: this.entries[n - 1], id: outlet.ids === undefined ? position : outlet.ids.of(position) })), 1)
  }

  locate (cursor) {
    const n = Number(cursor.slice(this.epoch.length + 1))
    const isKnown = cursor.startsWith(`${this.epoch}-`) && n <= this.entries.length
    return { from: isKnown ? cursor : undefined, last: this.position(this.entries.length) }
  }

  [kAttach] (outlet, lastEventId) {
    const reader = { outlet }
    this.attached.add(reader)
    if (lastEventId === '') {
      const position = this.position(this.entries.length)
      if (outlet.ids?.noteStart(position) !== false) outlet.send(outlet.encode(new SSEEvent({ id: outlet.ids?.of(position) ?? position })), 0)
    } else {
      for (let n = Number(lastEventId.slice(this.epoch.length + 1)); n < this.entries.length;) this.send(reader, ++n)
    }
    return { detach: () => { this.attached.delete(reader) } }
  }
}

t.test('a feed of somebody else is streamed, goes on after a cursor, and is detached', async t => {
  const app = await buildApp(t)
  const log = new Log('log')
  log.add('a')
  log.add('b')
  app.get('/', { referenced: true }, () => log)
  const client = new TestClient(app)
  t.same(shown(await client.sse('/', { lastEventId: 'log-1', maxEvents: 1 })), [[undefined, 'b', 'log-2']])
  const stream = await client.open('/')
  log.add('c')
  t.match(await stream.next(), { data: 'c', id: 'log-3' })
  stream.close()
  await until(() => log.attached.size === 0)
})

t.test('a feed of somebody else has a place in the ids of a merge', async t => {
  const app = await buildApp(t)
  const log = new Log('log')
  const channel = app.channel('a')
  app.get('/', (request, reply) => reply.eventStream(merge(log, channel)))
  const client = new TestClient(app)
  const stream = await client.open('/')
  await until(() => stream.lastEventId !== '')
  stream.close()
  log.add('l1')
  const a1 = await channel.publish('a1')
  const { events } = await client.sse('/', { lastEventId: stream.lastEventId, maxEvents: 2 })
  t.same(events.map(({ data }) => data).sort(), ['a1', 'l1'])
  t.equal(events.at(-1).id, `log-1~${a1}`)
})

t.test('a merge of merges is that of all their parts, with one cursor', async t => {
  const app = await buildApp(t)
  const [a, b, c] = ['a', 'b', 'c'].map(name => app.channel(name))
  app.get('/nested', (request, reply) => reply.eventStream(merge(merge(a, merge(b, ['pulled'])), c)))
  app.get('/flat', (request, reply) => reply.eventStream(merge(a, b, c)))
  const client = new TestClient(app)
  const stream = await client.open('/nested')
  await until(() => stream.lastEventId !== '')
  stream.close()
  t.equal(stream.lastEventId.split('~').length, 3)
  const ids = []
  for (const channel of [a, b, c]) ids.push(await channel.publish(`of ${channel.name}`))
  const flat = shown(await client.sse('/flat', { lastEventId: stream.lastEventId, maxEvents: 3 }))
  t.equal(flat.at(-1)[2], ids.join('~'))
  const nested = await client.sse('/nested', { lastEventId: stream.lastEventId, maxEvents: 4 })
  t.same(shown(nested).filter(([, data]) => data !== 'pulled'), flat)
})

t.test('a feed that cannot be found is sent in a merge without its ids', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a')
  const feed = {
    [kAttach] (outlet, lastEventId) {
      outlet.send(outlet.encode(new SSEEvent({ data: `after ${JSON.stringify(lastEventId)} ${outlet.ids !== undefined}`, id: 'mine' })), 1)
      return { detach () {} }
    }
  }
  app.get('/', (request, reply) => reply.eventStream(merge(channel, feed)))
  app.get('/alone', (request, reply) => reply.eventStream(merge(feed, [])))
  const around = { [kAttach]: (outlet, lastEventId) => merge(channel, feed)[kAttach](outlet, lastEventId) }
  app.get('/around', (request, reply) => reply.eventStream(merge(app.channel('b'), around)))
  const client = new TestClient(app)
  t.match((await client.sse('/', { maxEvents: 1 })).events[0].data, 'after "" true')
  t.match((await client.sse('/alone', { lastEventId: 'x', maxEvents: 1 })).events, [{ data: 'after "x" false', id: 'mine' }])
  const { events: [first] } = await client.sse('/around', { maxEvents: 1 })
  t.equal(first.data, 'after "" true')
  t.not(first.id, 'mine')
})

t.test('a feed that throws, or gives nothing to detach, fails its own stream', async t => {
  const app = await buildApp(t)
  const client = new TestClient(app)
  const feeds = {
    throws: { [kAttach] () { throw new Error('no') } },
    gives: { [kAttach] () {} }
  }
  app.get('/:name', (request, reply) => reply.eventStream(feeds[request.params.name]))
  for (const name of Object.keys(feeds)) t.same((await client.sse(`/${name}`)).events.map(({ event }) => event), ['chirp:error'])
  t.match(app.log.lines.filter(({ err }) => err).map(({ err }) => err.message), ['no', /detach/])
})

const FAILING = {
  throws: [() => { throw new Error('in detach') }, () => { throw new Error('in discard') }],
  'rejects with': [async () => { throw new Error('in detach') }, async () => { throw new Error('in discard') }]
}

for (const [how, [detach, discard]] of Object.entries(FAILING)) {
  t.test(`what a feed ${how} while it is detached or discarded is logged, and keeps no other`, async t => {
    const app = await buildApp(t)
    let detached = 0
    const bad = { [kAttach]: () => ({ detach }), discard }
    const good = { [kAttach]: () => ({ detach () { detached++ } }) }
    app.get('/', (request, reply) => reply.eventStream(bad))
    app.get('/merged', (request, reply) => reply.eventStream(merge(bad, good)))
    const client = new TestClient(app)
    for (const url of ['/', '/merged']) {
      const stream = await client.open(url)
      stream.close()
      await until(() => app.eventStreams.open === 0)
    }
    t.equal(detached, 1)
    await until(() => app.eventStreams.errors === 2)
    t.equal((await app.inject({ method: 'HEAD', url: '/' })).statusCode, 200)
    t.equal((await app.inject({ method: 'HEAD', url: '/merged' })).statusCode, 200)
  })
}

t.test('a heartbeat tells the cursor of a feed; one that cannot be told is logged', async t => {
  const app = await buildApp(t, { heartbeat: 1000 })
  let cursor = () => 'here'
  app.get('/', (request, reply) => reply.eventStream({ [kAttach]: () => ({ cursor: () => cursor(), detach () {} }) }))
  const client = new TestClient(app)
  const stream = await client.open('/')
  await until(() => stream.lastEventId === 'here')
  cursor = () => 'a\nb'
  await until(() => app.eventStreams.errors > 0)
  stream.close()
  t.equal(stream.lastEventId, 'here')
})
