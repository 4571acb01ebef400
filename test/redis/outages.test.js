// A Redis that goes away, freezes, forgets or refuses: streams stay open, what is lost is a gap, and the log says it once.
import { Redis } from 'ioredis'
import t from 'tap'
import { SSEEvent } from 'fastify-chirp'
import { buildApp, quiet, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { buildCrowd, comeAndGo, gapsOf, publish, settle } from '../helpers/crowd.js'
import { startProxy } from '../helpers/proxy.js'
import { engineOn, startRedis } from '../helpers/redis.js'

t.setTimeout(120000)

/** An app with one channel and a stream of it that is open. */
async function build (t, server, options) {
  const engine = engineOn(server, { commandTimeout: 1000, ...options })
  const app = await buildApp(t, { engine, shutdownGrace: 0 })
  const channel = app.channel('news')
  app.get('/', (request, reply) => reply.eventStream(channel))
  await app.ready()
  const client = new TestClient(app)
  const stream = await client.open('/')
  await until(() => stream.lastEventId !== '')
  return { engine, app, channel, client, stream }
}

const linesOf = (app, message) => app.log.lines.filter(({ msg }) => msg.includes(message)).length

t.test('away and back with its data: streams stay open, nothing is lost, and the log says it once', async t => {
  const server = await startRedis(t, '--appendonly', 'yes', '--appendfsync', 'always')
  const { engine, app, channel, client, stream } = await build(t, server)
  const other = await build(t, server, { prefix: 'x:' })
  t.equal(engine.ready, true)
  const first = await channel.publish('one')
  t.equal((await stream.next()).data, 'one')
  await server.kill()
  await until(() => !engine.ready)
  for (let n = 0; n < 20; n++) await t.rejects(channel.publish('lost'), { code: 'FST_CHIRP_ENGINE', message: /out of reach|closed|ended/ })
  t.equal(linesOf(app, 'out of reach'), 1)
  t.match(app.log.lines.find(({ msg }) => msg.includes('out of reach')).err.message, /failed in operation: Redis \(127\.0\.0\.1:\d+\) is out of reach/)
  t.equal(linesOf(app, 'was not published'), 0)
  t.ok(app.eventStreams.errors >= 20, 'each is counted')
  const late = await client.open('/', { lastEventId: first })
  await server.start()
  await until(() => engine.ready)
  await channel.publish('two')
  t.equal((await stream.next()).data, 'two')
  t.equal((await late.next()).data, 'two')
  t.equal(linesOf(app, 'works again'), 1)
  await until(() => other.engine.ready)
  await other.channel.publish('elsewhere')
  t.equal((await other.stream.next()).data, 'elsewhere')
  t.same(await stream.next(50), undefined)
})

t.test('a restart without data is a gap, told at once, and what comes then is whole', async t => {
  const server = await startRedis(t)
  const crowd = await buildCrowd(t, server, { channels: ['a', 'b'] })
  const publishers = crowd.apps.map((app, n) => publish(crowd, app, 'a', `p${n}`))
  const restless = comeAndGo(crowd)
  await until(() => crowd.published.get('a').length > 20)
  for (let round = 0; round < 2; round++) {
    await crowd.apps[1].channel('b').publish('something')
    await server.restart()
    await until(() => crowd.clients.every(({ name, client, isRestless }) => name === 'a' || isRestless || client.events.filter(({ event }) => event === 'chirp:gap').length > round), 'a gap, also where nothing is published')
    const length = crowd.published.get('a').length
    await until(() => crowd.published.get('a').length > length + 20)
  }
  crowd.isOver = true
  await Promise.all([...publishers, restless])
  t.same((await settle(crowd)).filter(problem => !problem.includes('something')), [])
  t.ok(gapsOf(crowd) > 0)
})

t.test('a server that is frozen is out of reach, and nothing is lost when it goes on', async t => {
  const server = await startRedis(t)
  const crowd = await buildCrowd(t, server, { channels: ['a'] })
  const publishers = crowd.apps.map((app, n) => publish(crowd, app, 'a', `p${n}`, 3))
  await until(() => crowd.published.get('a').length > 20)
  server.signal('SIGSTOP')
  t.teardown(() => server.signal('SIGCONT'))
  const started = Date.now()
  await until(() => crowd.apps.every(app => linesOf(app, 'out of reach') > 0))
  await quiet(Math.max(0, 5000 - (Date.now() - started)))
  server.signal('SIGCONT')
  const { length } = crowd.published.get('a')
  await until(() => crowd.published.get('a').length > length + 20)
  crowd.isOver = true
  t.ok((await Promise.all(publishers)).every(rejected => rejected > 0), 'publications were rejected meanwhile')
  t.same(await settle(crowd), [])
  t.equal(gapsOf(crowd), 0)
})

t.test('a failover to a replica that lacks the last writes is a gap', async t => {
  const primary = await startRedis(t)
  const replica = await startRedis(t, '--replicaof', '127.0.0.1', primary.port, '--repl-diskless-sync-delay', 0)
  const proxy = await startProxy(t, primary.port)
  const { engine, channel, stream } = await build(t, proxy)
  const admin = replica.client()
  await until(() => admin.status === 'ready')
  const wait = async condition => { while (!condition(await admin.info('replication'))) await quiet(10) }
  await wait(info => info.includes('master_link_status:up'))
  await channel.publish(new SSEEvent({ data: 'kept', id: 'kept' }))
  t.equal((await stream.next()).data, 'kept')
  const offset = info => Number(/slave_repl_offset:(\d+)/.exec(info)[1])
  const before = primary.client()
  await until(() => before.status === 'ready')
  const { 1: written } = /master_repl_offset:(\d+)/.exec(await before.info('replication'))
  await wait(info => offset(info) >= Number(written))
  await admin.replicaof('NO', 'ONE')
  const lost = await channel.publish('lost with the primary')
  t.equal((await stream.next()).data, 'lost with the primary')
  await primary.kill()
  proxy.target = replica.port
  proxy.cut()
  await until(() => engine.ready)
  const gap = await stream.next()
  t.equal(gap.event, 'chirp:gap')
  t.match(JSON.parse(gap.data), { requested: lost })
  await t.rejects(channel.publish(new SSEEvent({ data: 'again', id: 'kept' })), { code: 'FST_CHIRP_ID' }, 'the replica knows the ids of what it has')
  await channel.publish('new')
  t.equal((await stream.next()).data, 'new')
})

t.test('a script flush is not noticed, and order is kept', async t => {
  const server = await startRedis(t)
  const { channel, stream } = await build(t, server)
  const admin = server.client()
  await until(() => admin.status === 'ready')
  const data = []
  for (let round = 0; round < 20; round++) {
    const flushed = admin.script('FLUSH')
    const published = []
    for (let n = 0; n < 10; n++) {
      data.push(`${round}.${n}`)
      published.push(channel.publish(data.at(-1)))
      if (n % 3 === 0) await new Promise(setImmediate)
    }
    await Promise.all([flushed, ...published])
  }
  for (const wanted of data) t.equal((await stream.next()).data, wanted)
})

t.test('a Redis that is out of memory rejects, keeps what it has, and streams go on', async t => {
  const server = await startRedis(t)
  const { app, channel, client, stream } = await build(t, server)
  const admin = server.client()
  await until(() => admin.status === 'ready')
  const first = await channel.publish(new SSEEvent({ data: 'one', id: 'one' }))
  await channel.publish('two')
  await admin.config('SET', 'maxmemory', 1)
  for (let n = 0; n < 5; n++) await t.rejects(channel.publish(new SSEEvent({ data: 'no room', id: 'three' })), { code: 'FST_CHIRP_ENGINE', message: /OOM/ })
  t.equal(linesOf(app, 'was not published'), 1, 'the log says it once')
  t.equal((await client.sse('/', { lastEventId: first, maxEvents: 1 })).events[0].data, 'two')
  await admin.config('SET', 'maxmemory', 0)
  await channel.publish(new SSEEvent({ data: 'three', id: 'three' }))
  for (const data of ['one', 'two', 'three']) t.equal((await stream.next()).data, data)
  t.same(await stream.next(50), undefined)
})

t.test('publications wait in the offline queue, in order, and no more than it holds', async t => {
  const server = await startRedis(t, '--appendonly', 'yes')
  const { engine, channel, stream } = await build(t, server, { offlineQueue: 3 })
  await server.kill()
  await until(() => !engine.ready)
  const waiting = ['a', 'b', 'c'].map(data => channel.publish(data))
  await t.rejects(channel.publish('too many'), { code: 'FST_CHIRP_ENGINE' })
  await server.start()
  t.equal((await Promise.all(waiting)).length, 3)
  for (const data of ['a', 'b', 'c']) t.equal((await stream.next()).data, data)
})

t.test('a connection that closes and does not say so yet: what it has not sent waits', async t => {
  const server = await startRedis(t, '--appendonly', 'yes')
  const { channel, stream } = await build(t, server, { offlineQueue: 1 })
  const { sendCommand } = Redis.prototype
  t.teardown(() => { Redis.prototype.sendCommand = sendCommand })
  let isClosing = true
  Redis.prototype.sendCommand = function (command, ...rest) {
    if (!isClosing || !command.name.startsWith('eval')) return sendCommand.call(this, command, ...rest)
    isClosing = false
    command.reject(new Error("Stream isn't writeable and enableOfflineQueue options is false"))
    return command.promise
  }
  const published = channel.publish('waits')
  await until(() => !isClosing)
  await server.restart()
  await published
  t.equal((await stream.next()).data, 'waits')
})
