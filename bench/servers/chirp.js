// Ours, from dist/ as users get it.
import Fastify from 'fastify'
import chirp from 'fastify-chirp'
import { LISTEN, meter } from '../lib/meter.js'
import { pending, ticks } from '../lib/sources.js'

const app = Fastify()
// Without the first event, which the peers do not send.
await app.register(chirp, { retry: false })

app.get('/stream', { referenced: true }, (request, reply) => reply.eventStream(() => ticks(Number(request.query.n))))

app.get('/idle', { referenced: true }, (request, reply) => reply.eventStream(() => pending()))

app.get('/first', { referenced: true }, (request, reply) => reply.eventStream(() => ticks(1)))

await app.listen(LISTEN)
meter(app.server)
