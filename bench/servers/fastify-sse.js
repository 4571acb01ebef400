// https://github.com/fastify/sse: reply.sse.send() takes an async iterable.
import fastifySSE from '@fastify/sse'
import Fastify from 'fastify'
import { LISTEN, meter } from '../lib/meter.js'
import { pending, ticks } from '../lib/sources.js'

const message = (data) => ({ data })

const app = Fastify()
await app.register(fastifySSE)

app.get('/stream', { sse: true }, async (request, reply) => {
  await reply.sse.send(ticks(Number(request.query.n), message))
})

app.get('/idle', { sse: true }, async (request, reply) => {
  await reply.sse.send(pending(message))
})

app.get('/first', { sse: true }, async (request, reply) => {
  await reply.sse.send(ticks(1, message))
})

await app.listen(LISTEN)
meter(app.server)
