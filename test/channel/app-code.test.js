// Code of the app that channels call: what it throws or rejects with never changes our state, nor ends the process.
import { EventEmitter, once } from 'node:events'
import http from 'node:http'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { Fragment, merge } from 'fastify-chirp'
import { buildApp, listen, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

/** What would have ended the process while a test ran. */
function watchProcess (t) {
  const seen = []
  const listener = error => { seen.push(error) }
  for (const event of ['unhandledRejection', 'uncaughtException', 'warning']) {
    process.on(event, listener)
    t.teardown(() => process.removeListener(event, listener))
  }
  return seen
}

const errorsOf = app => app.log.lines.filter(({ level }) => level === 50).map(({ msg, err }) => [msg, String(err?.message)])

t.test('listeners of a presence that throw or reject are logged, and change nothing', async t => {
  const seen = watchProcess(t)
  const app = await buildApp(t)
  const channel = app.channel('room')
  const people = channel.presence()
  const heard = []
  for (const event of ['join', 'leave']) {
    people.on(event, () => { throw new Error(`${event} throws`) })
    people.on(event, async () => { throw new Error(`${event} rejects`) })
    people.once(event, () => { throw undefined }) // eslint-disable-line no-throw-literal
    people.on(event, function (member) { heard.push([event, member, this === people]) })
  }
  app.get('/', (request, reply) => reply.eventStream(({ signal }) => {
    people.join('ann', { signal, info: 1 })
    return channel
  }))
  const request = http.get({ port: await listen(app), host: '127.0.0.1', path: '/' })
  const [response] = await once(request, 'response')
  response.on('error', () => {})
  t.equal(people.size, 1)
  request.destroy()
  await until(() => app.eventStreams.open === 0)
  await turn()
  t.same(seen, [])
  t.equal(people.size, 0)
  t.same(heard, [['join', { key: 'ann', info: 1, count: 1 }, true], ['leave', { key: 'ann', info: 1, count: 0 }, true]])
  t.same(errorsOf(app).map(([, text]) => text).sort(), ['join rejects', 'join throws', 'leave rejects', 'leave throws', 'undefined', 'undefined'])
  t.equal(errorsOf(app)[0][0], 'a "join" listener of the presence of channel "room" failed')
  t.equal(app.eventStreams.errors, 6)
  people.join('bob')()
  await turn()
  t.equal(app.eventStreams.errors, 10, 'once() was once')
})

t.test('what publish() has told already is not told again by the listener that gives it back', async t => {
  const seen = watchProcess(t)
  const app = await buildApp(t)
  const room = app.channel('room')
  const people = room.presence()
  people.on('join', () => room.publish(new Fragment('none.html', 'none')))
  people.on('leave', async () => { await room.publish(undefined) })
  people.join('ann')()
  await until(() => app.eventStreams.errors === 2)
  await turn()
  t.equal(app.eventStreams.errors, 2)
  t.same(seen, [])
})

t.test('join() with something that is no signal is refused, and nobody has joined', async t => {
  const people = (await buildApp(t)).channel('room').presence()
  t.throws(() => people.join('ann', { signal: {} }), { code: 'FST_CHIRP_OPTION', message: /"signal" of presence\.join\(\) must be an AbortSignal/ })
  t.throws(() => people.join('ann', null), { code: 'FST_CHIRP_OPTION', message: /options of presence\.join\(\) must be an object, not null/ })
  t.same(people.members(), [])
})

t.test('a filter that throws ends its own stream, and the others go on', async t => {
  const seen = watchProcess(t)
  const app = await buildApp(t)
  const channel = app.channel('a')
  const filters = { throws: () => { throw new Error('no user') }, rejects: async () => { throw new Error('no database') }, waits: async () => true, good: () => true }
  app.get('/:filter', ({ params }, reply) => reply.eventStream(channel.subscribe({ filter: filters[params.filter] })))
  const client = new TestClient(app)
  const streams = await Promise.all(Object.keys(filters).map(name => client.open(`/${name}`)))
  channel.publish('x', { audience: 'ann' })
  await until(() => channel.size === 1)
  t.same(await Promise.all(streams.map(stream => stream.next().then(({ data }) => data))), [...Array(3).fill('Internal Server Error'), 'x'])
  await turn()
  t.same(seen, [])
  t.same(errorsOf(app).map(([, text]) => text.slice(0, 60)), ['no user', ...Array(2).fill('fastify-chirp: option "filter" must answer at once, not with a promise'.slice(0, 60))])
  streams[3].close()
})

t.test('an audience that JSON refuses is refused where values replace each other, and nothing is kept of it', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a', { latest: true })
  const circular = {}
  circular.self = circular
  await t.rejects(channel.publish('x', { audience: circular }), { code: 'FST_CHIRP_OPTION', message: /audience.*plain data/ })
  await t.rejects(channel.publish('x', { audience: { toJSON () { throw null } } }), { code: 'FST_CHIRP_OPTION' }) // eslint-disable-line no-throw-literal
  const iterator = channel.subscribe({ filter: () => true })[Symbol.asyncIterator]()
  await channel.publish('y', { audience: { shop: 'a' } })
  t.equal((await iterator.next()).value.record.data, 'y')
  await iterator.return()
})

