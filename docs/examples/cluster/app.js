// What each process of the cluster runs. It keeps nothing that another one would miss: notes and votes are in
// Redis, and so are the events of the channel and the changes of the live view.
import { readFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import chirp, { Fragment, merge } from 'fastify-chirp'
import { redisEngine } from 'fastify-chirp/redis'

const SCRIPTS = { '/htmx.js': 'htmx.org/dist/htmx.min.js', '/sse.js': 'htmx-ext-sse/dist/sse.min.js' }

export async function buildApp (redisUrl) {
  // Without a timeout commands of the app wait for as long as Redis is away.
  const redis = new Redis(redisUrl, { commandTimeout: 5000 })
  // It says so for each attempt; the engine's own line is enough.
  redis.on('error', () => {})
  const app = Fastify({ logger: { level: 'warn' }, forceCloseConnections: true, return503OnClosing: false, trustProxy: true })
  app.addHook('onClose', () => redis.disconnect())
  await app.register(chirp, {
    templates: fileURLToPath(new URL('views', import.meta.url)),
    engine: redisEngine({ client: redis, prefix: 'cluster:' })
  })

  const news = app.channel('news')
  const votes = app.liveView('votes', {
    template: 'page.html',
    context: async () => ({ votes: Number(await redis.get('cluster:votes')) }),
    blocks: ['votes']
  })

  app.get('/', { live: true }, (request, reply) => reply.page('page.html', async () => ({
    notes: (await redis.zrange('cluster:notes', -100, '-1')).map(note => JSON.parse(note)),
    votes: Number(await redis.get('cluster:votes')),
    key: randomUUID()
  }), { live: merge(news, votes.source('all', request)) }))

  // What a form sends.
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' },
    async (request, body) => Object.fromEntries(new URLSearchParams(body)))

  // A form that is sent again, because its process died before it answered, has the same key: nothing is there twice.
  app.post('/notes', async (request, reply) => {
    const note = { id: `note-${request.body.key}`, text: String(request.body.text) }
    await redis.zadd('cluster:notes', 'NX', Date.now(), JSON.stringify(note))
    await news.publish(new Fragment('page.html', 'note', { note }, { target: 'news', swap: 'beforeend', id: note.id })).catch(error => {
      if (error.code !== 'FST_CHIRP_ID') throw error
    })
    return reply.redirect('/', 303)
  })

  app.post('/votes', async (request, reply) => {
    await redis.incr('cluster:votes')
    await votes.changed('all', ['votes'])
    return reply.redirect('/', 303)
  })

  // For the load balancer: 503 while Redis is out of reach.
  app.get('/health', (request, reply) => {
    const { ready, open } = app.eventStreams
    return reply.code(ready ? 200 : 503).send({ ready, streams: open, pid: process.pid })
  })

  for (const [url, file] of Object.entries(SCRIPTS)) {
    const script = readFileSync(fileURLToPath(import.meta.resolve(file)))
    app.get(url, (request, reply) => reply.type('text/javascript').send(script))
  }
  return app
}
