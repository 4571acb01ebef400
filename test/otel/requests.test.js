// With @fastify/otel every request has a span that ends, whoever ends the stream.
import { createRequire } from 'node:module'
import Fastify from 'fastify'
import t from 'tap'
import chirp from 'fastify-chirp'
import { instrument } from 'fastify-chirp/otel'
import { listen, never, until } from '../helpers/app.js'
import { followContexts, providers } from '../helpers/otel.js'
import { controlled, dial, get, GET } from '../helpers/raw.js'

const { FastifyOtelInstrumentation } = createRequire(import.meta.url)('@fastify/otel')

followContexts(t)

// Ends of a stream that is open: what is done for it.
const ENDS = {
  client: ({ client }) => client.socket.destroy(),
  source: ({ control }) => control.end(),
  key: ({ app }) => app.eventStreams.close('ann'),
  drain: ({ app }) => app.eventStreams.drain(0),
  close: ({ app }) => app.close()
}

for (const order of ['before', 'after']) {
  async function setUp (t, options) {
    const telemetry = providers(t)
    const requests = new FastifyOtelInstrumentation()
    requests.setTracerProvider(telemetry.options.tracerProvider)
    const app = Fastify({ forceCloseConnections: true })
    t.teardown(() => app.close())
    if (order === 'before') await app.register(requests.plugin())
    await app.register(chirp, options)
    if (order === 'after') await app.register(requests.plugin())
    instrument(app, telemetry.options)
    return { app, ...telemetry }
  }

  for (const config of [{}, { live: true }]) {
    t.test(`@fastify/otel ${order} the plugin, ${JSON.stringify(config)}`, async t => {
      for (const [name, end] of Object.entries(ENDS)) {
        const { app, spans } = await setUp(t)
        const control = controlled()
        app.get('/', config, (request, reply) => reply.eventStream(control.source, { key: 'ann' }))
        const client = await dial(await listen(app))
        client.send(GET())
        await client.heard('chirp:open')
        t.equal(spans('request').length, 1, `${name}: ends with the head`)
        await end({ app, client, control })
        await until(() => app.eventStreams.open === 0)
        t.equal(spans('request').length, 1)
        await app.close()
      }
    })

    t.test(`@fastify/otel ${order} the plugin, ${JSON.stringify(config)}: streams that never begin`, async t => {
      const { app, spans } = await setUp(t, { maxStreams: 1 })
      app.get('/', config, (request, reply) => reply.eventStream(() => never))
      app.get('/throws', config, (request, reply) => reply.eventStream(() => { throw new Error('no') }))
      const port = await listen(app)
      await get(port, '/throws')
      await until(() => spans('request').length === 1)
      const client = await dial(port)
      client.send(GET())
      await until(() => app.eventStreams.open === 1)
      await get(port, '/')
      await until(() => spans('request').length === 2)
      // It leaves before there is a source.
      client.socket.destroy()
      await until(() => spans('request').length === 3)
      await app.close()
    })
  }

  t.test(`@fastify/otel ${order} the plugin: the start of a stream, and what a handler publishes, belong to the request`, async t => {
    const { app, spans } = await setUp(t)
    const news = app.channel('news')
    app.get('/', { live: true }, (request, reply) => reply.eventStream(news))
    app.post('/', async () => news.publish('x'))
    const port = await listen(app)
    const client = await dial(port)
    client.send(GET())
    await client.heard('id: ')
    await until(() => spans('subscribe').length === 1)
    await get(port, '/', { method: 'POST' })
    const [stream, post] = spans('request').map(span => span.spanContext().traceId)
    t.equal(spans('subscribe')[0].spanContext().traceId, stream)
    t.equal(spans('publish')[0].spanContext().traceId, post)
    await app.close()
  })
}
