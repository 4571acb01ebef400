// Ours, from dist/ as users get it.
import Fastify from 'fastify'
import chirp, { SSEEvent, kAttach } from 'fastify-chirp'
import { LISTEN, meter } from '../lib/meter.js'
import { pending, ticks } from '../lib/sources.js'

const app = Fastify()
// Without the first event, which the peers do not send.
await app.register(chirp, { retry: false })

app.get('/stream', { referenced: true }, (request, reply) => reply.eventStream(() => ticks(Number(request.query.n))))

app.get('/idle', { referenced: true }, (request, reply) => reply.eventStream(() => pending()))

// A channel with values sends the newest one to those who come.
const values = app.channel('values', { latest: true })
await values.publish(new SSEEvent({ event: 'tick', data: '{"i":0,"t":"tick"}' }))

app.get('/idle/channel', { referenced: true }, (request, reply) => reply.eventStream(values))

app.get('/first', { referenced: true }, (request, reply) => reply.eventStream(() => ticks(1)))

// The same events from the history of a channel, and from a generator.
const log = app.channel('log', { history: 10_000 })
const kept = []
for (let i = 0; i < 10_000; i++) kept.push(await log.publish({ i, t: 'tick' }))

app.get('/replay', { referenced: true }, (request, reply) => reply.eventStream(log))
app.get('/replay/generator', { referenced: true }, (request, reply) => reply.eventStream(async function * () {
  yield * ticks(Number(request.query.n))
  yield * pending()
}))

// The same feed, by a route that only streams and by one that is a page too.
const once = {
  cursor: () => '',
  [kAttach] (outlet) {
    outlet.send(outlet.encode({ i: 0, t: 'tick' }), 1)
    outlet.ended()
    return { detach () {} }
  }
}
app.get('/first/hand', { live: true }, (request, reply) => reply.eventStream(once))
app.get('/first/live', { live: true }, (request, reply) => reply.page('page.html', () => ({}), { live: once }))

await app.listen(LISTEN)
meter(app.server, {
  /** A cursor after which so many events come. */
  cursorBefore: ({ events }) => kept.at(-events - 1) ?? kept[0]
})
