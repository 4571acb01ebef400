// Many readers of a channel that get the same bytes: what each of them has of its own meanwhile.
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import chirp, { kAttach } from 'fastify-chirp'
import { buildApp, listen, until } from '../helpers/app.js'
import { buildChannel, dataOf, dial, get, take } from '../helpers/channel.js'
import { TestClient } from '../helpers/client.js'

/** The data of all events in what a socket got. */
const eventsIn = ({ text }) => [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => data)

const upTo = count => Array.from({ length: count }, (_, n) => `event ${n}`)

/** Publishes events one after the other, each in a tick of its own. */
async function publish (channel, count, from = 0, options) {
  for (let n = from; n < count; n++) {
    await channel.publish(`event ${n}`, options)
    await turn()
  }
}

async function follow (t, app, channel, count, path) {
  const size = channel.size
  const clients = []
  for (let n = 0; n < count; n++) clients.push(await dial(t, app, get(path)))
  await until(() => channel.size === size + count)
  return clients
}

t.test('events and bytes are counted for each stream and for all', async t => {
  const closed = []
  const { app, channel } = await buildChannel(t, { fastify: { logger: { stream: { write: line => { closed.push(JSON.parse(line)) } } } } })
  const early = await follow(t, app, channel, 3)
  await publish(channel, 5)
  const late = await follow(t, app, channel, 2)
  await publish(channel, 12, 5)
  await until(() => [...early, ...late].every(client => eventsIn(client).includes('event 11')))
  t.equal(app.eventStreams.events, 3 * 12 + 2 * 7)
  const bodies = [...early, ...late].map(({ text }) => text.slice(text.indexOf('\r\n\r\n') + 4).replace(/[0-9a-f]+\r\n([^\r]*)\r\n/g, '$1'))
  t.equal(app.eventStreams.bytes, bodies.join('').length)
  for (const { socket } of [...early, ...late]) socket.destroy()
  const lines = () => closed.filter(({ msg }) => msg === 'event stream closed')
  await until(() => lines().length === 5)
  t.same(lines().map(({ events }) => events).sort(), [12, 12, 12, 7, 7].sort())
  t.same(lines().map(({ bytes }) => bytes).sort(), bodies.map(({ length }) => length).sort())
  t.equal(channel.size, 0)
})

t.test('a client that does not read gets all of it later, and holds nobody back', async t => {
  const { app, channel } = await buildChannel(t, { plugin: { maxBuffer: 50_000_000 } })
  const [slow, ...others] = await follow(t, app, channel, 3)
  await publish(channel, 3)
  await until(() => eventsIn(slow).length === 3)
  slow.socket.pause()
  const padding = 'x'.repeat(100_000)
  for (let n = 3; n < 120; n++) {
    await channel.publish(`event ${n} ${padding}`)
    await turn()
  }
  const numbers = client => eventsIn(client).map(data => data.split(' ')[1])
  const wanted = Array.from({ length: 121 }, (_, n) => String(n))
  for (const client of others) await until(() => numbers(client).length === 120)
  t.ok(numbers(slow).length < 120, 'it has not read all')
  slow.socket.resume()
  await until(() => numbers(slow).length === 120)
  await channel.publish('event 120')
  for (const client of [slow, ...others]) {
    await until(() => numbers(client).length === 121)
    t.same(numbers(client), wanted)
  }
})

t.test('values: a client that does not read gets the newest one', async t => {
  const { app, channel } = await buildChannel(t, { options: { latest: true } })
  const [slow, other] = await follow(t, app, channel, 2)
  const padding = 'x'.repeat(200_000)
  const value = n => ({ event: 'a', data: `event ${n} ${padding}` })
  const show = async n => { await channel.publish(value(n).data); await turn() }
  for (let n = 0; n < 3; n++) await show(n)
  await until(() => eventsIn(slow).length === 3)
  slow.socket.pause()
  for (let n = 3; n < 120; n++) await show(n)
  await until(() => eventsIn(other).length === 120)
  slow.socket.resume()
  await until(() => eventsIn(slow).some(data => data.startsWith('event 119 ')))
  t.ok(eventsIn(slow).length < 120, 'it got fewer')
  await show(120)
  for (const client of [slow, other]) await until(() => eventsIn(client).at(-1)?.startsWith('event 120 '))
  const numbers = eventsIn(slow).map(data => Number(data.split(' ')[1]))
  t.same(numbers, [...new Set(numbers)].sort((a, b) => a - b), 'none twice, and in their order')
})

t.test('events for an audience between events for all', async t => {
  const { app, channel } = await buildChannel(t, {
    source: (channel, request) => channel.subscribe({ filter: audience => audience === request.query.who })
  })
  const [ada] = await follow(t, app, channel, 1, '/?who=ada')
  const [bob] = await follow(t, app, channel, 1, '/?who=bob')
  await publish(channel, 2)
  await publish(channel, 4, 2, { audience: 'ada' })
  await publish(channel, 6, 4)
  await publish(channel, 7, 6, { audience: 'bob' })
  await publish(channel, 8, 7)
  await until(() => [ada, bob].every(client => eventsIn(client).includes('event 7')))
  t.same(eventsIn(ada), upTo(8).filter(data => data !== 'event 6'))
  t.same(eventsIn(bob), upTo(8).filter(data => data !== 'event 2' && data !== 'event 3'))
})

