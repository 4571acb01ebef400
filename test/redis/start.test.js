// How an app starts and closes with Redis, and what redisEngine() takes.
import { once } from 'node:events'
import t from 'tap'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import chirp from 'fastify-chirp'
import { redisEngine } from 'fastify-chirp/redis'
import { buildApp, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { startRedis } from '../helpers/redis.js'

// Nothing listens there.
const NOWHERE = 'redis://127.0.0.1:1'

t.test('what is no option is refused, and says what is wanted', t => {
  for (const [options, message] of [
    [{}, /either "client"/], [{ url: NOWHERE, client: {} }, /either "client"/], [undefined, /must be an object/], [{ url: 'localhost' }, /redis:\/\/localhost/],
    [{ url: 7 }, /not 7/], [{ client: {} }, /a client or a cluster/], [{ client: null }, /a client or a cluster/], [{ url: NOWHERE, prefix: '{a}' }, /without braces/],
    [{ url: NOWHERE, lazy: 1 }, /true or false/], [{ url: NOWHERE, idle: 5 }, /"idle"/], [{ url: NOWHERE, offlineQueue: -1 }, /"offlineQueue"/],
    [{ url: NOWHERE, commandTimeOut: 5 }, /Did you mean "commandTimeout"/]
  ]) t.throws(() => redisEngine(options), { code: 'FST_CHIRP_OPTION', message })
  t.end()
})

t.test('an app does not start without Redis, says so in time, and lets the process end', async t => {
  const app = Fastify()
  await app.register(chirp, { engine: redisEngine({ url: NOWHERE, connectTimeout: 200 }) })
  const error = await app.ready().then(() => undefined, error => error)
  t.match(error, { code: 'FST_CHIRP_ENGINE', message: /Redis \(127\.0\.0\.1:1\) is out of reach: .*ECONNREFUSED/ })
  await app.close()
})

t.test('a lazy one starts, rejects meanwhile, and works when Redis is there', async t => {
  const server = await startRedis(t)
  await server.kill()
  const engine = redisEngine({ url: server.url, lazy: true, commandTimeout: 300, idle: false, offlineQueue: false })
  const app = await buildApp(t, { engine })
  app.get('/', (request, reply) => reply.eventStream(app.channel('a')))
  await app.ready()
  await until(() => app.log.lines.some(({ msg }) => msg === 'the engine of the channels is out of reach'))
  t.equal(engine.ready, false)
  await t.rejects(app.channel('a').publish('x'), { code: 'FST_CHIRP_ENGINE' })
  const { events } = await new TestClient(app).sse('/', { maxEvents: 1 })
  t.equal(events[0].event, 'chirp:error')
  await server.start()
  await until(() => engine.ready)
  const stream = await new TestClient(app).open('/')
  await until(() => stream.lastEventId !== '')
  await app.channel('a').publish('x')
  t.equal((await stream.next()).data, 'x')
  stream.close()
})

t.test("the app's client is left alone, with its prefix and database; close() ends what the engine has made", async t => {
  const server = await startRedis(t)
  const client = server.client({ keyPrefix: 'app:', db: 2 })
  const other = server.client()
  await Promise.all([once(client, 'ready'), once(other, 'ready')])
  const engine = redisEngine({ client })
  const apps = [await buildApp(t, { engine }), await buildApp(t, { engine })]
  for (const app of apps) await app.ready()
  await apps[0].channel('a{b}').publish('x')
  t.same((await other.select(2), await other.keys('*{a*')).sort(), ['app:chirp:{a%7b.b%7d.}', 'app:chirp:{a%7b.b%7d.}:log'])
  const connections = async () => (await other.client('LIST')).trim().split('\n').length
  t.equal(await connections(), 4)
  await apps[0].close()
  t.equal(engine.ready, true, 'another registration has it')
  await apps[1].close()
  while (await connections() > 2) await new Promise(resolve => setTimeout(resolve, 10))
  t.equal(await client.ping(), 'PONG')
  await t.rejects(engine.publish('a', { record: { data: 'x' }, history: 1 }), /closed/)
  await t.rejects(engine.read('b', '', 1), /closed/)
})

t.test('an event that is too large is refused, and the next one is not', async t => {
  const server = await startRedis(t)
  const app = await buildApp(t, { engine: redisEngine({ url: server.url, maxEventBytes: 100 }) })
  const channel = app.channel('a')
  await t.rejects(channel.publish('x'.repeat(200)), { code: 'FST_CHIRP_ENGINE', message: /maxEventBytes/ })
  await channel.publish('x')
})

t.test('a user who may not subscribe is told so', async t => {
  const server = await startRedis(t)
  const admin = server.client()
  await admin.acl('SETUSER', 'app', 'on', '>secret', '~chirp:*', '&other:*', '+@all')
  const engine = redisEngine({ url: server.url.replace('//', '//app:secret@'), connectTimeout: 300 })
  const app = Fastify()
  await app.register(chirp, { engine })
  const error = await app.ready().then(() => undefined, error => error)
  t.match(error, { code: 'FST_CHIRP_ENGINE', message: /NOPERM/ })
  await app.close()
})

t.test('the rights that docs/operate/scaling.md names are enough', async t => {
  const server = await startRedis(t)
  const admin = server.client()
  const { readFileSync } = await import('node:fs')
  const [, rights] = /ACL SETUSER app (.*)/.exec(readFileSync(new URL('../../docs/operate/scaling.md', import.meta.url), 'utf8'))
  await admin.acl('SETUSER', 'app', ...rights.split(' '))
  const app = await buildApp(t, { engine: redisEngine({ client: new Redis(server.url.replace('//', '//app:secret@'), { lazyConnect: true }) }) })
  app.get('/', (request, reply) => reply.eventStream(app.channel('a', { ttl: 60000 })))
  app.get('/values', (request, reply) => reply.eventStream(app.channel('values', { latest: true })))
  await app.ready()
  const client = new TestClient(app)
  for (const [path, name] of [['/', 'a'], ['/values', 'values']]) {
    const stream = await client.open(path)
    if (name === 'a') await until(() => stream.lastEventId !== '')
    else await until(() => app.channel(name).size === 1)
    await app.channel(name).publish('x')
    t.equal((await stream.next()).data, 'x')
    stream.close()
  }
  await app.channel('values').remove('x')
  t.same(await admin.acl('LOG'), [])
})
