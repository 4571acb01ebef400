// What a route, its options and its hooks mean for a stream, and what debug warns of.
import { finished } from 'node:stream'
import { once } from 'node:events'
import http from 'node:http'
import t from 'tap'
import cookie from '@fastify/cookie'
import Fastify from 'fastify'
import chirp, { Fragment, Fragments, SSEEvent } from 'fastify-chirp'
import { buildApp, listen, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { data } from '../helpers/result.js'

t.test('referenced routes carry the mark in their config', async t => {
  const app = await buildApp(t)
  const handler = (request, reply) => reply.eventStream([JSON.stringify(request.routeOptions.config)])
  app.get('/a', { referenced: true, events: ['news'], config: { own: 1 } }, handler)
  app.register(async app => { app.get('/b', { referenced: true }, handler) }, { prefix: '/in' })
  app.get('/c', { referenced: false }, handler)
  app.get('/d', handler)
  const config = async path => JSON.parse((await new TestClient(app).sse(path)).events[0].data)
  t.match(await config('/a'), { referenced: true, events: ['news'], own: 1 })
  t.match(await config('/in/b'), { referenced: true })
  t.notOk('referenced' in await config('/c'))
  t.notOk('referenced' in await config('/d'), 'an unmarked route streams too')
})

t.test('bad route options are refused when the route is added', async t => {
  const app = await buildApp(t)
  const handler = (request, reply) => reply.eventStream([])
  t.throws(() => app.get('/a', { referenced: 'yes' }, handler), { code: 'FST_CHIRP_OPTION', message: /"referenced" of \/a must be true or false/ })
  t.throws(() => app.get('/b', { events: 'news' }, handler), { code: 'FST_CHIRP_OPTION', message: /"events" of \/b must be a list/ })
  t.throws(() => app.get('/c', { events: ['a\nb'] }, handler), { code: 'FST_CHIRP_OPTION' })
})

t.test('a response schema and handlerTimeout do not break a stream', async t => {
  const app = await buildApp(t, {}, { handlerTimeout: 500 })
  app.get('/', { schema: { response: { 200: { type: 'object', properties: { a: { type: 'string' } } } } } }, (request, reply) =>
    reply.eventStream(async function * () {
      yield 'a'
      await new Promise(resolve => setTimeout(resolve, 700))
      yield 'b'
    }))
  t.same(data(await new TestClient(app, { listen: true }).sse('/')), ['a', 'b'])
})

t.test('connectionTimeout does not end a quiet stream', async t => {
  const app = await buildApp(t, {}, { connectionTimeout: 1000 })
  app.get('/', (request, reply) => reply.eventStream(async function * () {
    yield 'a'
    await new Promise(resolve => setTimeout(resolve, 1500))
    yield 'b'
  }))
  t.same(data(await new TestClient(app, { listen: true }).sse('/')), ['a', 'b'])
})

async function trailersOf (app, path) {
  const port = await listen(app)
  const [response] = await once(http.get({ port, path }), 'response')
  response.resume()
  await once(response, 'end')
  return response.trailers
}

t.test('trailers come after the last event', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => {
    reply.trailer('x-count', async () => '2')
    return reply.eventStream(['a', 'b'])
  })
  t.equal((await trailersOf(app, '/'))['x-count'], '2')
})

t.test('it is encapsulated like any plugin', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(async one => {
    await one.register(chirp, { retry: 1 })
    one.get('/one', (request, reply) => reply.eventStream(['a']))
  })
  await app.register(async two => {
    await two.register(chirp, { retry: 2 })
    two.get('/two', (request, reply) => reply.eventStream(['a']))
  })
  t.notOk(app.hasDecorator('eventStreams'))
  t.equal((await new TestClient(app).sse('/one')).retry, 1)
  t.equal((await new TestClient(app).sse('/two')).retry, 2)
})

