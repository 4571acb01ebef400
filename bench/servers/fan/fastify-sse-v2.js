// fastify-sse-v2: reply.sse() for each event and connection. The first call
// opens the stream.
import Fastify from 'fastify'
import { FastifySSEPlugin } from 'fastify-sse-v2'
import { fan } from '../../lib/fan.js'
import { LISTEN } from '../../lib/meter.js'
import { text } from '../../lib/payloads.js'

const open = new Set()

const app = Fastify()
await app.register(FastifySSEPlugin)

app.get('/fan', (request, reply) => {
  reply.sse({ comment: 'open' })
  open.add(reply)
  reply.raw.on('close', () => {
    open.delete(reply)
    reply.sseContext.source.end()
  })
})

function publish (payload) {
  const message = { data: text(payload) }
  for (const reply of open) reply.sse(message)
}

await app.listen(LISTEN)
fan(app.server, publish)
