// Ours, over the Redis of BENCH_REDIS, or with the engine of one process where that is not set.
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify from 'fastify'
import chirp, { kAttach } from 'fastify-chirp'
import { redisEngine } from 'fastify-chirp/redis'
import { htmx2 } from '../../dist/dialects/htmx2.js'
import { fan } from '../lib/fan.js'
import { now } from '../lib/latency.js'
import { LISTEN } from '../lib/meter.js'
import { payloads } from '../lib/payloads.js'

const { BENCH_REDIS } = process.env

const app = Fastify()
await app.register(chirp, {
  heartbeat: 300_000,
  retry: false,
  engine: BENCH_REDIS === undefined ? undefined : redisEngine({ url: BENCH_REDIS })
})

const HISTORY = 100
const topic = (n) => app.channel(`topic ${n}`, { history: HISTORY })
const channel = app.channel('news', { history: HISTORY })

app.get('/fan', { referenced: true }, (request, reply) => reply.eventStream(channel))
app.get('/topic/:n', { referenced: true }, (request, reply) => reply.eventStream(topic(request.params.n)))

const heard = []
const outlet = {
  isBlocked: false,
  dialect: htmx2,
  share: ({ text }) => hear(text),
  send: hear,
  flush () {},
  ended () {},
  failed (error) { throw error }
}

function hear (text) {
  const at = now()
  for (const [, sent] of text.matchAll(/"sent":([\d.]+)/g)) heard.push(at - Number(sent))
}

await app.listen(LISTEN)
fan(app.server, (payload) => { channel.publish(payload) }, {
  /** Publishes `rate` events a second, to one topic after the other; gives how many were kept. */
  async publishAt ({ rate, seconds, topics }) {
    const from = now()
    const published = []
    for (let n = 0; n < rate * seconds;) {
      for (const due = Math.min(rate * seconds, (now() - from) / 1000 * rate); n < due; n++) {
        published.push(topic(n % topics).publish({ ...payloads.json(n), sent: now() }))
      }
      await sleep(1)
    }
    return (await Promise.allSettled(published)).filter(({ status }) => status === 'fulfilled').length
  },

  /** Publishes as fast as it goes, so many at once; gives how many a second. */
  async flood ({ seconds, atOnce }) {
    const from = now()
    let count = 0
    await Promise.all(Array.from({ length: atOnce }, async () => {
      while (now() - from < seconds * 1000) {
        await topic('flood').publish(payloads.json(count))
        count++
      }
    }))
    return count / (now() - from) * 1000
  },

  /** One event in each of so many topics, which nobody follows then. */
  async fill ({ topics }) {
    for (let n = 0; n < topics; n += 500) await Promise.all(Array.from({ length: Math.min(500, topics - n) }, (_, i) => topic(n + i).publish(payloads.json(n))))
  },

  /** Follows so many topics without a connection; gives the seconds until all of them are listened to. */
  async follow ({ topics }) {
    const from = now()
    for (let n = 0; n < topics; n += 500) {
      await Promise.all(Array.from({ length: Math.min(500, topics - n) }, (_, i) => {
        topic(n + i).subscribe()[kAttach](outlet, '')
        return topic(n + i).cursor()
      }))
    }
    return (now() - from) / 1000
  },

  /** Milliseconds from publish to outlet, of what was heard since the last call. */
  heard: () => heard.splice(0)
})
