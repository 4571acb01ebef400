// What sources do that they should not.
import { once } from 'node:events'
import http from 'node:http'
import { Readable } from 'node:stream'
import t from 'tap'
import '../helpers/complaints.js'
import { Fragment } from 'fastify-chirp'
import { buildApp, listen, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { controlled, dial, get, GET, troubles } from '../helpers/raw.js'

t.test('what sources do', async t => {
  const iterator = (key, next) => ({ [key]: () => ({ n: 0, next }) })
  const { asyncIterator: A, iterator: S } = Symbol

  t.test('next() that is not as it should be', async t => {
    const app = await buildApp(t, { debug: true })
    const cases = {
      'no promise': [iterator(A, function () { return this.n++ ? { done: true } : { value: 'a' } }), 'data: a\n\n'],
      'a thenable': [iterator(A, function () { return { then: resolve => resolve(this.n++ ? { done: true } : { value: 'a' }) } }), 'data: a\n\n'],
      'undefined in the end': [iterator(S, function () { return this.n++ ? undefined : { value: 'a' } }), /^data: a\n\nevent: chirp:error\ndata: .*\n\n$/],
      'a promise of undefined': [iterator(A, async function () { return this.n++ ? undefined : { value: 'a' } }), /^data: a\n\nevent: chirp:error\ndata: .*\n\n$/],
      'a thenable that rejects': [iterator(A, () => ({ then: (resolve, reject) => reject(new Error('no')) })), 'event: chirp:error\ndata: no\n\n'],
      'a thenable that throws': [iterator(A, () => ({ then () { throw new Error('no') } })), 'event: chirp:error\ndata: no\n\n'],
      'a getter that throws': [iterator(A, () => ({ get done () { throw new Error('no') } })), 'event: chirp:error\ndata: no\n\n'],
      'a promise of a rejection': [() => [Promise.reject(new Error('no'))], 'event: chirp:error\ndata: no\n\n'],
      'its own return, sync': [() => { const self = (function * () { yield 'a'; self.return(); yield 'b' })(); return self }, /^data: a\n\nevent: chirp:error\ndata: Generator is already running\n\n$/],
      'its own return, async': [() => { const self = (async function * () { yield 'a'; self.return(); yield 'b'; yield 'c' })(); return self }, 'data: a\n\ndata: b\n\n'],
      'destroyed before': [() => { const self = Readable.from(['a']); self.destroy(); return self }, /^event: chirp:error\ndata: .*\n\n$/],
      'a proxy of an array': [new Proxy(['a', 'b'], {}), 'data: a\n\ndata: b\n\n']
    }
    app.get('/:name', (request, reply) => reply.eventStream(cases[request.params.name][0]))
    const port = await listen(app)
    for (const [name, [, wanted]] of Object.entries(cases)) {
      const { status, body } = await get(port, `/${encodeURIComponent(name)}`)
      t.equal(status, 200)
      const events = body.replace(': open\n', '')
      if (typeof wanted === 'string') t.equal(events, wanted, name)
      else t.match(events, wanted, name)
    }
    await until(() => app.eventStreams.open === 0)
  })

  for (const debug of [true, false]) {
    t.test(`values that fight back cost themselves and nothing else${debug ? ', in debug' : ''}`, async t => {
      const app = await buildApp(t, { debug, templates: 'test/fixtures/hardening' })
      const fail = () => { throw new Error('no') }
      const cyclic = {}
      cyclic.self = cyclic
      const values = [
        { get x () { return fail() } }, { toJSON: fail }, { toJSON () { throw null } }, { toJSON () { throw Object.create(null) } }, cyclic, // eslint-disable-line no-throw-literal
        new Proxy({ a: 1 }, { ownKeys: fail }), new Proxy({ a: 1 }, { get: (target, key) => key === 'toJSON' ? fail() : target[key] }),
        Object.defineProperty([], 0, { get: fail, enumerable: true }), 10n, { big: 10n }, new DataView(new ArrayBuffer(1)), new Uint8Array(1), new Map([[1, 2]]),
        new Fragment('block.html', 'item', new Proxy({}, { ownKeys: fail })), new Fragment('block.html', 'item', { get text () { return fail() } }),
        new Fragment('../package.json', 'item'), new Fragment('nothing.html', 'item'), new Fragment('block.html', '__proto__')
      ]
      const fine = [new Proxy({ a: 1 }, {}), new Date(0), Object.create(null), NaN, -0, { toJSON: () => 'text' }, Object('boxed'), [undefined]]
      app.get('/', (request, reply) => reply.eventStream(function * () {
        for (const value of values) {
          yield value
          yield 'next'
        }
        yield * fine
      }))
      const { events } = await new TestClient(app, { listen: true }).sse('/')
      const data = events.map(({ data }) => data)
      t.same(data.slice(-fine.length), ['{"a":1}', '"1970-01-01T00:00:00.000Z"', '{}', 'null', '0', '"text"', '"boxed"', '[null]'])
      t.equal(data.filter(text => text === 'next').length, values.length)
      t.equal(events.length, (debug ? 2 : 1) * values.length + fine.length)
      t.equal(app.eventStreams.errors, values.length)
      // In debug the checker may have begun to warn about the app too.
      t.equal(troubles(app).filter(({ level }) => level === 50).length, values.length)
    })
  }

  t.test('a value of 50 MB arrives whole, and small ones keep their order around it', async t => {
    const app = await buildApp(t)
    const control = controlled()
    app.get('/', (request, reply) => reply.eventStream(control.source))
    const request = http.get({ port: await listen(app), agent: false })
    const [response] = await once(request, 'response')
    let length = 0
    let tail = ''
    response.setEncoding('latin1').on('data', chunk => {
      length += chunk.length
      tail = (tail + chunk).slice(-40)
    })
    for (const value of ['before', `${'x'.repeat(25e6)}\r${'y'.repeat(25e6)}`, 'after']) control.give(value)
    await until(() => tail.endsWith('data: after\n\n'))
    t.equal(length, ': open\ndata: before\n\n'.length + 50e6 + 'data: \ndata: \n\n'.length + 'data: after\n\n'.length)
    t.ok(tail.includes('yyy\n\ndata: after'))
    request.destroy()
    await until(() => app.eventStreams.open === 0)
  })

  t.test('a source that yields for ever without a pause ends with its client, and others are served meanwhile', async t => {
    const app = await buildApp(t)
    let finished = 0
    app.get('/', (request, reply) => reply.eventStream(function * () {
      try {
        for (let i = 0; ; i++) yield i
      } finally {
        finished++
      }
    }))
    app.get('/failing', (request, reply) => reply.eventStream(function * () {
      try {
        for (;;) yield 'a'.repeat(3)
      } finally {
        finished++
      }
    }, { event: 'x' }))
    app.get('/text', async () => 'a text')
    const port = await listen(app)
    const clients = await Promise.all([dial(port), dial(port)])
    clients[0].send(GET())
    clients[1].send(GET('/failing'))
    await Promise.all(clients.map(client => client.heard('data: ', 50)))
    t.equal((await get(port, '/text')).body, 'a text')
    clients[0].socket.destroy()
    clients[1].socket.resetAndDestroy()
    await until(() => finished === 2 && app.eventStreams.open === 0)
    t.same(troubles(app), [])
  })
})

t.test('a generator that ends its own stream, job or channel while it runs is closed', async t => {
  const app = await buildApp(t, { shutdownGrace: 100 })
  const closed = []
  const source = (name, end) => function * () {
    try {
      yield 'a'
      end()
      yield 'b'
    } finally {
      closed.push(name)
    }
  }
  const job = app.job('j', source('job', () => job.stop()))
  t.equal(await job.done, 'stopped')
  const channel = app.channel('c', { source: source('channel', () => channel.close()) })
  const seen = []
  for await (const { record } of channel.subscribe()) seen.push(record.data)
  t.same(seen, ['a'])
  app.get('/', (request, reply) => reply.eventStream(source('stream', () => app.eventStreams.drain(0))))
  t.match((await app.inject('/')).body, /^: open\ndata: a\n\nevent: chirp:closing\n/)
  await until(() => closed.length === 3)
  t.same(closed.sort(), ['channel', 'job', 'stream'])
  t.same(troubles(app), [])
})

t.test('a generator whose promise is rejected is closed, once', async t => {
  const app = await buildApp(t)
  let closed = 0
  let refuse
  const sources = {
    failing: () => Promise.reject(new Error('no value')),
    left: () => new Promise((resolve, reject) => { refuse = reject })
  }
  app.get('/:kind', (request, reply) => reply.eventStream({
    [Symbol.iterator]: () => ({
      next: () => ({ done: false, value: sources[request.params.kind]() }),
      return () { closed++; return { done: true } }
    })
  }))
  t.equal((await app.inject('/failing')).body, ': open\nevent: chirp:error\ndata: Internal Server Error\n\n')
  t.equal(closed, 1)
  const left = app.inject('/left')
  await until(() => refuse !== undefined)
  await app.close()
  await left
  t.equal(closed, 2)
  refuse(new Error('nobody waits'))
  await until(() => troubles(app).length === 2)
  t.equal(closed, 2, 'it was closed when the stream was')
})
