// A rolling restart of three processes behind nginx, with docs/examples/cluster/nginx.conf: clients stay, and others come.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { SSEEvent } from 'fastify-chirp'
import { buildApp, until } from '../helpers/app.js'
import { startEdge } from '../helpers/edge.js'
import { freePort } from '../helpers/port.js'
import { Source } from './client.js'
import { without } from './station.js'

const file = readFileSync(new URL('../../docs/examples/cluster/nginx.conf', import.meta.url), 'utf8')
const asksNoOther = without('proxy_next_upstream error timeout http_502 http_503;')

/** Restarts one app after the other; gives the clients and what they should have. */
async function roll (t, { config, return503OnClosing }) {
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
  const ports = [await freePort(), await freePort(), await freePort()]
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
  const { url } = await startEdge(t, 'nginx', { 3001: ports[0], 3002: ports[1], 3003: ports[2] }, config)
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
  const alive = clients.filter(client => client.dead === undefined)
  await until(() => alive.every(({ events }) => events.length >= published.length), 'those who live have all')
  for (const { events } of alive) t.same(events, published)
  return { clients, dead: clients.length - alive.length }
}

for (const [title, options, dies] of [
  ['nginx asks another process where one answers 503', { config: file, return503OnClosing: true }, false],
  ['a process that closes tells new streams to come back', { config: asksNoOther(file), return503OnClosing: false }, false],
  ['both', { config: file, return503OnClosing: false }, false],
  ['neither: who asks a process that closes is dead', { config: asksNoOther(file), return503OnClosing: true }, true]
]) {
  t.test(title, async t => {
    const { clients, dead } = await roll(t, options)
    t.equal(dead > 0, dies, `${dead} of ${clients.length} died`)
  })
}
