// Parts of the Redis engine at the moments that a real server does not show on demand.
import { EventEmitter } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { Cluster, Redis } from 'ioredis'
import { clientsOf } from '../../dist/redis/clients.js'
import { keysOf } from '../../dist/redis/keys.js'
import { Link } from '../../dist/redis/link.js'
import { OfflineQueue } from '../../dist/redis/queue.js'
import { Subscriptions } from '../../dist/redis/subscriptions.js'
import { Tail, Tails } from '../../dist/redis/tail.js'
import { toEvent, toTold } from '../../dist/redis/wire.js'
import { redisEngine } from 'fastify-chirp/redis'
import { until } from '../helpers/app.js'
import { engineOn, startRedis } from '../helpers/redis.js'

const event = (n, previous = n - 1, record = { data: String(n) }) => ({ position: `e-${n}.0`, previous: `e-${previous}.0`, record })

t.test('names of topics are told apart, and stay in one slot', t => {
  const names = ['', '%', '{', '}', '{}', '\ud800', '\ud801', 'a', '%7b.'].map(topic => keysOf('p:', 0, topic).keys[1])
  t.equal(new Set(names).size, names.length)
  for (const name of names) t.match(name, /^p:\{[^{}]+\}:log$/)
  t.not(keysOf('p:', 1, 'a').channel, keysOf('p:', 0, 'a').channel)
  t.end()
})

t.test('what others write is no event, or one without a record', t => {
  t.equal(toTold('nonsense'), undefined)
  t.equal(toTold('a b\nc'), undefined)
  for (const body of ['', '{', 'null', '7', '[]']) t.equal(toEvent('e', '1-0', '0-0', body).record, undefined)
  t.end()
})

t.test('the settings of a client are known', async t => {
  const settings = { commandTimeout: 1, connectTimeout: 1 }
  const address = options => {
    const client = new Redis({ lazyConnect: true, ...options })
    return clientsOf({ ...settings, client }).address
  }
  t.equal(address({ path: '/tmp/x.sock' }), '/tmp/x.sock')
  t.equal(address({ sentinels: [{ host: 'a', port: 1 }], name: 'm' }), 'its sentinels')
  for (const options of [{ keyPrefix: 'a:' }, { redisOptions: { keyPrefix: 'a:' } }]) {
    const clients = clientsOf({ ...settings, client: new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true, ...options }) })
    t.equal(clients.keyPrefix, 'a:')
    t.throws(() => clients.subscriber(undefined), /no node/)
  }
  const { keyPrefix, commands } = clientsOf({ ...settings, client: new Cluster([{ host: '127.0.0.1', port: 1 }], { lazyConnect: true }) })
  t.equal(keyPrefix, '')
  const made = commands()
  t.equal(made.options.retryDelayOnFailover, 0, 'nothing is sent twice')
  t.equal(made.options.clusterRetryStrategy(), null, 'the engine comes back by itself')
  t.equal(clientsOf({ ...settings, client: { isCluster: true, options: { redisOptions: { keyPrefix: 'a:' } } } }).keyPrefix, 'a:', 'of a cluster that leaves it there')
  const redis = clientsOf({ ...settings, url: 'redis://127.0.0.1:1' }).commands()
  t.equal(redis.options.reconnectOnError(new Error('READONLY You cannot write')), true)
  t.equal(redis.options.reconnectOnError(new Error('OOM')), false)
})

t.test('a client that cannot be made is tried again', async t => {
  let tries = 0
  const errors = []
  const link = new Link({ create () { tries++; throw tries === 1 ? new Error('one') : 'two' }, up () {}, down: error => errors.push(error.message), timeout: 1000 })
  link.restart(new Error('nothing to give up'))
  link.open()
  await until(() => tries > 1)
  link.close()
  t.same(errors.slice(0, 2), ['one', 'two'])
})

t.test('a connection that does not answer, or fails when it is prepared, is given up', async t => {
  const clients = []
  const create = () => {
    const client = Object.assign(new EventEmitter(), { connect: async () => {}, disconnect () { this.isOver = true } })
    clients.push(client)
    return client
  }
  let isSlow = true
  const link = new Link({ create, prepare: () => isSlow ? wait(100) : Promise.reject(new Error('refused')), up () { t.fail('it is not up') }, down () {}, timeout: 20 })
  link.open()
  clients[0].emit('ready')
  await until(() => clients.length === 2)
  t.match(link.error, /20 ms/)
  await wait(120)
  isSlow = false
  const { length } = clients
  clients.at(-1).emit('ready')
  await until(() => clients.length > length)
  // Old ones have nothing to say.
  clients[0].emit('error', new Error('old'))
  clients[0].emit('end')
  link.close()
  t.ok(clients.every(({ isOver }) => isOver))
})

