// Many clients and many topics: what they cost Redis.
import t from 'tap'
import { buildApp, quiet, until } from '../helpers/app.js'
import { Client } from '../helpers/engines.js'
import { engineOn, startRedis } from '../helpers/redis.js'

const server = await startRedis(t)
const admin = server.client()
await until(() => admin.status === 'ready')

async function build (t, options = {}) {
  const app = await buildApp(t, { engine: engineOn(server, options), shutdownGrace: 0 })
  await app.ready()
  return app
}

/** How many scripts Redis has run. */
async function scripts () {
  const info = await admin.info('commandstats')
  return [...info.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0)
}

async function missFifty (t, options) {
  const prefix = `storm${Math.random()}:`
  const [app, other] = [await build(t, { prefix }), await build(t, { prefix })]
  const channel = app.channel('news', options)
  const cursor = await other.channel('news', options).publish('first')
  const values = Array.from({ length: 50 }, (_, n) => `v${n}`)
  for (const value of values) await other.channel('news', options).publish(value)
  return { channel, cursor, values }
}

for (const [how, pause] of [['in one tick', 0], ['one after the other', 1]]) {
  t.test(`2,000 clients that come back ${how} and have missed the same 50 events cost at most 20 reads`, async t => {
    const { channel, cursor, values } = await missFifty(t)
    const before = await scripts()
    const clients = []
    for (let n = 0; n < 2000; n++) {
      const client = new Client(channel)
      client.cursor = cursor
      client.connect()
      clients.push(client)
      if (pause > 0 && n % 20 === 0) await quiet(pause)
    }
    await until(() => clients.every(({ events }) => events.length === 50))
    const reads = await scripts() - before
    t.ok(reads <= 20, `${reads} reads`)
    for (const { events } of clients) if (events.some(({ data }, n) => data !== values[n])) t.fail('every client has them in order')
    t.equal(channel.size, 2000)
    for (const client of clients) client.disconnect()
  })
}

t.test('clients with a cursor that nobody knows cost few reads as well', async t => {
  const { channel } = await missFifty(t)
  const first = new Client(channel)
  first.connect()
  await until(() => first.cursor !== '')
  const before = await scripts()
  for (let n = 0; n < 200; n++) {
    const client = new Client(channel)
    client.cursor = 'gone-1.0'
    client.connect()
    await until(() => client.events[0]?.event === 'chirp:gap')
  }
  t.ok(await scripts() - before <= 20)
})

t.test('a process is subscribed to what somebody follows here, and to nothing else', async t => {
  const prefix = 'subscribed:'
  const app = await build(t, { prefix })
  for (let n = 0; n < 200; n++) app.channel(`c${n}`)
  const channels = async () => (await admin.pubsub('CHANNELS', `${prefix}{c[0-9]*`)).length
  t.equal(await channels(), 0)
  const client = new Client(app.channel('c7'))
  client.connect()
  await until(() => client.cursor !== '')
  t.equal(await channels(), 1)
  app.channel('c7').close()
  while (await channels() > 0) await quiet(10)
  t.equal(await admin.exists(`${prefix}{c8}`), 0, 'a topic without events and readers is nothing')
})

t.test('clients that are slower than a short history get gaps, and nothing twice', async t => {
  const prefix = 'slow:'
  const [app, other] = [await build(t, { prefix }), await build(t, { prefix })]
  const clients = Array.from({ length: 5 }, () => new Client(app.channel('a', { history: 5 })))
  for (const client of clients) client.connect()
  await until(() => clients.every(({ cursor }) => cursor !== ''))
  for (let n = 1; n <= 200; n++) {
    await other.channel('a', { history: 5 }).publish(String(n))
    const client = clients[n % 5]
    if (client.isConnected && n % 3 === 0) client.disconnect()
    else if (!client.isConnected && n % 4 === 0) client.connect()
  }
  for (const client of clients) if (!client.isConnected) client.connect()
  await until(() => clients.every(({ events }) => events.at(-1).data === '200' || events.at(-1).event === 'chirp:gap'))
  for (const { events } of clients) {
    let last
    for (const { event, data } of events) {
      if (event === 'chirp:gap') last = undefined
      else if (last !== undefined && Number(data) !== last + 1) t.fail(`${data} after ${last}`)
      if (event !== 'chirp:gap') last = Number(data)
    }
  }
})
