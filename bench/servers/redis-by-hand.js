// What users of @fastify/sse write to join processes: Redis Pub/Sub, and a send() for each reply. No replay, no ids.
import fastifySSE from '@fastify/sse'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { fan } from '../lib/fan.js'
import { LISTEN } from '../lib/meter.js'
import { text } from '../lib/payloads.js'

const open = new Set()
const publisher = new Redis(process.env.BENCH_REDIS)
const subscriber = publisher.duplicate()
await subscriber.subscribe('news')
subscriber.on('message', (channel, message) => {
  for (const reply of open) reply.sse.send(message)
})

const app = Fastify()
await app.register(fastifySSE)

app.get('/fan', { sse: { heartbeat: false } }, async (request, reply) => {
  reply.sse.keepAlive()
  reply.sse.onClose(() => open.delete(reply))
  await reply.sse.send({ data: 'Connected' })
  open.add(reply)
})

await app.listen(LISTEN)
fan(app.server, (payload) => { publisher.publish('news', text(payload)) })