t.test('a clientKey that throws or rejects is an error of its request', async t => {
  const seen = watchProcess(t)
  for (const [clientKey, message] of [[() => { throw new Error('no key') }, /no key/], [async () => { throw new Error('late') }, /clientKey.*must return a string/]]) {
    const app = await buildApp(t, { maxStreamsPerClient: 1, clientKey })
    app.get('/', (request, reply) => reply.eventStream(app.channel('a')))
    const response = await app.inject('/')
    t.equal(response.statusCode, 500)
    t.match(response.json().message, message)
    t.equal(app.eventStreams.open, 0)
  }
  await turn()
  t.same(seen, [])
})

t.test('one signal and one presence serve any number, without a warning, and nothing is left of them', async t => {
  const seen = watchProcess(t)
  const app = await buildApp(t)
  const channel = app.channel('a')
  const people = channel.presence()
  const controller = new AbortController()
  const { signal } = controller
  const added = []
  const { addEventListener, removeEventListener } = signal
  signal.addEventListener = function (...values) {
    added.push(1)
    return addEventListener.apply(this, values)
  }
  signal.removeEventListener = function (...values) {
    added.pop()
    return removeEventListener.apply(this, values)
  }
  app.get('/', (request, reply) => reply.eventStream(merge(channel.subscribe({ signal }), channel.subscribe({ signal }))))
  const client = new TestClient(app)
  const streams = await Promise.all(Array.from({ length: 15 }, () => client.open('/')))
  const iterators = Array.from({ length: 15 }, () => channel.subscribe({ signal })[Symbol.asyncIterator]())
  for (let n = 0; n < 15; n++) people.on('join', () => {}).on('leave', () => {})
  const leaves = Array.from({ length: 15 }, (_, n) => people.join(`${n}`, { signal }))
  t.equal(added.length, 1)
  for (const stream of streams.slice(5)) stream.close()
  for (const iterator of iterators.slice(5)) await iterator.return()
  for (const leave of leaves.slice(5)) leave()
  await until(() => app.eventStreams.open === 5)
  t.equal(added.length, 1)
  t.equal(people.size, 5)
  controller.abort()
  await until(() => app.eventStreams.open === 0)
  t.equal(channel.size, 0)
  t.equal(people.size, 0)
  for (const iterator of iterators) t.same(await iterator.next(), { done: true, value: undefined })
  const other = new AbortController()
  for (let n = 0; n < 3; n++) people.join('ann', { signal: other.signal })()
  await turn()
  t.same(seen, [])
  t.ok(people instanceof EventEmitter)
})
