// @fastify/sse has no broadcast. This is what its users write: replies that
// are kept alive, and a send() for each, which must not wait for the others.
import fastifySSE from '@fastify/sse'
import Fastify from 'fastify'
import { fan } from '../../lib/fan.js'
import { LISTEN } from '../../lib/meter.js'

const open = new Set()

const app = Fastify()
await app.register(fastifySSE)

app.get('/fan', { sse: { heartbeat: false } }, async (request, reply) => {
  reply.sse.keepAlive()
  reply.sse.onClose(() => open.delete(reply))
  // The head waits for a first event, as in its guide.
  await reply.sse.send({ data: 'Connected' })
  open.add(reply)
})

function publish (payload) {
  // It sends text as it is, and the data of a message as JSON.
  const message = typeof payload === 'string' ? payload : { data: payload }
  for (const reply of open) reply.sse.send(message)
}

await app.listen(LISTEN)
fan(app.server, publish)
