// Hooks that other plugins put on routes run on marked routes too, however they put them there.
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { context } from '@opentelemetry/api'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'
import { FastifyOtelInstrumentation } from '@fastify/otel'
import Fastify from 'fastify'
import t from 'tap'
import chirp from 'fastify-chirp'
import { buildApp, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

const referenced = true

/** An app whose streams wait after one event, and what is added with `before` and `after` the plugin. */
async function build (t, { before, after }) {
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(() => app.close())
  if (before !== undefined) await app.register(before)
  await app.register(chirp, { debug: false, retry: false })
  if (after !== undefined) await app.register(after)
  app.get('/', { referenced }, (request, reply) => reply.eventStream(async function * ({ signal }) {
    yield 'a'
    if (request.query.wait) await new Promise(resolve => { signal.onabort = resolve })
  }))
  return app
}

/** What an onRoute hook may do to the list of a route's onSend hooks, so that `own` is the last that runs. */
const ways = {
  'each hook in a function, and one behind them': (route, wrap, own) => { route.onSend = [...[route.onSend].flat().filter(Boolean).map(wrap), own] },
  'the same, twice': (route, wrap, own) => {
    route.onSend = [...route.onSend.map(wrap), (request, reply, payload, done) => done(null, payload)]
    route.onSend = [...route.onSend.map(wrap), own]
  },
  'each hook in a function, in place, and one pushed': (route, wrap, own) => {
    route.onSend.forEach((hook, i, hooks) => { hooks[i] = wrap(hook) })
    route.onSend.push(own)
  },
  'one pushed, then each in a function': (route, wrap, own) => {
    route.onSend.push(own)
    route.onSend = route.onSend.map(wrap)
  },
  'by its index': (route, wrap, own) => { route.onSend[route.onSend.length] = own },
  'by splice()': (route, wrap, own) => { route.onSend.splice(route.onSend.length, 0, own) },
  'one function that runs the others': (route, wrap, own) => {
    const hooks = route.onSend
    route.onSend = [(request, reply, payload, done) => {
      const next = (i, payload) => i === hooks.length ? done(null, payload) : hooks[i](request, reply, payload, (error, payload) => error ? done(error) : next(i + 1, payload))
      next(0, payload)
    }, own]
  }
}

for (const [name, change] of Object.entries(ways)) {
  t.test(`a plugin after ours changes the list: ${name}`, async t => {
    const app = await buildApp(t)
    const ran = []
    const wrap = hook => function (...values) {
      ran.push('wrapper')
      return hook.apply(this, values)
    }
    const own = (request, reply, payload, done) => {
      ran.push('own')
      reply.header('x-own', 'yes')
      done(null, payload)
    }
    app.addHook('onRoute', route => { if (route.method === 'GET') change(route, wrap, own) })
    app.get('/', { referenced }, (request, reply) => reply.eventStream(['a']))
    for (const listen of [false, true]) {
      ran.length = 0
      const { status, headers, events, ended } = await new TestClient(app, { listen }).sse('/')
      t.match({ status, headers, events, ended }, { status: 200, headers: { 'x-own': 'yes' }, events: [{ data: 'a' }], ended: true })
      t.equal(ran.filter(name => name === 'own').length, 1)
    }
  })
}

t.test('a route that is made of the options of another has hooks of its own behind', async t => {
  const app = await buildApp(t)
  const own = url => async (request, reply) => { reply.header('x-own', url) }
  app.addHook('onRoute', route => {
    if (route.method !== 'GET') return
    if (route.url === '/v1') app.route({ ...route, url: '/v2' })
    route.onSend.push(own(route.url))
  })
  app.get('/v1', { referenced }, (request, reply) => reply.eventStream(['a']))
  await app.ready()
  t.equal((await new TestClient(app).sse('/v1')).headers['x-own'], '/v1')
  t.equal((await new TestClient(app).sse('/v2')).headers['x-own'], '/v2')
})

t.test('a route whose config another plugin replaces is a stream, on the long way', async t => {
  const app = await buildApp(t)
  app.addHook('onRoute', route => { route.config = { mine: true } })
  app.get('/', { referenced }, (request, reply) => reply.eventStream(['a']))
  t.same((await new TestClient(app).sse('/')).events, [{ data: 'a' }])
})

t.test('@fastify/otel: every span of a request ends', async t => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  t.teardown(() => context.disable())
  for (const order of ['before', 'after']) {
    t.test(`registered ${order} the plugin`, async t => {
      const started = []
      const exporter = new InMemorySpanExporter()
      const provider = new BasicTracerProvider({
        spanProcessors: [new SimpleSpanProcessor(exporter), {
          onStart: span => started.push(span), onEnd () {}, async forceFlush () {}, async shutdown () {}
        }]
      })
      const instrumentation = new FastifyOtelInstrumentation()
      instrumentation.setTracerProvider(provider)
      const app = await build(t, { [order]: instrumentation.plugin() })
      const client = new TestClient(app, { listen: true })
      const spans = async (count) => {
        await until(() => app.eventStreams.open === 0)
        const requests = exporter.getFinishedSpans().filter(({ name }) => name === 'request')
        t.equal(requests.length, count)
        t.match(requests.at(-1).attributes, { 'http.route': '/', 'http.response.status_code': 200 })
        t.equal(started.every(({ ended }) => ended), true, 'and those of hooks and handlers')
      }

      t.same((await client.sse('/')).events, [{ data: 'a' }])
      await spans(1)

      const left = await client.open('/?wait=1')
      t.same(await left.next(), { data: 'a' })
      left.close()
      await spans(2)

      const cut = await client.open('/?wait=1')
      t.same(await cut.next(), { data: 'a' })
      await app.close()
      await spans(3)
    })
  }
})

t.test('a route whose hooks another plugin wraps is spared the long way', async t => {
  const app = await buildApp(t)
  const listeners = {}
  const handler = (request, reply) => {
    return reply.eventStream(async function * () {
      yield 'a'
      // On the long way Fastify listens for the end of the response once more.
      listeners[request.url] = reply.raw.listenerCount('finish')
    })
  }
  app.get('/long', handler)
  app.get('/short', { referenced }, handler)
  app.addHook('onRoute', route => {
    ways['each hook in a function, and one behind them'](route, hook => function (...values) { return hook.apply(this, values) },
      (request, reply, payload, done) => done(null, payload))
  })
  app.get('/wrapped', { referenced }, handler)
  for (const url of ['/long', '/short', '/wrapped']) await new TestClient(app, { listen: true }).sse(url)
  t.equal(listeners['/wrapped'], listeners['/short'])
  t.ok(listeners['/long'] > listeners['/short'])
})
