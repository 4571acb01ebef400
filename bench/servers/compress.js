// A channel whose streams are compressed in several ways, and the same events for each stream alone.
import { createGzip } from 'node:zlib'
import Fastify from 'fastify'
import chirp from 'fastify-chirp'
import { LISTEN, meter } from '../lib/meter.js'
import { events } from '../lib/compressible.js'

const app = Fastify()
await app.register(chirp, { heartbeat: 300_000, retry: false })
const channel = app.channel('news', { history: 0 })
const routes = { off: {}, shared: { compress: true } }
for (const [name, options] of Object.entries(routes)) app.get(`/${name}`, { live: true }, (request, reply) => reply.eventStream(channel, options))

// Each stream has events of its own, so nothing can be shared.
let number = 0
let wake = new EventTarget()
for (const [name, options] of [['alone-off', {}], ['alone', { compress: true }]]) {
  app.get(`/${name}`, { live: true }, (request, reply) => {
    const own = ++number
    return reply.eventStream(async function * () {
      for (;;) {
        const text = await new Promise(resolve => wake.addEventListener('news', ({ detail }) => resolve(detail), { once: true }))
        yield `${own} ${text}`
      }
    }, options)
  })
}

// As a hook would do it.
app.register(async scope => {
  scope.addHook('onSend', async (request, reply, payload) => {
    reply.header('content-encoding', 'gzip')
    return payload.pipe(createGzip({ level: 1 }))
  })
  scope.get('/hook', (request, reply) => reply.eventStream(channel))
})

let published = 0
await app.listen(LISTEN)
meter(app.server, {
  publish (kind) {
    const text = events[kind](published++)
    channel.publish(text)
    const sleeping = wake
    wake = new EventTarget()
    sleeping.dispatchEvent(new CustomEvent('news', { detail: text }))
  },
  open: () => app.eventStreams.open
})
