// instrument(): options, one app of several, how it is switched off, and what fails.
import diagnostics from 'node:diagnostics_channel'
import { once } from 'node:events'
import Fastify from 'fastify'
import t from 'tap'
import chirp, { Fragment } from 'fastify-chirp'
import { instrument } from 'fastify-chirp/otel'
import { buildApp, listen, never, until } from '../helpers/app.js'
import { complaints } from '../helpers/complaints.js'
import { providers } from '../helpers/otel.js'
import { dial, get, GET, troubles } from '../helpers/raw.js'

const CHANNELS = ['stream:open', 'stream:close', 'stream:error', 'stream:reject', 'resume', 'deliver'].map(name => `fastify-chirp:${name}`)
const TRACING = ['publish', 'change', 'update', 'render'].map(name => `fastify-chirp:${name}`)
const listeners = () => [...CHANNELS.filter(name => diagnostics.hasSubscribers(name)), ...TRACING.filter(name => diagnostics.tracingChannel(name).hasSubscribers)]

t.test('options are checked, and refused where there is no such one', async t => {
  const app = await buildApp(t)
  for (const [options, message] of [
    [{ meterProvder: {} }, /no option "meterProvder" of instrument\(\).*meterProvider/],
    [{ meterProvider: {} }, /option "meterProvider" of instrument\(\) must be an object with getMeter\(\).* false/],
    [{ tracerProvider: 'global' }, /option "tracerProvider" of instrument\(\) must be an object with getTracer\(\)/],
    [null, /options of instrument\(\) must be an object, not null/],
    [{ meterProvider: { getMeter () { throw new Error('no meter') } } }, /"meterProvider" of instrument\(\) failed \(no meter\)/],
    [{ ...providers(t).options, tracerProvider: { getTracer () { throw new Error('no tracer') } } }, /"tracerProvider" of instrument\(\) failed \(no tracer\)/]
  ]) t.throws(() => instrument(app, options), { code: 'FST_CHIRP_OPTION', message })
  for (const value of [undefined, 'app', {}, { addHook () {} }]) {
    t.throws(() => instrument(value), { code: 'FST_CHIRP_OPTION', message: /instrument\(\) takes the Fastify app, not / })
  }
  instrument(app, { meterProvider: false, tracerProvider: false })()
  // The global ones do nothing here.
  const stop = instrument(app)
  await app.channel('a').publish('x')
  stop()
})

t.test('twice is refused, until the first is switched off', async t => {
  const app = await buildApp(t)
  const stop = instrument(app, providers(t).options)
  t.throws(() => instrument(app), { code: 'FST_CHIRP_OPTION', message: /instrumented already/ })
  app.register(async scope => {
    t.throws(() => instrument(scope), { message: /instrumented already/ }, 'a scope is the same app')
  })
  await app.ready()
  stop()
  stop()
  instrument(app, providers(t).options)()
})

t.test('an app without the plugin', async t => {
  const app = Fastify()
  instrument(app)
  await t.rejects(app.ready(), { code: 'FST_CHIRP_OPTION', message: /found no fastify-chirp in this app/ })
  const started = Fastify()
  await started.inject('/')
  t.throws(() => instrument(started), { code: 'FST_CHIRP_OPTION', message: /found no fastify-chirp/ })
  await started.close()
})

t.test('before the plugin, and with it in scopes alone', async t => {
  const { options, metrics } = providers(t)
  const app = Fastify()
  instrument(app, options)
  for (const name of ['a', 'b']) {
    app.register(async scope => {
      await scope.register(chirp)
      scope.get(`/${name}`, (request, reply) => reply.eventStream(['x']))
    })
  }
  await app.inject('/a')
  await app.inject('/b')
  await app.close()
  t.match((await metrics())['sse.server.events'], [{ 'http.route': '/a', value: 1 }, { 'http.route': '/b', value: 1 }])
})

t.test('two apps are not mixed', async t => {
  const all = []
  for (const name of ['a', 'b']) {
    const telemetry = providers(t)
    const app = await buildApp(t, { templates: new URL('../fixtures/views', import.meta.url).pathname })
    app.get(`/${name}`, (request, reply) => reply.eventStream(app.channel(name)))
    instrument(app, telemetry.options)
    all.push({ name, app, ...telemetry })
  }
  for (const { name, app } of all) {
    const client = await dial(await listen(app))
    client.send(GET(`/${name}`))
    await client.heard('id: ')
    await app.channel(name).publish(name)
    await client.heard(`data: ${name}`)
    client.socket.destroy()
    await until(() => app.eventStreams.open === 0)
  }
  for (const { name, metrics, spans, app } of all) {
    const points = Object.values(await metrics()).flat()
    t.same([...new Set(points.map(point => point['http.route']))].filter(Boolean), [`/${name}`])
    t.same(spans('publish').map(span => span.attributes['messaging.destination.template']), [name])
    t.equal(spans('subscribe').length, 1)
    await app.close()
  }
})

