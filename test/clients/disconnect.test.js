// What happens when the client goes away, however it does.
import { EventEmitter, on, once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { buildApp, certificate, heapUsed, listen, never, quiet, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

// Sources that wait, each with a way to tell that it was closed.
const waiting = {
  'async generator that heeds the signal': count => async function * ({ signal }) {
    try {
      yield 'a'
      await once(new EventEmitter(), 'x', { signal })
    } finally {
      count()
    }
  },
  'async generator that ends when the signal aborts': count => async function * ({ signal }) {
    yield 'a'
    await new Promise(resolve => signal.addEventListener('abort', resolve))
    count()
  },
  'async iterator': count => ({
    n: 0,
    [Symbol.asyncIterator] () { return this },
    next () { return this.n++ === 0 ? Promise.resolve({ done: false, value: 'a' }) : never },
    async return () { count() }
  }),
  'sync iterator of a promise that never comes': count => ({
    n: 0,
    [Symbol.iterator] () { return this },
    next () { return { done: false, value: this.n++ === 0 ? 'a' : never } },
    return () { count(); return {} }
  }),
  'Node.js Readable': count => {
    const readable = new Readable({ objectMode: true, read () {}, destroy (error, callback) { count(); callback(error) } })
    readable.push('a')
    return readable
  },
  'web ReadableStream': count => new ReadableStream({
    start (controller) { controller.enqueue('a') },
    cancel () { count() }
  })
}

// Ways to leave.
const leaving = {
  async 'closed socket' (port, path) {
    const { request } = await open(port, path)
    request.destroy()
  },
  async 'FIN' (port, path) {
    const { request } = await open(port, path)
    request.socket.end()
  },
  async 'RST' (port, path) {
    const { request } = await open(port, path)
    request.socket.resetAndDestroy()
  },
  async 'POST with a body' (port, path) {
    const { request } = await open(port, path, { method: 'POST', headers: { 'content-type': 'application/json' } }, '{"a":1}')
    request.destroy()
  }
}

async function open (port, path, options, body) {
  const request = http.request({ port, path, ...options, agent: false })
  request.on('error', () => {})
  request.end(body)
  const [response] = await once(request, 'response')
  response.on('error', () => {})
  await received(response, 'data: a\n\n')
  return { request, response }
}

/** Reads until `text` has come, and gives all that came. */
function received (readable, text) {
  let all = ''
  return new Promise(resolve => {
    readable.on('data', chunk => {
      all += chunk
      if (all.includes(text)) resolve(all)
    })
  })
}

for (const [name, makeSource] of Object.entries(waiting)) {
  t.test(`a waiting source is closed once: ${name}`, async t => {
    for (const [way, leave] of Object.entries(leaving)) {
      const app = await buildApp(t)
      let closed = 0
      app.all('/', (request, reply) => reply.eventStream(makeSource(() => { closed++ })))
      const port = await listen(app)
      await leave(port, '/')
      await until(() => app.eventStreams.open === 0 && closed === 1, way)
      await quiet(10)
      t.equal(closed, 1, way)
      t.match(app.log.lines.find(line => line.msg === 'event stream closed'), { level: 30, reason: 'disconnect', events: 1, reqId: 'req-1' })
      t.same(app.log.lines.filter(line => line.level > 30), [], 'nothing to complain about')
      t.equal(app.eventStreams.errors, 0)
    }
  })

  t.test(`an injected client that goes away closes the source: ${name}`, async t => {
    const app = await buildApp(t)
    let closed = 0
    app.get('/', (request, reply) => reply.eventStream(makeSource(() => { closed++ })))
    const stream = await new TestClient(app).open('/')
    t.same(await stream.next(), { data: 'a' })
    stream.close()
    await until(() => app.eventStreams.open === 0 && closed === 1)
    t.pass('closed')
  })
}

t.test('HTTP/2: streams work, and a reset closes the source', async t => {
  for (const allowHTTP1 of [undefined, true]) {
    const app = await buildApp(t, {}, { http2: true, ...(allowHTTP1 && { https: { allowHTTP1, ...certificate() } }) })
    let closed = 0
    app.post('/', (request, reply) => reply.eventStream(waiting['async iterator'](() => { closed++ })))
    const port = await listen(app)
    const session = http2.connect(`${allowHTTP1 ? 'https' : 'http'}://127.0.0.1:${port}`, { rejectUnauthorized: false })
    const stream = session.request({ ':method': 'POST', ':path': '/', accept: 'text/event-stream', 'content-type': 'application/json' })
    stream.end('{}')
    const [headers] = await once(stream, 'response')
    t.equal(headers[':status'], 200)
    t.equal(headers['content-type'], 'text/event-stream; charset=utf-8')
    t.equal(await received(stream, 'data: a\n\n'), ': open\ndata: a\n\n')
    stream.close(http2.constants.NGHTTP2_CANCEL)
    await until(() => app.eventStreams.open === 0 && closed === 1)
    session.close()
    t.equal(app.eventStreams.errors, 0)
  }
})

t.test('a client that left before the handler got to the stream costs nothing', async t => {
  const app = await buildApp(t)
  let opened = 0
  let reached
  const gone = new Promise(resolve => { reached = resolve })
  app.get('/', async (request, reply) => {
    await once(reply.raw, 'close')
    await turn()
    reached()
    return reply.eventStream(() => { opened++; return [] })
  })
  const port = await listen(app)
  const request = http.get({ port, path: '/' })
  request.on('error', () => {})
  await once(app.server, 'request')
  request.destroy()
  await gone
  await quiet(20)
  t.equal(opened, 0)
  t.match(app.eventStreams, { open: 0, total: 0 })
  t.same(app.log.lines.filter(line => line.level > 40), [])
})

t.test('HTTP/2: a client that left before the handler got to the stream costs nothing', async t => {
  const app = await buildApp(t, {}, { http2: true })
  let opened = 0
  let reached
  const gone = new Promise(resolve => { reached = resolve })
  app.get('/', async (request, reply) => {
    await once(reply.raw, 'close')
    reached()
    return reply.eventStream(() => { opened++; return [] })
  })
  const port = await listen(app)
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const stream = session.request({ ':path': '/' })
  stream.on('error', () => {})
  await once(app.server, 'request')
  stream.close(http2.constants.NGHTTP2_CANCEL)
  await gone
  await quiet(20)
  session.close()
  t.equal(opened, 0)
  t.equal(app.eventStreams.open, 0)
})

t.test('a client that leaves while the source function still waits closes what comes of it', async t => {
  const app = await buildApp(t)
  let closed = 0
  let release
  app.get('/', (request, reply) => reply.eventStream(async ({ signal }) => {
    await new Promise(resolve => { release = resolve })
    t.ok(signal.aborted)
    return waiting['async iterator'](() => { closed++ })
  }))
  const port = await listen(app)
  const request = http.get({ port, path: '/' })
  request.on('error', () => {})
  await until(() => release !== undefined)
  t.equal(app.eventStreams.open, 1, 'it holds a place')
  request.destroy()
  await until(() => app.eventStreams.open === 0)
  release()
  await until(() => closed === 1)
  t.equal(app.eventStreams.total, 0)
})

t.test('a client that leaves while a fragment or the loop is awaited ends the pull', async t => {
  const app = await buildApp(t)
  let pulled = 0
  app.get('/', (request, reply) => reply.eventStream(function * () {
    for (;;) {
      pulled++
      yield 'a'.repeat(9000)
    }
  }))
  const port = await listen(app)
  const request = http.get({ port, path: '/' })
  request.on('error', () => {})
  const [response] = await once(request, 'response')
  await once(response, 'data')
  request.destroy()
  await until(() => app.eventStreams.open === 0)
  const now = pulled
  await quiet(20)
  t.equal(pulled, now)
})

t.test('cleanup that fails is logged and counted, and an AbortError is not', async t => {
  const app = await buildApp(t)
  const sources = {
    'rejects in return': { [Symbol.asyncIterator]: () => ({ next: () => never, return: async () => { throw new Error('cleanup') } }) },
    'throws in return': { [Symbol.iterator]: () => ({ next: () => ({ value: never }), return: () => { throw new Error('cleanup') } }) },
    'rejects in next': async function * ({ signal }) {
      await new Promise(resolve => signal.addEventListener('abort', resolve))
      throw new Error('cleanup')
    },
    'rejects in cancel': new ReadableStream({ cancel () { throw new Error('cleanup') } }),
    'throws nothing at all': async function * ({ signal }) {
      await new Promise(resolve => signal.addEventListener('abort', resolve))
      throw undefined // eslint-disable-line no-throw-literal
    },
    abort: async function * ({ signal }) { await wait(10000, undefined, { signal }) },
    'ABORT_ERR by code': async function * ({ signal }) {
      await new Promise(resolve => signal.addEventListener('abort', resolve))
      throw Object.assign(new Error('x'), { code: 'ABORT_ERR' })
    },
    events: async function * ({ signal }) { for await (const [value] of on(new EventEmitter(), 'x', { signal })) yield value }
  }
  app.get('/:name', (request, reply) => reply.eventStream(sources[request.params.name]))
  for (const name of Object.keys(sources)) {
    const errors = app.eventStreams.errors
    const stream = await new TestClient(app, { listen: true }).open(`/${encodeURIComponent(name)}`)
    stream.close()
    await until(() => app.eventStreams.open === 0)
    const expected = ['abort', 'ABORT_ERR by code', 'events'].includes(name) ? 0 : 1
    await until(() => app.eventStreams.errors - errors >= expected, name)
    await quiet(5)
    t.equal(app.eventStreams.errors - errors, expected, name)
  }
  const logged = app.log.lines.filter(line => line.level === 50)
  t.equal(logged.length, 5)
  t.ok(logged.every(line => line.msg === 'the source failed after its stream was closed'))
})

t.test('a Readable that fails before it is pulled does not end the process', async t => {
  const app = await buildApp(t)
  let readable
  app.addHook('onSend', () => until(() => readable.errored))
  app.get('/', (request, reply) => {
    readable = new Readable({ read () {} })
    setImmediate(() => readable.destroy(new Error('early')))
    return reply.eventStream(readable)
  })
  const { events } = await new TestClient(app).sse('/')
  t.same(events, [{ data: 'Internal Server Error', event: 'chirp:error' }])
})

t.test('what a source yields after its client left is not sent', async t => {
  const app = await buildApp(t)
  let release
  app.get('/', (request, reply) => reply.eventStream(async function * () {
    yield 'a'
    await new Promise(resolve => { release = resolve })
    yield 'late'
    yield 'never pulled'
  }))
  const stream = await new TestClient(app, { listen: true }).open('/')
  await stream.next()
  stream.close()
  await until(() => app.eventStreams.open === 0)
  release()
  await quiet(10)
  t.equal(app.eventStreams.events, 1)
  t.same(app.log.lines.filter(line => line.level > 30), [])
})

t.test('a source that waits for ever does not keep its request, unless it has asked for it', async t => {
  const app = await buildApp(t, {}, { logger: false })
  const contexts = []
  app.get('/', (request, reply) => reply.eventStream(async function * (context) {
    contexts.push(context)
    if (context.lastEventId) t.equal(context.request.url, '/?lastEventId=1')
    yield 'a'
    await never
  }))
  for (const path of ['/', '/?lastEventId=1']) {
    const stream = await new TestClient(app, { listen: true }).open(path)
    await stream.next()
    stream.close()
    await until(() => app.eventStreams.open === 0)
  }
  t.equal(contexts[0].request.url, '/', 'it is there for some time')
  const kept = contexts[1]
  const [gone] = contexts.splice(0, 2)
  await quiet(20)
  t.equal(kept.request.url, '/?lastEventId=1')
  await until(() => {
    heapUsed()
    try { return gone.request === undefined } catch (error) { return error.code === 'FST_CHIRP_REQUEST_GONE' }
  })
  t.throws(() => gone.request, { code: 'FST_CHIRP_REQUEST_GONE', message: /Read context.request before the stream closes/ })
})

t.test('2,000 connects and disconnects leave no listener, timer or handle, and a flat heap', async t => {
  const app = await buildApp(t, {}, { logger: false })
  const emitter = new EventEmitter().setMaxListeners(0)
  // This one never wakes and ignores the signal; `never` is shared, so it keeps every generator.
  app.get('/deaf', (request, reply) => reply.eventStream(async function * ({ lastEventId }) {
    yield lastEventId
    await never
  }))
  app.get('/', (request, reply) => reply.eventStream(async function * ({ signal }) {
    yield 'a'
    for await (const [value] of on(emitter, 'value', { signal })) yield value
  }))
  let connections = 0
  app.server.on('connection', socket => {
    connections++
    socket.on('close', () => { connections-- })
  })
  const port = await listen(app)
  const round = async (path, count) => {
    for (let i = 0; i < count; i += 50) {
      await Promise.all(Array.from({ length: 50 }, () => new Promise((resolve, reject) => {
        const socket = net.connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`))
        let text = ''
        socket.on('data', chunk => {
          text += chunk
          if (text.includes('data: ')) socket.destroy()
        })
        socket.on('close', resolve)
        socket.on('error', reject)
      })))
    }
    await until(() => app.eventStreams.open === 0 && connections === 0)
  }
  const countHandles = () => process.getActiveResourcesInfo().filter(name => name !== 'Immediate').length
  /** The bytes of heap that each of 2,000 streams has left behind, once they are fewer than `most`: what was closed last is still on some list. */
  const left = async (path, most) => {
    const before = heapUsed()
    await round(path, 2000)
    let bytes
    await until(() => (bytes = (heapUsed() - before) / 2000) < most, `streams of ${path} leave less than ${most} bytes each`)
    return bytes
  }
  await round('/', 1000)
  await round('/deaf', 300)
  const handles = countHandles()
  t.ok(await left('/', 1000) < 1000)
  t.equal(emitter.listenerCount('value'), 0)
  await until(() => countHandles() <= handles, 'no handle is left')
  // Each source that waits for ever is kept, and no connection.
  t.ok(await left('/deaf', 6000) < 6000)
})
