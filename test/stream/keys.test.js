// Streams that are closed by key, in one process and in several.
import { once } from 'node:events'
import http from 'node:http'
import t from 'tap'
import { SSEEvent, merge } from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { buildApp, listen, never, until } from '../helpers/app.js'
import { AsyncEngine, engineWith } from '../helpers/engine.js'

const quiet = async function * () {
  yield 'here'
  await never
}

async function build (t, options) {
  const app = await buildApp(t, options)
  app.get('/:key', { live: true }, (request, reply) => reply.eventStream(quiet, { key: request.params.key.split(',') }))
  app.get('/', (request, reply) => reply.eventStream(quiet))
  const client = new TestClient(app, { listen: true })
  const open = async path => {
    const stream = await client.open(path)
    await stream.next()
    return stream
  }
  return { app, client, open }
}

const CLOSED = { event: 'chirp:closed', data: '' }

async function isClosed (t, stream) {
  const last = await stream.next()
  t.match(last, CLOSED)
  t.ok(last.retry >= 5000 && last.retry <= 15000, `a plain EventSource comes back after ${last.retry} ms`)
  t.equal(await stream.next(), undefined)
}

t.test('close() ends the streams of a key, and no other', async t => {
  const { app, open } = await build(t)
  const [ann, both, bob, none] = await Promise.all(['/ann', '/ann,team', '/bob', '/'].map(open))
  t.equal(await app.eventStreams.close('ann'), 2)
  await isClosed(t, ann)
  await isClosed(t, both)
  await until(() => app.eventStreams.open === 2)
  t.same(app.log.lines.filter(({ reason }) => reason === 'closed').length, 2)
  t.equal(await app.eventStreams.close('ann'), 0, 'a key is forgotten with its last stream')
  t.equal(await app.eventStreams.close('team'), 0)
  t.equal(await app.eventStreams.close('nobody'), 0)
  t.equal(await app.eventStreams.close('bob'), 1)
  await isClosed(t, bob)
  none.close()
})

t.test('a stream that has not started is closed too', async t => {
  const app = await buildApp(t)
  let answer
  let pass
  app.get('/source', (request, reply) => reply.eventStream(() => new Promise(resolve => { answer = resolve }), { key: 'ann' }))
  app.get('/hook', { onSend: async () => { await new Promise(resolve => { pass = resolve }) } }, (request, reply) => reply.eventStream(quiet, { key: 'ann' }))
  const client = new TestClient(app)
  const answers = [client.sse('/source'), client.sse('/hook')]
  await until(() => answer !== undefined && pass !== undefined)
  t.equal(await app.eventStreams.close('ann'), 2)
  t.equal(await app.eventStreams.close('ann'), 0, 'one that is closed is not counted again')
  pass()
  for (const { status, events, ended } of await Promise.all(answers)) t.match({ status, events, ended }, { status: 200, events: [CLOSED], ended: true })
  answer(['late'])
  await until(() => app.eventStreams.open === 0)
})

t.test('keys are checked', async t => {
  const app = await buildApp(t)
  app.setErrorHandler((error, request, reply) => reply.code(500).send({ code: error.code, message: error.message }))
  let key
  app.get('/', (request, reply) => reply.eventStream(['a'], { key }))
  for (const wrong of ['', 7, null, [''], ['a', undefined], 'x'.repeat(257), Array(51).fill('a'), {}]) {
    key = wrong
    t.match((await app.inject('/')).json(), { code: 'FST_CHIRP_OPTION', message: /key/ })
    if (!Array.isArray(wrong)) await t.rejects(app.eventStreams.close(wrong), { code: 'FST_CHIRP_OPTION' })
  }
  for (const right of [undefined, [], 'a', ['a', 'a', 'b'], 'x'.repeat(256)]) {
    key = right
    t.equal((await app.inject('/')).statusCode, 200)
  }
  app.eventStreams.close('')
  await until(() => app.log.lines.some(({ msg }) => msg === 'streams were not closed'))
  await t.rejects(async () => { await (await buildApp(t)).register((await import('fastify-chirp')).default, { key: 'a' }) })
})

t.test('app.eventStreams still is its counters', async t => {
  const { app, open } = await build(t)
  const stream = await open('/ann')
  const names = ['open', 'total', 'events', 'bytes', 'dropped', 'errors', 'renders', 'partsPending', 'partsFailed']
  t.same(Object.keys({ ...app.eventStreams }), names)
  t.same(Object.keys(JSON.parse(JSON.stringify(app.eventStreams))), names)
  t.equal(app.eventStreams.open, 1)
  stream.close()
})

for (const [name, create] of Object.entries({ memory: () => new MemoryEngine(), async: () => new AsyncEngine(), 'async that lags': () => new AsyncEngine({ lag: true }) })) {
  t.test(`with an engine (${name}) all processes close`, async t => {
    const engine = create()
    const [one, two] = await Promise.all([build(t, { engine }), build(t, { engine })])
    const streams = await Promise.all([one.open('/ann'), two.open('/ann')])
    const other = await two.open('/bob')
    t.equal(await one.app.eventStreams.close('ann'), 1)
    for (const stream of streams) await isClosed(t, stream)
    t.equal(two.app.eventStreams.errors, 0)
    const again = await one.open('/ann')
    t.equal(await two.app.eventStreams.close('ann'), 0)
    await isClosed(t, again)
    other.close()
  })
}

