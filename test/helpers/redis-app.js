// An app in a process of its own, which the test tells what to do: run by processes.js.
import Fastify from 'fastify'
import chirp, { SSEEvent } from 'fastify-chirp'
import { redisEngine } from 'fastify-chirp/redis'

const { url, prefix } = JSON.parse(process.argv[2])
const app = Fastify({ forceCloseConnections: true })
await app.register(chirp, { engine: redisEngine({ url, prefix, commandTimeout: 1000, lazy: true }), retry: 100 })
const channel = app.channel('a', { history: 100000 })
const people = app.channel('room').presence()
const heard = []
for (const event of ['join', 'leave']) people.on(event, ({ key }) => heard.push(`${event} ${key}`))
const leaves = new Map()

app.get('/a', { live: true }, (request, reply) => reply.eventStream(channel))

const calls = {
  publish: data => channel.publish(new SSEEvent({ data })),
  join: key => { leaves.set(key, people.join(key, { info: { pid: process.pid } })) },
  leave: key => leaves.get(key)(),
  members: () => people.members(),
  heard: () => heard,
  start (id) {
    app.job(id, async function * ({ signal }) {
      for (let n = 1; !signal.aborted; n++) {
        yield n
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    })
  },
  state: id => app.job(id)?.state,
  block (ms) { for (const end = Date.now() + ms; Date.now() < end;); },
  close: () => app.close()
}

process.on('message', async ({ id, name, args }) => {
  try {
    process.send({ id, result: await calls[name](...args) })
  } catch (error) {
    process.send({ id, error: error.code ?? error.message })
  }
})
process.on('disconnect', () => process.exit())
await app.listen({ port: 0, host: '127.0.0.1' })
process.send({ port: app.server.address().port })
