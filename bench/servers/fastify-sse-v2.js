// https://github.com/NodeFactoryIo/fastify-sse-v2: reply.sse() takes an async
// iterable of events whose data is a string.
import Fastify from 'fastify'
import { FastifySSEPlugin } from 'fastify-sse-v2'
import { LISTEN, meter } from '../lib/meter.js'
import { pending, ticks } from '../lib/sources.js'

const message = (value) => ({ data: JSON.stringify(value) })

const app = Fastify()
await app.register(FastifySSEPlugin)

app.get('/stream', (request, reply) => {
  reply.sse(ticks(Number(request.query.n), message))
})

app.get('/idle', (request, reply) => {
  reply.sse(pending(message))
})

app.get('/first', (request, reply) => {
  reply.sse(ticks(1, message))
})

await app.listen(LISTEN)
meter(app.server)