t.test('a marked route, which takes a shorter way to the response, keeps every promise of an unmarked one', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  const order = []
  const note = name => async (request, reply, payload) => {
    order.push(name)
    reply.header(`x-${name}`, 'yes')
    return payload
  }
  await app.register(cookie)
  app.addHook('onSend', note('before'))
  await app.register(chirp, { retry: false })
  app.addHook('onSend', (request, reply, payload, done) => {
    reply.raw.setHeader('x-raw', 'yes')
    done(null, payload)
  })
  // Another plugin's hook, added to the route after ours.
  app.addHook('onRoute', route => { route.onSend = [route.onSend, note('later')].flat().filter(Boolean) })
  app.addHook('onResponse', async () => { order.push('response') })
  const marked = { referenced: true }
  app.get('/', { ...marked, onSend: note('own') }, (request, reply) => reply.code(201).setCookie('a', 'b').eventStream(['a']))
  app.get('/list', { ...marked, onSend: [note('own'), note('second')] }, (request, reply) => reply.eventStream(['a']))
  app.get('/none', marked, (request, reply) => reply.code(204).eventStream(['a']))
  app.get('/trailer', marked, (request, reply) => {
    reply.trailer('x-count', async () => '1')
    return reply.eventStream(['a'])
  })
  app.get('/bad-header', marked, (request, reply) => reply.header('x-bad', 'a\nb').eventStream(['a']))
  app.get('/not-a-stream', marked, async () => ({ plain: true }))
  app.get('/fails', marked, () => { throw new Error('no stream') })
  for (const overSocket of [false, true]) {
    const client = new TestClient(app, { listen: overSocket })
    order.length = 0
    const result = await client.sse('/')
    t.equal(result.status, 201)
    t.same(result.events, [{ data: 'a' }])
    t.match(result.headers, { 'x-before': 'yes', 'x-own': 'yes', 'x-later': 'yes', 'x-raw': 'yes', 'content-type': /event-stream/ })
    t.match(String(result.headers['set-cookie']), /a=b/)
    await until(() => order.includes('response'))
    t.same(order, ['before', 'own', 'later', 'response'])
    order.length = 0
    await client.sse('/list')
    t.same(order.slice(0, 4), ['before', 'own', 'second', 'later'])
    t.match(await client.sse('/none'), { status: 204, events: [], body: '' })
    t.same((await client.sse('/trailer')).events, [{ data: 'a' }])
    t.equal((await client.sse('/not-a-stream')).body, '{"plain":true}')
    t.match(await client.sse('/fails'), { status: 500, body: /no stream/ })
    t.equal((await client.sse('/bad-header')).status, 500)
    await until(() => app.eventStreams.open === 0)
  }
  t.equal((await trailersOf(app, '/trailer'))['x-count'], '1')
})

t.test('names that cause trouble are warned about once, in debug', async t => {
  const names = ['error', 'open', 'message', 'hx:release', 'htmx:load', 'chirp:gap', 'click', 'change', 'submit', 'revealed', 'load', 'pointerdown']
  for (const debug of [true, false]) {
    const app = await buildApp(t, { debug })
    const values = [...names, 'fine', 'progress'].flatMap(event => [new SSEEvent({ event }), new SSEEvent({ event })])
    app.get('/', (request, reply) => reply.eventStream(['plain', ...values]))
    app.get('/named', (request, reply) => reply.eventStream(['plain'], { event: 'input', closeEvent: 'close' }))
    app.get('/fragment', (request, reply) => reply.eventStream([new Fragment('a', 'b', {}, { target: 'focus' }), new Fragments([new Fragment('a', 'b', {}, { target: 'blur' })])]))
    t.equal((await new TestClient(app).sse('/')).events.length, 29, 'they are sent all the same')
    for (const path of ['/', '/named', '/fragment']) await new TestClient(app).sse(path)
    const warned = app.log.lines.filter(line => line.level === 40).map(line => /"([^"]+)" causes trouble: .+\. Choose another one/.exec(line.msg)?.[1])
    t.same(warned, debug ? [...names, 'input', 'close', 'focus'] : [])
  }
})

t.test('an id that htmx 4 could not send back is warned about once, in debug', async t => {
  const fragment = id => new Fragment('a', 'b', {}, { id })
  const values = [new SSEEvent({ id: 'größe' }), fragment('größe'), new Fragments([new Fragment('a', 'b')], { id: 'größe' })]
  for (const value of values) {
    for (const debug of [true, false]) {
      const app = await buildApp(t, { debug })
      app.get('/', (request, reply) => reply.eventStream([new SSEEvent({ id: '7 ~' }), value, value]))
      await new TestClient(app).sse('/')
      const warned = app.log.lines.filter(line => line.level === 40).map(line => line.msg)
      t.same(warned, debug ? ['the id "größe" has characters beyond ASCII. Several clients, htmx 4 among them, cannot send it back: they fail and never reconnect. Use letters and digits'] : [])
    }
  }
})

t.test('a hook may stop watching the payload', async t => {
  const app = await buildApp(t)
  app.addHook('onSend', async (request, reply, payload) => { finished(payload, () => {})() })
  for (const [path, referenced] of [['/', true], ['/unmarked', false]]) app.get(path, { referenced }, (request, reply) => reply.eventStream(['a']))
  for (const path of ['/', '/unmarked']) t.same((await new TestClient(app).sse(path)).events, [{ data: 'a' }])
})