t.test('a heartbeat between events brings no cursor that the client has', async t => {
  const { app, channel } = await buildChannel(t, { plugin: { heartbeat: 1000 } })
  const [client] = await follow(t, app, channel, 1)
  await publish(channel, 3)
  await until(() => client.text.includes('\r\n:\n\r\n'))
  await publish(channel, 6, 3)
  await until(() => eventsIn(client).length === 6)
  t.same(eventsIn(client), upTo(6))
  t.notMatch(client.text, /\nid: [^\n]*\n\n.*data/, 'an id by itself')
})

t.test('a stream that goes on by other means is left alone', async t => {
  const { app, channel } = await buildChannel(t)
  const replies = []
  app.get('/mine', (request, reply) => {
    replies.push(reply.raw)
    return reply.eventStream(channel)
  })
  const [other] = await follow(t, app, channel, 1)
  const [ended, destroyed] = await follow(t, app, channel, 2, '/mine')
  await publish(channel, 3)
  await until(() => [ended, destroyed].every(client => eventsIn(client).length === 3))
  const [first, second] = replies
  first.end()
  second.destroy()
  await channel.publish('event 3')
  await channel.publish('event 4')
  await until(() => destroyed.ended && eventsIn(other).length === 5 && channel.size === 1)
  t.match(ended.text, /data: event 2\n\n\r\n0\r\n\r\n$/, 'nothing comes behind the end')
  t.same(eventsIn(destroyed), upTo(3))
  t.same(eventsIn(other), upTo(5))
})

t.test('code of the app that closes the channel while its sockets are written to', async t => {
  const { app, channel } = await buildChannel(t)
  let close = () => {}
  app.server.on('connection', socket => {
    const { write } = socket
    socket.write = function (data, ...rest) {
      const result = write.call(this, data, ...rest)
      close()
      return result
    }
  })
  const clients = await follow(t, app, channel, 3)
  await publish(channel, 3)
  await until(() => clients.every(client => eventsIn(client).length === 3))
  close = () => {
    close = () => {}
    channel.close()
  }
  await channel.publish('event 3')
  await until(() => app.eventStreams.open === 0)
  for (const client of clients) {
    await until(() => /0\r\n\r\n$/.test(client.text))
    t.same(eventsIn(client).slice(0, 3), upTo(3))
    t.equal(client.text.split('0\r\n\r\n').length, 2, 'one end, and nothing behind it')
  }
})

t.test('a socket whose write() throws ends its own stream', async t => {
  const { app, channel } = await buildChannel(t)
  let broken
  app.server.on('connection', socket => {
    const { write } = socket
    socket.write = function (data, ...rest) {
      if (this === broken && String(data).includes('event 3')) throw new Error('no')
      return write.call(this, data, ...rest)
    }
    broken ??= socket
  })
  const [first, ...others] = await follow(t, app, channel, 3)
  await publish(channel, 6)
  for (const client of others) await until(() => eventsIn(client).length === 6)
  for (const client of others) t.same(eventsIn(client), upTo(6))
  await until(() => /0\r\n\r\n$/.test(first.text))
  t.same(eventsIn(first), [...upTo(3), 'Internal Server Error'])
  t.match(app.log.lines.filter(({ level }) => level === 50), [{ err: { message: 'no' }, msg: 'the source of an event stream failed' }])
  t.equal(app.eventStreams.events, 3 + 6 * 2)
  t.equal(channel.size, 2)
})

for (const options of [{}, { latest: true }, { latest: true, every: 20 }]) {
  t.test(`a filter that closes its channel, with ${JSON.stringify(options)}: all have the event first`, async t => {
    let close = () => {}
    const { app, channel } = await buildChannel(t, { options, source: channel => channel.subscribe({ filter: () => { close(); return true } }) })
    const clients = await follow(t, app, channel, 3)
    await channel.publish('event 0')
    await until(() => clients.every(client => eventsIn(client).length === 1))
    close = () => { channel.close() }
    await channel.publish('event 1', { audience: 'all' })
    await until(() => app.eventStreams.open === 0)
    for (const client of clients) {
      await until(() => /0\r\n\r\n$/.test(client.text))
      t.same(eventsIn(client), upTo(2))
    }
    t.equal(channel.size, 0)
  })
}

t.test('an outlet of the app in front of a stream sees every event', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a')
  const seen = []
  app.get('/', (request, reply) => reply.eventStream({
    [kAttach] (outlet, lastEventId) {
      const watching = new Proxy(outlet, {
        get (outlet, key) {
          const value = Reflect.get(outlet, key)
          if (typeof value !== 'function') return value
          return (...args) => {
            if (key === 'share') seen.push(args[1])
            return value.apply(outlet, args)
          }
        }
      })
      return channel[kAttach](watching, lastEventId)
    }
  }))
  const stream = await new TestClient(app).open('/')
  await until(() => channel.size === 1)
  await publish(channel, 4)
  t.same(dataOf(await take(stream, 4)), upTo(4))
  t.same(seen, [1, 1, 1, 1])
  stream.close()
})

t.test('streams of two registrations of the plugin follow one channel', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a')
  app.get('/', (request, reply) => reply.eventStream(channel))
  const others = []
  await app.register(async scope => {
    await scope.register(chirp, { retry: false })
    others.push(scope)
    scope.get('/scope', (request, reply) => reply.eventStream(channel))
  })
  await listen(app)
  const [one] = await follow(t, app, channel, 1)
  const [two] = await follow(t, app, channel, 1, '/scope')
  await publish(channel, 4)
  await until(() => [one, two].every(client => eventsIn(client).length === 4))
  t.equal(app.eventStreams.events, 4)
  t.equal(others[0].eventStreams.events, 4)
})