t.test('what waits for Redis is refused when the engine closes', async t => {
  const queue = new OfflineQueue(1)
  const waiting = [queue.push(async () => 1, undefined), queue.push(async () => 2, undefined)]
  queue.trim(new Error('too many'))
  queue.refuse(new Error('closed'))
  t.same((await Promise.allSettled(waiting)).map(({ reason }) => reason.message), ['closed', 'too many'])
})

t.test('tails share a budget: those that were not used for long go first', t => {
  const tails = new Tails(100)
  const [a, b] = [new Tail(tails, 'e-0.0'), new Tail(tails, 'e-0.0')]
  a.push(event(1), 40, 10)
  b.push(event(1, 0, { id: 'own' }), 40, 10)
  a.read('e-0.0', 1)
  a.push(event(2), 40, 10)
  t.ok(b.isEmpty)
  t.equal(b.read('own', 1).from, 'e-1.0', 'the id of the last one is known')
  t.equal(a.read('e-0.0', 5).entries.length, 2)
  a.push(event(3), 1000, 10)
  t.ok(a.isEmpty, 'one alone may be too much')
  t.end()
})

t.test('a tail that has taken over what was read knows the id that it was read by', t => {
  const tail = new Tail(new Tails(100), 'e-2.0')
  tail.push(event(3), 1, 10)
  const page = tail.prepend('own', { from: 'e-1.0', entries: [event(2), event(3), event(4)], last: 'e-4.0', audience: 'me' }, [1, 1, 1])
  t.equal(page.entries.length, 3, 'also what it has not heard yet')
  const { from, entries, audience } = tail.read('own', 10)
  t.same([from, entries.length, audience], ['e-1.0', 2, 'me'])
  t.equal(tail.read('e-1.0', 10).audience, undefined)
  t.end()
})

t.test('a subscription that Redis refuses is told, and one that breaks off is made later', async t => {
  let error = new Error('NOPERM')
  let client = { subscribe: async () => { throw error } }
  const host = {
    client: () => client,
    keysOf: topic => ({ channel: topic }),
    followerHost: () => ({ tails: new Tails(1), pause: async () => false, read: async () => ({ from: undefined, entries: [], last: 'e-0.0', history: 0, ttl: 0, sizes: [] }) })
  }
  const subscriptions = new Subscriptions(host)
  client.unsubscribe = async () => {}
  const listener = { hear () {}, lost: undefined }
  await t.rejects(subscriptions.add('a', listener), /NOPERM/)
  t.equal(subscriptions.get('a'), undefined)
  subscriptions.remove('a', listener)
  error = new Error('closed')
  const added = subscriptions.add('a', listener)
  client = { subscribe: async () => {} }
  await subscriptions.resume()
  await added
  subscriptions.message('nobody', 'e 1-0 0-0 1 0\n{}')
  subscriptions.close()
})

t.test('Redis forgets a topic that nobody publishes to or follows, and no other', async t => {
  const server = await startRedis(t)
  const admin = server.client()
  await until(() => admin.status === 'ready')
  const engine = engineOn(server, { idle: 1000, prefix: 'idle:' })
  t.teardown(() => engine.close())
  await engine.listen('followed', () => {})
  const publication = { record: { data: 'x' }, audience: undefined, history: 10 }
  for (const topic of ['followed', 'alone']) await engine.publish(topic, publication)
  while (await admin.exists('idle:{alone}', 'idle:{alone}:log') > 0) await wait(50)
  await wait(1000)
  t.equal(await admin.exists('idle:{followed}', 'idle:{followed}:log'), 2)
})

t.test('what waits while a script is sent in full is rejected when the connection ends', async t => {
  const create = () => {
    const client = Object.assign(new EventEmitter(), {
      async connect () { setImmediate(() => client.emit('ready')) },
      disconnect () {},
      subscribe: async () => {},
      async publish () {},
      async evalsha () {
        client.emit('end')
        throw new Error('NOSCRIPT No matching script')
      }
    })
    return client
  }
  const engine = redisEngine({ client: { options: {}, duplicate: create } })
  t.teardown(() => engine.close())
  await engine.start({ failed () {}, works () {} })
  await t.rejects(engine.publish('a', { record: { data: 'x' }, audience: undefined, history: 1 }), /out of reach: the connection was closed/)
})
