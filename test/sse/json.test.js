// Values that JSON would send as {}: refused, with what to do instead.
import { Readable } from 'node:stream'
import nunjucks from 'nunjucks'
import t from 'tap'
import { Fragment, Fragments, SSEEvent } from 'fastify-chirp'
import { buildApp } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

class Query {
  table = 'users'
  then () {}
}

class Failure extends Error {
  toJSON () {
    return { failed: this.message }
  }
}

class Page {
  items = [1, 2];
  * [Symbol.iterator] () { yield * this.items }
}

class Settings {}

function * numbers () { yield 1 }

const HOLLOW = {
  promise: [() => Promise.resolve(1), /^a promise.*Await it first/],
  'query that was not awaited': [() => new Query(), /^a promise.*Await it first/],
  Map: [() => new Map([[1, 2]]), /^a Map.*Object\.fromEntries\(map\)/],
  Set: [() => new Set([1]), /^a Set.*\[\.\.\.set\]/],
  Error: [() => new Error('secret'), /^an error.*Send its message/],
  generator: [() => numbers(), /^an iterator.*\[\.\.\.values\]/],
  'iterator of an array': [() => [1].values(), /^an iterator.*\[\.\.\.values\]/],
  URLSearchParams: [() => new URLSearchParams('a=1'), /^an iterator.*\[\.\.\.values\]/],
  'async generator': [() => (async function * () {})(), /^an async iterator.*yield \* it/],
  Readable: [() => Readable.from(['a']), /^an async iterator.*yield \* it/],
  WeakMap: [() => new WeakMap(), /^an object of class WeakMap.*Send what is in it/],
  RegExp: [() => /x/, /^an object of class RegExp.*Send what is in it/],
  Response: [() => new Response('{}'), /^an object of class Response.*Send what is in it/]
}

t.test('what JSON would send as {} is refused by publish(), with what to do instead', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a')
  for (const [name, [make, message]] of Object.entries(HOLLOW)) {
    const error = await channel.publish(make()).then(() => undefined, error => error)
    t.equal(error?.code, 'FST_CHIRP_VALUE', name)
    t.match(error.message.replace('Cannot send this value: ', ''), message, name)
    if (name.startsWith('query')) continue
    for (const value of [{ user: make() }, { deep: [{ user: make() }] }]) {
      await t.rejects(channel.publish(value), { code: 'FST_CHIRP_VALUE', message: / in "user"/ }, `${name} in an object`)
    }
  }
  t.equal(app.eventStreams.errors, 3 * Object.keys(HOLLOW).length - 2)
  t.match(await channel.publish('fine'), /-1$/)
})

t.test('the same as data of an event is FST_CHIRP_EVENT', async t => {
  for (const [name, [make]] of Object.entries(HOLLOW)) t.throws(() => new SSEEvent({ data: make() }), { code: 'FST_CHIRP_EVENT' }, name)
  t.throws(() => new SSEEvent({ data: { user: Promise.resolve(1) } }), { code: 'FST_CHIRP_EVENT', message: 'Cannot make an SSEEvent: a promise in "user" would arrive as {}. Await it first' })
})

t.test('the same yielded inside an object is left out of a stream, which goes on', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.eventStream(async function * () {
    yield { user: Promise.resolve({ name: 'Ann' }) }
    yield Promise.resolve('awaited')
    yield { ok: true }
  }))
  const { events } = await new TestClient(app).sse('/')
  t.same(events, [{ data: 'awaited' }, { data: '{"ok":true}' }])
  const [{ err }] = app.log.lines.filter(({ level }) => level === 50)
  t.match(err, { code: 'FST_CHIRP_VALUE', message: 'Cannot send this value: a promise in "user" would arrive as {}. Await it first' })
})

t.test('a source of its own that gives a promise as a value is told to await it', async t => {
  const app = await buildApp(t, { debug: true })
  let n = 0
  const source = { [Symbol.asyncIterator]: () => ({ next: async () => n++ === 0 ? { value: [Promise.resolve(1)] } : { done: true } }) }
  app.get('/', (request, reply) => reply.eventStream(source))
  const { events } = await new TestClient(app).sse('/')
  t.same(events, [{ event: 'chirp:error', data: 'Cannot send this value: a promise in "0" would arrive as {}. Await it first' }])
})

