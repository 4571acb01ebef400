// A rolling restart of two processes behind nginx, with docs/examples/proxies/nginx.conf: clients stay, and others join.
import t from 'tap'
import { SSEEvent } from 'fastify-chirp'
import { buildApp, until } from '../helpers/app.js'
import { fileOf, startEdge } from '../helpers/edge.js'
import { freePort } from '../helpers/port.js'
import { Source } from './client.js'
import { without } from './station.js'

// Its times until streams come back are a tenth here.
const file = fileOf('nginx').replace(/(?<=\d)000;/g, '00;')
// As it is without the part for streams, and then without the other process.
const plain = without('if ($is_stream) { return 418; }')(file)
const alone = without(' http_502 http_503')(plain)

/** Restarts one app after the other, and gives the clients. Those who live have all events, once. */
async function roll (t, config, return503OnClosing) {
  const published = []
  const listeners = new Set()
  const add = () => {
    published.push(`event ${published.length}`)
    for (const wake of listeners) wake()
  }
  // Events outlive an app, as those of an engine do.
  async function * source ({ lastEventId, signal }) {
    for (let n = lastEventId === '' ? 0 : Number(lastEventId) + 1; !signal.aborted;) {
      if (n < published.length) yield new SSEEvent({ data: published[n], id: n++ })
      else {
        await new Promise(resolve => {
          listeners.add(resolve)
          signal.addEventListener('abort', resolve, { once: true })
        })
      }
    }
  }
  const ports = [await freePort(), await freePort()]
  const start = async port => {
    const app = await buildApp(t, { retry: 100, shutdownGrace: 0 }, { return503OnClosing })
    app.get('/live', { live: true }, (request, reply) => reply.eventStream(source))
    // It closes until it is told to end, as if a client was slow to go.
    let end
    const ending = new Promise(resolve => { end = resolve })
    t.teardown(end)
    const isClosing = new Promise(resolve => {
      app.addHook('preClose', () => {
        resolve()
        return ending
      })
    })
    await app.listen({ port, host: '127.0.0.1' })
    return {
      async beginToClose () {
        const closed = app.close()
        await isClosing
        return async () => {
          end()
          await closed
        }
      }
    }
  }
  const apps = await Promise.all(ports.map(start))
  const { url } = await startEdge(t, 'nginx', { 3000: ports[0], 3001: ports[1] }, config)
  const clients = []
  t.teardown(() => Promise.all(clients.map(client => client.close())))
  const join = async () => {
    const client = new Source(`${url}/live`)
    clients.push(client)
    await until(() => client.isOpen || client.isWaiting || client.dead, 'it has its first answer')
  }
  add()
  for (let n = 0; n < 9; n++) await join()
  for (const n of ports.keys()) {
    const end = await apps[n].beginToClose()
    add()
    for (let n = 0; n < 6; n++) await join()
    await end()
    await join()
    add()
    apps[n] = await start(ports[n])
    await join()
  }
  add()
  await until(() => clients.every(({ dead, events }) => dead !== undefined || events.length >= published.length), 'those who live have all')
  const dead = clients.filter(client => client.dead !== undefined)
  for (const { dead, events } of clients) if (dead === undefined) t.same(events, published)
  return { clients, dead }
}

const cases = {
  'the file of the docs': [file, true],
  'the app tells new streams to come back while it closes, and no other process is asked': [alone, false],
  'another process is asked, and the app answers 503': [plain, true],
  'no other process is asked, and nginx tells new streams to come back': [without(' http_502 http_503')(file), true]
}

t.test('nobody dies', async t => {
  await Promise.all(Object.entries(cases).map(async ([title, [config, return503OnClosing]]) => {
    const { clients, dead } = await roll(t, config, return503OnClosing)
    t.same(dead.map(({ dead }) => dead), [], `${title}: 0 of ${clients.length}`)
  }))
})

t.test('with none of these a client that comes to a process that closes dies', async t => {
  const { dead } = await roll(t, alone, true)
  t.ok(dead.length > 0)
  for (const client of dead) t.equal(client.dead, 503)
})

t.test('a process that failed is not asked again for as long as nginx counts failures, also when no other is left', async t => {
  const { dead } = await roll(t, without('max_fails=0', 'fail_timeout=30s')(plain), true)
  t.ok(dead.length > 0)
  for (const client of dead) t.equal(client.dead, 502)
})
