// The engine of docs/examples/engine-postgres passes the contract suite, joins two apps, and outlives its server.
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import pg from 'pg'
import { SSEEvent } from 'fastify-chirp'
import { PostgresEngine } from '../../docs/examples/engine-postgres/engine.js'
import { buildApp, quiet, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { testEngine } from '../helpers/engine.js'
import { postgresPrograms, startPostgres } from '../helpers/postgres.js'

const server = postgresPrograms && await startPostgres(t)
const admin = server && new pg.Client(server.options)
// The server is killed below.
admin?.on('error', () => {})
await admin?.connect()
const LONG = 60000
const folder = new URL('../../docs/examples/engine-postgres/', import.meta.url)

t.setTimeout(120000)

t.test('it has less than 200 lines, and knows the public interface alone', async t => {
  const texts = readdirSync(folder).map(name => readFileSync(new URL(name, folder), 'utf8'))
  t.ok(texts.join('').split('\n').length - 1 < 200)
  t.notMatch(texts.join(''), /dist\/|lib\/|from '\.\.\//)
})

if (postgresPrograms === undefined) t.comment('PostgreSQL is not installed: what follows needs Debian\'s package "postgresql", and is left out')
else testOn()

function testOn () {
  let count = 0

  /** An engine with tables of its own. */
  const create = async () => {
    await admin.query(`CREATE SCHEMA t${++count}`)
    const engine = new PostgresEngine({ ...server.options, options: `-c search_path=t${count}` })
    await engine.start({ failed () {}, works () {} })
    return engine
  }
  testEngine(t, 'PostgreSQL', create)

  /** Two apps, as two processes have them, and a stream of each. */
  async function build (t, path, options) {
    await admin.query('CREATE DATABASE apps').catch(() => {})
    const engines = [1, 2].map(() => new PostgresEngine({ ...server.options, database: 'apps' }))
    const apps = await Promise.all(engines.map(engine => buildApp(t, { engine, shutdownGrace: 0 })))
    const streams = []
    for (const app of apps) {
      app.get('/', (request, reply) => reply.eventStream(app.channel(path, options)))
      await app.ready()
      streams.push(await new TestClient(app).open('/'))
      if (!options?.latest) await until(() => streams.at(-1).lastEventId !== '')
    }
    return { apps, engines, streams, channels: apps.map(app => app.channel(path, options)) }
  }

  const datasOf = async (stream, count) => {
    const events = []
    for (let n = 0; n < count; n++) events.push((await stream.next(LONG)).data)
    return events
  }

  t.test('two apps: one order for all, ids that come once, and replay in the other process', async t => {
    const { apps, streams, channels } = await build(t, 'news \0 \ud800', { history: 100 })
    const ids = await Promise.all(Array.from({ length: 40 }, (_, n) => channels[n % 2].publish(`${n}`)))
    const [here, there] = await Promise.all(streams.map(stream => datasOf(stream, 40)))
    t.same(here, there)
    t.same([...here].sort((a, b) => a - b), Array.from({ length: 40 }, (_, n) => `${n}`))
    await channels[0].publish(new SSEEvent({ id: 'own', data: 'x \0 \ud800' }))
    await t.rejects(channels[1].publish(new SSEEvent({ id: 'own', data: 'again' })), { code: 'FST_CHIRP_ID' })
    const at = here.indexOf('7')
    const { events } = await new TestClient(apps[1]).sse('/', { lastEventId: ids[7], maxEvents: 40 - at, timeout: LONG })
    t.same(events.map(({ data }) => data), [...here.slice(at + 1), 'x \0 \ufffd'])
  })

  t.test('values, and those of before this process started', async t => {
    const { channels, streams } = await build(t, 'values', { latest: true })
    await channels[0].publish(new SSEEvent({ event: 'a', data: 'one' }))
    for (const stream of streams) t.equal((await stream.next(LONG)).data, 'one')
    const later = await build(t, 'values', { latest: true })
    for (const stream of later.streams) t.equal((await stream.next(LONG)).data, 'one')
  })

  t.test('connections are cut, and the server crashes: streams stay, nothing is lost, nothing comes twice', async t => {
    const { engines, streams, channels } = await build(t, 'crash', { history: 1000 })
    const seen = streams.map(() => [])
    const sent = []
    const over = new AbortController()
    const reading = streams.map(async (stream, n) => { while (seen[n].at(-1) !== 'end') seen[n].push((await stream.next(LONG)).data) })
    const publishing = channels.map(async (channel, by) => {
      for (let n = 0; !over.signal.aborted; n++) {
        const event = new SSEEvent({ id: `${by}.${n}`, data: `${by}.${n}` })
        const tryIt = () => channel.publish(event).then(() => true, ({ code }) => code === 'FST_CHIRP_ID' || quiet(5))
        while (!await tryIt()) ;
        sent.push(event.data)
      }
    })
    const goesOn = length => until(() => sent.length > length + 20 && engines.every(({ ready }) => ready), 'it goes on')
    for (let round = 0; round < 10; round++) {
      await admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = \'apps\'')
      await goesOn(sent.length)
    }
    await server.kill()
    await until(() => engines.every(({ ready }) => !ready))
    await server.start()
    await goesOn(sent.length)
    over.abort()
    await Promise.all(publishing)
    await channels[0].publish('end')
    await Promise.all(reading)
    t.same(seen[0], seen[1])
    t.same(seen[0].toSorted(), [...sent, 'end'].toSorted())
  })

  t.test('tables that have lost everything are a gap', async t => {
    const again = new pg.Client({ ...server.options, database: 'apps' })
    await again.connect()
    t.teardown(() => again.end())
    const { channels, streams } = await build(t, 'lost')
    await channels[0].publish('one')
    for (const stream of streams) t.equal((await stream.next(LONG)).data, 'one')
    await again.query('TRUNCATE chirp_topic CASCADE')
    await channels[0].publish('two')
    for (const stream of streams) t.equal((await stream.next(LONG)).event, 'chirp:gap')
    await channels[1].publish('three')
    for (const stream of streams) t.equal((await stream.next(LONG)).data, 'three')
  })
}