t.test('what is empty, or says itself how it reads in JSON, is sent', async t => {
  const app = await buildApp(t)
  const coded = Object.assign(new Error('x'), { code: 'E' })
  const values = [
    [{}, '{}'], [{ a: {}, b: [] }, '{"a":{},"b":[]}'], ['{}', '{}'], [[{ text: '{}' }], '[{"text":"{}"}]'], [new Settings(), '{}'], [Object.create(null), '{}'],
    [{ a: {}, failure: new Failure('x') }, '{"a":{},"failure":{"failed":"x"}}'], [{ a: {}, coded }, '{"a":{},"coded":{"code":"E"}}'],
    [{ a: {}, page: new Page() }, '{"a":{},"page":{"items":[1,2]}}'], [{ a: {}, at: new Date(0) }, '{"a":{},"at":"1970-01-01T00:00:00.000Z"}'],
    // eslint-disable-next-line no-new-wrappers
    [{ a: {}, b: new Boolean(true), s: new String('') }, '{"a":{},"b":true,"s":""}'],
    [{ a: {}, bytes: Buffer.from('x') }, '{"a":{},"bytes":{"type":"Buffer","data":[120]}}'],
    [{ then: 'not a function' }, '{"then":"not a function"}'],
    [new SSEEvent({ data: { toJSON: () => 5, then () {} } }), '5']
  ]
  app.get('/', (request, reply) => reply.eventStream(values.map(([value]) => value)))
  const { events } = await new TestClient(app).sse('/')
  t.same(events.map(({ data }) => data), values.map(([, data]) => data))
})

t.test('code of the app that throws whatever it likes while JSON is made is FST_CHIRP_VALUE', async t => {
  const app = await buildApp(t)
  const channel = app.channel('a')
  const values = [
    { toJSON () { throw null } }, // eslint-disable-line no-throw-literal
    { get secret () { throw undefined } }, // eslint-disable-line no-throw-literal
    { get then () { throw new Error('no') } },
    { toJSON () { throw Object.create(null) } },
    new Proxy({}, { ownKeys () { throw new Error('no') } })
  ]
  for (const value of values) await t.rejects(channel.publish(value), { code: 'FST_CHIRP_VALUE' })
  for (const value of values) t.throws(() => new SSEEvent({ data: value }), { code: 'FST_CHIRP_EVENT' })
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  await t.rejects(channel.publish({ a: {}, revoked: revoked.proxy }), { code: 'FST_CHIRP_VALUE' })
  t.match(await channel.publish('fine'), /-1$/)
})

t.test('the log says once what went wrong, and where it came from', async t => {
  const env = new nunjucks.Environment(new nunjucks.FileSystemLoader([]), { autoescape: true, throwOnUndefined: true })
  env.addGlobal('fail', () => { throw new Error('out of paper') })
  const template = new nunjucks.Template('{% block a %}{{ fail() }}{% endblock %}', env, 'a.html')
  env.getTemplate = (name, eager, parent, ignoreMissing, callback) => callback === undefined ? template : callback(null, template)
  const app = await buildApp(t, { templates: env })
  const channel = app.channel('a')
  const errors = [
    await channel.publish(new Fragment('a.html', 'a')).catch(error => error),
    await channel.publish({ toJSON () { throw new Error('no ink') } }).catch(error => error),
    await channel.publish(new Fragments([new Fragment('a.html', 'a')])).catch(error => error)
  ]
  t.equal(errors[0].cause.message, 'out of paper', 'the error itself has its cause')
  const lines = app.log.lines.filter(({ level }) => level === 50)
  t.same(lines.map(({ err: { message } }) => message), [errors[0].message, errors[1].message, errors[2].message.replace(/^.*?: /, '')])
  for (const { err } of lines) t.match(err.stack, /at .*\n[^]*caused by: Error: (out of paper|no ink)/)
  t.match(lines[0].err, { type: 'FastifyError', code: 'FST_CHIRP_RENDER' })
})

t.test('an error whose cause says something else is logged with both texts', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.eventStream(async function * () { throw new Error('no orders', { cause: new Error('the table is gone') }) }))
  await new TestClient(app).sse('/')
  const [{ err }] = app.log.lines.filter(({ level }) => level === 50)
  t.equal(err.message, 'no orders: the table is gone')
})

t.test('in debug the log says that a box took the place of what failed', async t => {
  const app = await buildApp(t, { debug: true })
  const channel = app.channel('a')
  app.get('/', (request, reply) => reply.eventStream(channel))
  const stream = await new TestClient(app).open('/')
  await t.rejects(channel.publish(new Fragment('a.html', 'a', {}, { target: 'x' })), { code: 'FST_CHIRP_NO_TEMPLATES' })
  t.match(await stream.next(), { event: 'x', data: /chirp-block-error/ })
  await t.rejects(channel.publish(undefined), { code: 'FST_CHIRP_VALUE' })
  const closed = channel.publish(new Fragment('a.html', 'a'))
  channel.close()
  await t.rejects(closed, { code: 'FST_CHIRP_NO_TEMPLATES' })
  await new Promise(setImmediate)
  t.same(app.log.lines.filter(({ level }) => level === 50).map(({ msg }) => msg), [
    'the error box of an event of channel "a" was published instead of it',
    'an event of channel "a" was not published',
    'an event of channel "a" was not published'
  ])
})