t.test('a nested registration has its own streams', async t => {
  const { app, open } = await build(t)
  let inner
  await app.register(async scope => {
    await scope.register((await import('fastify-chirp')).default, { debug: false, retry: false })
    inner = scope
    scope.get('/inner', (request, reply) => reply.eventStream(quiet, { key: 'ann' }))
  })
  const stream = await open('/inner')
  t.equal(await app.eventStreams.close('ann'), 0)
  t.equal(await inner.eventStreams.close('ann'), 1)
  await isClosed(t, stream)
})

t.test('what the others were not told rejects, is logged and counted, and those that are here are closed', async t => {
  const { app, open } = await build(t, { engine: engineWith({ publish () { throw new Error('out of reach') } }) })
  const stream = await open('/ann')
  await t.rejects(app.eventStreams.close('ann'), { code: 'FST_CHIRP_ENGINE' })
  await isClosed(t, stream)
  app.eventStreams.close('ann')
  await until(() => app.eventStreams.errors === 2)
  t.equal(app.log.lines.filter(({ msg }) => msg === 'streams were not closed').length, 1, 'an outage is logged once')
})

t.test('an engine that takes its time does not keep streams open', async t => {
  for (const publish of [() => never, () => ({ position: '1-1', previous: '1-0', time: Date.now(), record: {} })]) {
    const { app, open } = await build(t, { engine: engineWith({ publish }) })
    const stream = await open('/ann')
    app.eventStreams.close('ann')
    await until(() => app.eventStreams.open === 0)
    await isClosed(t, stream)
  }
})

t.test('an engine that cannot be listened to is asked again, and what it lost is read', async t => {
  const memory = new MemoryEngine()
  let fails = true
  const listeners = []
  const engine = engineWith({
    publish: (...given) => memory.publish(...given),
    read: (...given) => memory.read(...given),
    listen: (topic, listener) => {
      if (fails) throw new Error('out of reach')
      listeners.push(listener)
      return () => {}
    }
  })
  const { app, open } = await build(t, { engine })
  const stream = await open('/ann')
  await until(() => app.eventStreams.errors > 0)
  fails = false
  await until(() => listeners.length > 0)
  await until(() => app.log.lines.length > 0)
  await new Promise(setImmediate)
  const say = message => memory.publish('chirp:control', { record: { version: 1, data: JSON.stringify(message) }, audience: undefined, history: 100 })
  // Of these it hears the last one only.
  say({ version: 1, from: 'another', close: 'ann' })
  listeners[0](say({ version: 1, from: 'another', close: 'bob' }))
  await isClosed(t, stream)
  const { errors } = app.eventStreams
  for (const record of [{ data: 'x' }, { data: '{"version":2,"close":"ann"}' }, { data: '{"version":1,"close":""}' }, {}]) {
    listeners[0](memory.publish('chirp:control', { record: { version: 1, ...record }, audience: undefined, history: 100 }))
  }
  listeners[0](memory.publish('chirp:control', { record: { version: 7 }, audience: undefined, history: 100 }))
  t.equal(app.eventStreams.errors, errors + 5)
  // More than it can read again.
  for (let n = 0; n < 150; n++) say({ version: 1, from: 'another', close: 'x' })
  listeners[0](say({ version: 1, from: 'another', close: 'x' }))
  await until(() => app.log.lines.some(({ err }) => /lost what other processes/.test(err?.message)))
})

for (const route of [{ live: true }, { referenced: true }, {}]) {
  t.test(`what a hook answers reaches the request of a stream as it is: ${JSON.stringify(route)}`, async t => {
    const app = await buildApp(t)
    let opened = 0
    for (const hook of ['onRequest', 'preHandler']) {
      app.get(`/${hook}/:status`, {
        ...route,
        [hook]: async (request, reply) => {
          const status = Number(request.params.status)
          return status === 303 ? reply.redirect('/sign-in', 303) : reply.code(status).header('hx-redirect', '/sign-in').send({ status })
        }
      }, (request, reply) => {
        opened++
        return reply.eventStream([new SSEEvent({ data: 'secret' })])
      })
    }
    const port = await listen(app)
    for (const hook of ['onRequest', 'preHandler']) {
      for (const status of [401, 403, 303]) {
        const request = http.get({ port, path: `/${hook}/${status}`, headers: { accept: 'text/event-stream' }, agent: false })
        const [response] = await once(request, 'response')
        let body = ''
        for await (const chunk of response) body += chunk
        t.equal(response.statusCode, status)
        if (status === 303) t.equal(response.headers.location, '/sign-in')
        else t.same([JSON.parse(body), response.headers['hx-redirect']], [{ status }, '/sign-in'])
        t.notMatch(response.headers['content-type'], 'event-stream')
      }
    }
    t.same([opened, app.eventStreams.total], [0, 0])
  })
}

t.test('what was published before reaches a stream before it is closed', async t => {
  const app = await buildApp(t)
  const [news, other] = [app.channel('news'), app.channel('other')]
  app.get('/one', { live: true }, (request, reply) => reply.eventStream(news, { key: 'ann' }))
  app.get('/both', { live: true }, (request, reply) => reply.eventStream(merge(news, other), { key: 'ann' }))
  const client = new TestClient(app, { listen: true })
  const streams = await Promise.all(['/one', '/both'].map(path => client.open(path)))
  await until(() => news.size === 2)
  await news.publish('awaited')
  news.publish('and not')
  t.equal(await app.eventStreams.close('ann'), 2)
  for (const stream of streams) {
    t.same([(await stream.next()).data, (await stream.next()).data], ['awaited', 'and not'])
    await isClosed(t, stream)
  }
})
