// Loggers that throw, and values that throw when they are asked what they are.
import t from 'tap'
import { Fragment, Fragments, merge, SSEEvent } from 'fastify-chirp'
import { buildApp, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

const views = new URL('../fixtures/views', import.meta.url).pathname

function revoked (target = {}) {
  const { proxy, revoke } = Proxy.revocable(target, {})
  revoke()
  return proxy
}

function watchProcess (t) {
  const seen = []
  const listener = error => { seen.push(error) }
  for (const event of ['unhandledRejection', 'uncaughtException']) {
    process.on(event, listener)
    t.teardown(() => process.removeListener(event, listener))
  }
  return seen
}

for (const name of ['err', 'route', 'reason']) {
  t.test(`a serializer of "${name}" that always throws costs no stream`, async t => {
    const seen = watchProcess(t)
    const app = await buildApp(t, {}, { logger: { serializers: { [name] () { throw new Error('serializer') } }, stream: { write () {} } } })
    const channel = app.channel('news')
    app.get('/values', (request, reply) => reply.eventStream([new Map(), 'after']))
    app.get('/fails', (request, reply) => reply.eventStream((function * () { yield 'one'; throw new Error('source') })()))
    app.get('/channel', (request, reply) => reply.eventStream(channel))
    app.get('/filter', (request, reply) => reply.eventStream(channel.subscribe({ filter () { throw new Error('filter') } })))
    const client = new TestClient(app)
    t.match(await (await client.open('/values')).next(), { data: 'after' })
    t.match((await app.inject('/fails')).body, 'chirp:error')
    const streams = [await client.open('/filter'), await client.open('/channel')]
    await until(() => channel.size === 2)
    channel.publish(new Map())
    channel.publish('some', { audience: 'ann' })
    channel.publish('all')
    t.match(await streams[1].next(), { data: 'all' })
    await app.close()
    t.equal(app.eventStreams.open, 0)
    t.same(seen, [])
  })
}

t.test('what cannot be asked what it is gets an error of ours, wherever it is given', async t => {
  const app = await buildApp(t, { templates: views, debug: true })
  const channel = app.channel('news')
  class Nameless { static get name () { throw new Error('name') } }
  const hostile = [revoked(), revoked([]), new Nameless(), new Proxy({}, { getPrototypeOf () { throw new Error('no') }, ownKeys () { throw new Error('no') } })]
  for (const value of hostile) {
    for (const call of [
      () => new Fragment('a.html', 'b', {}, { target: value }), () => new Fragment('a.html', 'b', {}, { id: value }), () => new Fragments(value), () => new Fragments([value]),
      () => new SSEEvent({ id: value }), () => app.channel(value), () => channel.subscribe({ signal: value }),
      () => channel.presence().join('ann', { signal: value }), () => merge(value)
    ]) t.throws(call, { code: /^FST_CHIRP_/ }, call.toString())
    await t.rejects(app.renderFragment(value), { code: 'FST_CHIRP_FRAGMENT' })
    await t.rejects(app.checkContracts({ external: value }), { code: 'FST_CHIRP_OPTION' })
  }
  for (const value of [revoked(), { get target () { throw new Error('getter') } }]) {
    for (const call of [
      () => new Fragment('a.html', 'b', {}, value), () => new Fragments([new Fragment('a.html', 'b')], value), () => new SSEEvent(value),
      () => app.channel('other', value), () => channel.subscribe(value), () => channel.presence().join('ann', value)
    ]) t.throws(call, { code: /^FST_CHIRP_/, message: /cannot be read/ }, call.toString())
    await t.rejects(channel.publish('x', value), { code: 'FST_CHIRP_OPTION' })
  }
  await t.rejects(channel.publish(revoked()), { code: 'FST_CHIRP_VALUE' })
  t.throws(() => channel.subscribe({ signal: Object.create(AbortSignal.prototype) }), { code: 'FST_CHIRP_OPTION' })
})

t.test('one value that cannot be read costs itself alone, and a source or locals get an error of ours', async t => {
  const app = await buildApp(t, { templates: views })
  const sources = {
    plain: () => [revoked(), 'after'],
    merged: () => merge(app.channel('news'), [revoked(), 'after'])
  }
  app.get('/source', (request, reply) => reply.eventStream(revoked()))
  app.get('/locals', (request, reply) => {
    reply.locals = revoked()
    return reply.page('page.html')
  })
  for (const [name, source] of Object.entries(sources)) app.get(`/${name}`, (request, reply) => reply.eventStream(source()))
  const client = new TestClient(app)
  for (const name of Object.keys(sources)) {
    const stream = await client.open(`/${name}`)
    let event
    do event = await stream.next(); while (event.data !== 'after')
    t.equal(event.data, 'after')
    await stream.close()
  }
  t.match((await app.inject('/source')).json(), { code: 'FST_CHIRP_SOURCE' })
  t.match((await app.inject('/locals')).json(), { code: /^FST_CHIRP_(RENDER|TEMPLATE_NOT_FOUND)$/ })
})

t.test('a promise whose methods throw does not reach a stream that ends', async t => {
  const seen = watchProcess(t)
  const app = await buildApp(t)
  const fail = () => { throw new Error('replaced') }
  app.get('/promise', (request, reply) => reply.eventStream({
    [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}), return: () => Object.assign(Promise.resolve(), { then: fail, catch: fail }) })
  }))
  const client = new TestClient(app)
  const stream = await client.open('/promise')
  await until(() => app.eventStreams.open === 1)
  await stream.close()
  await until(() => app.eventStreams.open === 0)
  t.same(seen, [])
})