t.test('switched off while streams are open: nothing is open any more, and what was counted stays', async t => {
  const { options, metrics } = providers(t)
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.eventStream(async function * () {
    yield 'x'
    await never
  }))
  // One from before is counted when it closes.
  const before = await dial(await listen(app))
  before.send(GET())
  await before.heard('data: x')
  const stop = instrument(app, options)
  const client = await dial(await listen(app))
  client.send(GET())
  await client.heard('data: x')
  before.socket.destroy()
  await until(() => app.eventStreams.open === 1)
  stop()
  const result = await metrics()
  t.match(result['sse.server.active_connections'].map(({ value }) => value), [0])
  t.equal(result['sse.server.events'].reduce((sum, { value }) => sum + value, 0), 2)
  client.socket.destroy()
  await until(() => app.eventStreams.open === 0)
  t.match((await metrics())['sse.server.connection.duration'], [{ count: 1 }])
})

t.test('the end of the app ends it, after the last stream', async t => {
  const { options, metrics } = providers(t)
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.eventStream(() => app.channel('a')))
  instrument(app, options)
  const client = await dial(await listen(app))
  client.send(GET())
  await client.heard('id: ')
  await app.close()
  t.same(listeners(), [])
  const after = await metrics()
  t.match(after['sse.server.active_connections'], [{ value: 0 }])
  t.match(after['sse.server.connection.duration'], [{ 'sse.close.reason': 'shutdown', count: 1 }])
  t.ok(after['sse.server.bytes'][0].value > 0)
  t.notOk('sse.server.queue.bytes' in await metrics(), 'a closed app has nothing to collect')
  // There is nothing to hear of it any more.
  instrument(app, options)()
  instrument(app, options)
  t.same(listeners(), [])
})

t.test('providers that throw: logged once, and the app works', async t => {
  const fail = () => { throw new Error('exporter') }
  const broken = new Proxy({}, { get: () => fail })
  const instrumentOf = () => ({ add: fail, record: fail, addCallback: callback => { callbacks.push(callback) }, removeCallback: fail })
  const callbacks = []
  for (const options of [
    {
      meterProvider: { getMeter: () => new Proxy({}, { get: () => instrumentOf }) },
      tracerProvider: { getTracer: () => ({ startSpan: fail }) }
    },
    { meterProvider: false, tracerProvider: { getTracer: () => ({ startSpan: () => broken }) } }
  ]) {
    const app = await buildApp(t, { templates: new URL('../fixtures/views', import.meta.url).pathname })
    const stop = instrument(app, options)
    app.get('/', (request, reply) => reply.eventStream(async function * () { yield await app.channel('a').publish('x') }))
    app.get('/page', (request, reply) => reply.page('page.html', {}, { block: 'list' }))
    app.get('/a', (request, reply) => reply.eventStream(app.channel('a')))
    const port = await listen(app)
    t.match((await get(port, '/')).body, /data: /)
    const client = await dial(port)
    client.send(GET('/a'))
    await client.heard('id: ')
    await app.channel('a').publish('y')
    await client.heard('data: y')
    t.match(await app.renderFragment(new Fragment('page.html', 'list')), /<ul>/)
    for (const callback of callbacks) callback({ observe: fail })
    t.match(troubles(app), [{ err: { message: /exporter/ }, msg: /OpenTelemetry failed/ }])
    t.equal(troubles(app).length, 1)
    stop()
    client.socket.destroy()
  }
})

t.test('a subscriber of somebody else that throws does not keep us from counting', async t => {
  const { options, metrics } = providers(t)
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.eventStream(['x']))
  const failing = () => { throw new Error('of somebody else') }
  diagnostics.subscribe('fastify-chirp:stream:open', failing)
  const stop = instrument(app, options)
  // Node.js tells the process of it, and that is not what tap expects.
  const uncaught = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  const told = once(process, 'uncaughtException')
  await get(await listen(app))
  const [error] = await told
  for (const listener of uncaught) process.on('uncaughtException', listener)
  diagnostics.unsubscribe('fastify-chirp:stream:open', failing)
  t.equal(error.message, 'of somebody else')
  await until(() => app.eventStreams.open === 0)
  t.match((await metrics())['sse.server.events'], [{ value: 1 }])
  stop()
})

t.test('nothing listens any more, and the process complained of the one subscriber', async t => {
  t.same(listeners(), [])
  t.same(complaints.splice(0), ['uncaughtException: Error: of somebody else'])
})
