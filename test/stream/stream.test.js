// What reply.eventStream() promises: the head, the values, the context.
import { finished, PassThrough, Readable } from 'node:stream'
import { once } from 'node:events'
import http from 'node:http'
import t from 'tap'
import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import session from '@fastify/session'
import Fastify from 'fastify'
import chirp, { Fragment, Fragments, SSEEvent } from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'
import { buildApp, listen, never, until } from '../helpers/app.js'

const data = result => result.events.map(event => event.data)

for (const overSocket of [false, true]) {
  const client = app => new TestClient(app, { listen: overSocket })

  t.test(overSocket ? 'over a socket' : 'injected', async t => {
    t.test('every kind of value becomes one event', async t => {
      const app = await buildApp(t)
      app.get('/', (request, reply) => reply.eventStream(async function * () {
        yield 'text'
        yield ''
        yield 'two\nlines'
        yield { count: 42 }
        yield [1, null]
        yield 0
        yield false
        yield null
        yield new SSEEvent({ data: 'custom', event: 'ping', id: '1', retry: 5000 })
        yield new SSEEvent({ id: 'checkpoint' })
      }))
      const result = await client(app).sse('/')
      t.equal(result.status, 200)
      t.ok(result.ended)
      t.equal(result.lastEventId, 'checkpoint')
      t.same(result.events, [
        { data: 'text' }, { data: '' }, { data: 'two\nlines' }, { data: '{"count":42}' }, { data: '[1,null]' }, { data: '0' },
        { data: 'false' }, { data: 'null' }, { data: 'custom', event: 'ping', id: '1', retry: 5000 }
      ])
    })

    t.test('every kind of source is streamed', async t => {
      const app = await buildApp(t)
      const sources = {
        array: () => ['a', 'b'],
        set: () => new Set(['a', 'b']),
        generator: function * () { yield 'a'; yield 'b' },
        'iterable of promises': () => [Promise.resolve('a'), 'b'],
        'async generator': async function * () { yield 'a'; yield 'b' },
        'async iterator without return': () => ({
          n: 0,
          [Symbol.asyncIterator] () { return this },
          async next () { return this.n === 2 ? { done: true } : { done: false, value: 'ab'[this.n++] } }
        }),
        'Node.js Readable': () => Readable.from(['a', 'b']),
        'Node.js Readable of text': () => {
          const stream = new PassThrough({ encoding: 'utf8' })
          stream.write('a')
          setImmediate(() => stream.end('b'))
          return stream
        },
        'web ReadableStream': () => new ReadableStream({
          start (controller) {
            controller.enqueue('a')
            controller.enqueue('b')
            controller.close()
          }
        }),
        'promise of a source': async () => ['a', 'b']
      }
      app.get('/:name', (request, reply) => reply.eventStream(sources[request.params.name]))
      app.get('/direct/:name', async (request, reply) => reply.eventStream(await sources[request.params.name]()))
      for (const name of Object.keys(sources)) {
        for (const prefix of ['/', '/direct/']) {
          const result = await client(app).sse(prefix + encodeURIComponent(name))
          t.same(data(result), ['a', 'b'], prefix + name)
          t.ok(result.ended)
        }
      }
    })

    t.test('POST with a body, PUT and DELETE stream too', async t => {
      const app = await buildApp(t)
      app.route({
        method: ['POST', 'PUT', 'DELETE'],
        url: '/',
        handler: (request, reply) => reply.eventStream(async function * ({ signal }) {
          yield { method: request.method, body: request.body ?? null }
          await new Promise(resolve => setTimeout(resolve, 20))
          yield { aborted: signal.aborted }
        })
      })
      for (const method of ['POST', 'PUT', 'DELETE']) {
        const result = await client(app).sse('/', { method, payload: { ask: 'x' } })
        t.same(data(result).map(JSON.parse), [{ method, body: { ask: 'x' } }, { aborted: false }])
      }
    })

    t.test('the default event name is for plain values only', async t => {
      const app = await buildApp(t)
      app.get('/', (request, reply) => reply.eventStream(['a', { b: 1 }, new SSEEvent({ data: 'c' })], { event: 'tick' }))
      t.same((await client(app).sse('/')).events, [{ data: 'a', event: 'tick' }, { data: '{"b":1}', event: 'tick' }, { data: 'c' }])
    })

    t.test('a retry comes first, in a block that htmx 4 heeds too, and a close event last', async t => {
      const app = await buildApp(t, { retry: 1234, closeEvent: 'bye' })
      app.get('/', (request, reply) => reply.eventStream(['a']))
      app.get('/own', (request, reply) => reply.eventStream(['a'], { retry: 0, closeEvent: 'done' }))
      t.same((await client(app).sse('/')).events, [
        { data: '', event: 'chirp:open', retry: 1234 }, { data: 'a' }, { data: '', event: 'bye' }
      ])
      t.same((await client(app).sse('/own')).events, [
        { data: '', event: 'chirp:open', retry: 0 }, { data: 'a' }, { data: '', event: 'done' }
      ])
    })

    t.test('the last event id comes from the header, else from the query, and is read as UTF-8', async t => {
      const app = await buildApp(t)
      app.get('/', (request, reply) => reply.eventStream(({ lastEventId }) => [{ lastEventId }]))
      const read = async (path, options) => JSON.parse((await client(app).sse(path, options)).events[0].data).lastEventId
      t.equal(await read('/'), '')
      t.equal(await read('/', { lastEventId: '7' }), '7')
      t.equal(await read('/', { lastEventId: 'é…豆' }), 'é…豆')
      t.equal(await read('/?lastEventId=8'), '8')
      t.equal(await read('/?lastEventId=8', { lastEventId: '9' }), '9')
      t.equal(await read('/?lastEventId=8&lastEventId=9'), '9')
    })
  })
}

t.test('the context has the request, its logger and a signal that aborts at the latest when the stream is over', async t => {
  const app = await buildApp(t)
  let context
  app.get('/:id', (request, reply) => reply.eventStream(function (given) {
    context = given
    t.equal(this, undefined)
    t.equal(given.request, request)
    t.equal(given.log, request.log)
    t.equal(given.signal, given.signal)
    t.notOk(given.signal.aborted)
    return ['a']
  }))
  await new TestClient(app).sse('/1')
  await until(() => context.signal.aborted)
  t.equal(context.signal.reason.name, 'AbortError')
  t.equal(context.request.params.id, '1')
})

t.test('a signal first looked at when the stream is over is aborted', async t => {
  const app = await buildApp(t)
  let context
  app.get('/', (request, reply) => reply.eventStream(given => { context = given; return [] }))
  await new TestClient(app).sse('/')
  await until(() => app.eventStreams.open === 0)
  t.ok(context.signal.aborted)
})

t.test('the head: what a stream needs, and nothing that HTTP/2 forbids', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.eventStream(['a']))
  const { headers } = await new TestClient(app, { listen: true }).sse('/')
  t.equal(headers['content-type'], 'text/event-stream; charset=utf-8')
  t.equal(headers['cache-control'], 'no-cache, no-transform')
  t.equal(headers['x-accel-buffering'], 'no')
  t.equal(headers.vary, 'HX-Request, HX-Request-Type, HX-Source')
  t.notOk('access-control-allow-origin' in headers)
})

t.test('what the app sets reaches the client: status, headers, cookies, session, CORS and every onSend hook', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  const seen = []
  await app.register(cors, { origin: true, credentials: true })
  await app.register(cookie)
  await app.register(session, { secret: 'a secret that is longer than 32 characters', cookie: { secure: false } })
  app.addHook('onSend', async (request, reply, payload) => {
    seen.push(typeof payload.pipe)
    reply.header('x-hook', 'async')
    return payload
  })
  await app.register(chirp, { retry: false })
  app.addHook('onSend', (request, reply, payload, done) => {
    reply.header('x-request-id', request.id)
    done(null, payload)
  })
  app.get('/', (request, reply) => {
    request.session.user = 'u1'
    reply.code(201).header('x-own', 'yes').header('cache-control', 'no-store').header('x-accel-buffering', 'yes')
      .type('text/event-stream').setCookie('seen', '1')
    return reply.eventStream(['a'])
  })
  const { status, headers, events } = await new TestClient(app, { listen: true }).sse('/', { headers: { origin: 'https://example.com' } })
  t.equal(status, 201)
  t.same(events, [{ data: 'a' }])
  t.match(headers, {
    'x-hook': 'async',
    'x-own': 'yes',
    'x-request-id': 'req-1',
    'cache-control': 'no-store',
    'x-accel-buffering': 'yes',
    'content-type': 'text/event-stream',
    'access-control-allow-origin': 'https://example.com',
    'access-control-allow-credentials': 'true'
  })
  t.match(headers.vary, /Origin, HX-Request/)
  t.ok(headers['set-cookie'].some(cookie => cookie.startsWith('seen=1')))
  t.ok(headers['set-cookie'].some(cookie => cookie.startsWith('sessionId=')))
  t.same(seen, ['function'])
})

t.test('a Vary of * stays, another media type does not', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.header('vary', '*').type('text/html').eventStream(['a']))
  app.get('/fixed', (request, reply) => reply.eventStream(['a'], { dialect: 'htmx2' }))
  const { headers, events } = await new TestClient(app).sse('/')
  t.equal(headers.vary, '*')
  t.equal(headers['content-type'], 'text/event-stream; charset=utf-8')
  t.same(events, [{ data: 'a' }])
  t.notOk('vary' in (await new TestClient(app).sse('/fixed')).headers, 'nothing varies when the dialect is fixed')
})

t.test('head and first frame leave before the source yields', async t => {
  const app = await buildApp(t)
  app.get('/', async (request, reply) => reply.eventStream(async function * () { await never; yield 1 }))
  app.get('/retry', (request, reply) => reply.eventStream(async function * () { await never; yield 1 }, { retry: 9 }))
  const port = await listen(app)
  const firstBytes = async path => {
    const request = http.get({ port, path })
    const [response] = await once(request, 'response')
    const [chunk] = await once(response, 'data')
    request.destroy()
    return String(chunk)
  }
  t.equal(await firstBytes('/'), ': open\n')
  t.equal(await firstBytes('/retry'), 'event: chirp:open\nretry: 9\ndata: \n\n')
})

t.test('what is yielded within one tick goes out in one write of at most 16 kB', async t => {
  const app = await buildApp(t)
  const writes = []
  app.addHook('onRequest', async (request, reply) => {
    const { raw } = reply
    const { write } = raw
    raw.write = chunk => {
      writes.push(String(chunk))
      return write.call(raw, chunk)
    }
  })
  app.get('/', (request, reply) => reply.eventStream(async function * () {
    yield 'a'
    yield 'b'
    await new Promise(setImmediate)
    yield 'c'
    for (let i = 0; i < 1000; i++) yield 'x'.repeat(100)
    yield 'y'.repeat(20000)
    yield 'd'
  }))
  const { events } = await new TestClient(app, { listen: true }).sse('/')
  t.equal(events.length, 1005)
  t.equal(writes[0], ': open\ndata: a\n\ndata: b\n\n')
  const sizes = writes.map(text => text.length)
  t.equal(sizes.filter(size => size > 16384).length, 1, 'only a frame that is larger itself')
  t.equal(sizes.reduce((sum, size) => sum + size) - ': open\n'.length, events.reduce((sum, { data }) => sum + data.length + 8, 0))
  t.ok(writes.length < 14, `${writes.length} writes`)
})

t.test('16 kB are bytes, not characters', async t => {
  const app = await buildApp(t)
  const writes = []
  app.addHook('onRequest', async (request, reply) => {
    const { raw } = reply
    const { write } = raw
    raw.write = chunk => {
      writes.push(Buffer.byteLength(chunk))
      return write.call(raw, chunk)
    }
  })
  const values = [...Array.from({ length: 300 }, (_, n) => `${n}${'豆'.repeat(50)}`), '豆'.repeat(5000), '豆'.repeat(6000), 'a', '豆'.repeat(16000), 'b']
  app.get('/', (request, reply) => reply.eventStream(values))
  const { events } = await new TestClient(app, { listen: true }).sse('/')
  t.same(events.map(({ data }) => data), values)
  t.same(writes.filter(size => size > 16384), [18008, 48008], 'only frames that are larger themselves')
})

t.test('a source that is always ready lets other work have its turn', async t => {
  const app = await buildApp(t)
  let turns = 0
  let running = true
  const count = () => {
    turns++
    if (running) setImmediate(count)
  }
  app.get('/', (request, reply) => reply.eventStream(function * () {
    count()
    for (let i = 0; i < 20000; i++) yield i
    running = false
  }))
  app.get('/failing', (request, reply) => reply.eventStream(function * () {
    turns = 0
    running = true
    count()
    for (let i = 0; i < 5000; i++) yield undefined
    running = false
  }))
  t.equal((await new TestClient(app, { listen: true }).sse('/', { timeout: 5000 })).events.length, 20000)
  t.ok(turns > 9, `${turns} turns`)
  app.log.level = 'silent'
  t.equal((await new TestClient(app, { listen: true }).sse('/failing', { timeout: 5000 })).events.length, 0)
  t.ok(turns > 1, `${turns} turns`)
})

t.test('a value that cannot be sent is logged once and counted, and the stream goes on', async t => {
  const app = await buildApp(t)
  const values = [undefined, () => {}, Symbol('x'), Buffer.from('x'), 1n, { toJSON () { throw new Error('no') } }]
  app.get('/', (request, reply) => reply.eventStream([...values, 'last']))
  const { events } = await new TestClient(app).sse('/')
  t.same(events, [{ data: 'last' }])
  const errors = app.log.lines.filter(line => line.level === 50)
  t.equal(errors.length, values.length)
  for (const { err, reqId, msg } of errors) {
    t.equal(err.code, 'FST_CHIRP_VALUE')
    t.equal(msg, 'an event was not sent')
    t.equal(reqId, 'req-1')
  }
  t.match(app.eventStreams, { errors: values.length, events: 1 })
})

t.test('in debug the client hears what was wrong with a value', async t => {
  const app = await buildApp(t, { debug: true })
  app.get('/', (request, reply) => reply.eventStream([undefined, 'last']))
  const { events } = await new TestClient(app).sse('/')
  t.equal(events[0].event, 'chirp:error')
  t.match(events[0].data, /JSON has no form for undefined/)
  t.same(events[1], { data: 'last' })
})

for (const [debug, message] of [[true, 'it broke'], [false, 'Internal Server Error']]) {
  t.test(`a source that fails ends the stream with an event${debug ? ' that tells why in debug' : ''}`, async t => {
    const app = await buildApp(t, { debug, closeEvent: 'bye' })
    const fail = () => { throw new Error('it broke') }
    const sources = {
      generator: function * () { yield 'a'; fail() },
      'async generator': async function * () { yield 'a'; fail() },
      'next throws': () => ({ [Symbol.iterator]: () => ({ n: 0, next () { return this.n++ ? fail() : { done: false, value: 'a' } } }) }),
      readable: () => new Readable({ objectMode: true, read () { if (this.n === undefined) { this.n = 1; this.push('a') } else this.destroy(new Error('it broke')) } }),
      web: () => new ReadableStream({ n: 0, pull (controller) { if (this.n++) fail(); controller.enqueue('a') } }, { highWaterMark: 0 })
    }
    for (const [name, source] of Object.entries(sources)) app.get(`/${name}`, (request, reply) => reply.eventStream(source))
    for (const name of Object.keys(sources)) {
      const result = await new TestClient(app).sse(`/${name}`)
      t.same(result.events, [{ data: 'a' }, { data: message, event: 'chirp:error' }], name)
      t.ok(result.ended)
    }
    t.equal(app.eventStreams.errors, 5)
    t.equal(app.log.lines.filter(line => line.level === 50 && line.msg === 'the source of an event stream failed').length, 5)
    t.equal(app.log.lines.filter(line => line.reason === 'error').length, 5)
  })
}

t.test('whatever is thrown, also what is no Error', async t => {
  const app = await buildApp(t, { debug: true })
  const thrown = ['text', undefined, null, { a: 1 }]
  app.get('/:n', (request, reply) => reply.eventStream(async function * () { throw thrown[request.params.n] }))
  for (const n of thrown.keys()) {
    const { events } = await new TestClient(app).sse(`/${n}`)
    t.same(events, [{ data: String(thrown[n]), event: 'chirp:error' }])
  }
})

t.test('errors before the stream starts have a real status', async t => {
  const app = await buildApp(t)
  app.setErrorHandler((error, request, reply) => reply.code(error.statusCode ?? 500).send({ handled: error.message, code: error.code }))
  const teapot = () => Object.assign(new Error('teapot'), { statusCode: 418 })
  app.get('/throws', (request, reply) => reply.eventStream(() => { throw teapot() }))
  app.get('/rejects', (request, reply) => reply.eventStream(async () => { throw teapot() }))
  app.get('/rejects-async', async (request, reply) => reply.eventStream(async () => { throw teapot() }))
  app.get('/rejects-no-error', (request, reply) => reply.eventStream(() => Promise.reject('text'))) // eslint-disable-line prefer-promise-reject-errors
  app.get('/handler', async () => { throw teapot() })
  app.get('/no-source', (request, reply) => reply.eventStream(async () => 5))
  app.get('/options', (request, reply) => reply.eventStream([], { heartbeat: 5 }))
  for (const path of ['/throws', '/rejects', '/rejects-async', '/handler']) {
    const response = await app.inject(path)
    t.equal(response.statusCode, 418, path)
    t.same(response.json(), { handled: 'teapot' })
    t.match(response.headers['content-type'], /json/)
  }
  t.same((await app.inject('/rejects-no-error')).json(), { handled: 'text' })
  t.equal((await app.inject('/no-source')).json().code, 'FST_CHIRP_SOURCE')
  t.equal((await app.inject('/options')).json().code, 'FST_CHIRP_OPTION')
  await until(() => app.eventStreams.open === 0)
  t.match(app.eventStreams, { open: 0, total: 0 })
  t.same(app.log.lines.filter(line => line.msg === 'event stream closed'), [])
})

t.test('what is no source is refused with a sentence that lists what is', async t => {
  const app = await buildApp(t)
  const reader = new ReadableStream()
  reader.getReader()
  const sources = [undefined, null, 5, 'text', {}, Buffer.from('x'), Symbol('x'), () => 'text', () => undefined, reader]
  app.get('/:n', (request, reply) => reply.eventStream(sources[request.params.n]))
  for (const n of sources.keys()) {
    const response = await app.inject(`/${n}`)
    t.equal(response.statusCode, 500)
    t.equal(response.json().code, 'FST_CHIRP_SOURCE')
    t.match(response.json().message, /Cannot stream from .*Give reply.eventStream\(\) an async iterable/)
  }
})

t.test('a second stream on one reply is refused, and the first goes on', async t => {
  const app = await buildApp(t)
  const errors = []
  const source = async function * () { yield 'a'; await new Promise(resolve => setTimeout(resolve, 20)); yield 'b' }
  app.get('/caught', (request, reply) => {
    reply.eventStream(source)
    try {
      reply.eventStream(source)
    } catch (error) {
      errors.push(error.code)
    }
    return reply
  })
  app.get('/thrown', (request, reply) => {
    reply.eventStream(source)
    return reply.eventStream(source)
  })
  app.get('/thrown-async', async (request, reply) => {
    reply.eventStream(source)
    await null
    return reply.eventStream(source)
  })
  app.get('/sent', (request, reply) => {
    reply.send('text')
    reply.eventStream(source)
  })
  for (const path of ['/caught', '/thrown', '/thrown-async']) {
    t.same(data(await new TestClient(app, { listen: true }).sse(path)), ['a', 'b'], path)
  }
  t.same(errors, ['FST_CHIRP_ALREADY_SENT'])
  t.equal((await app.inject('/sent')).body, 'text')
  t.match(app.eventStreams, { open: 0, total: 3 })
})

t.test('a handler that fails while an onSend hook still waits answers with its error, and closes the source', async t => {
  const app = await buildApp(t)
  let closed = 0
  const source = { [Symbol.asyncIterator]: () => ({ next: () => never, return: async () => { closed++ } }) }
  const pause = () => new Promise(resolve => setTimeout(resolve, 20))
  app.addHook('onSend', async (request, reply, payload) => {
    if (typeof payload !== 'string') await pause()
  })
  app.get('/hook', (request, reply) => {
    reply.eventStream(source)
    throw new Error('after all')
  })
  app.get('/source', (request, reply) => {
    reply.eventStream(async () => {
      await pause()
      return source
    })
    throw new Error('after all')
  })
  for (const [n, path] of ['/hook', '/source'].entries()) {
    for (const overSocket of [false, true]) {
      const { status, body } = await new TestClient(app, { listen: overSocket }).sse(path)
      t.equal(status, 500)
      t.equal(JSON.parse(body).message, 'after all')
      await until(() => app.eventStreams.open === 0 && closed === 2 * n + 1 + overSocket)
    }
  }
  t.equal(app.eventStreams.total, 0)
})

t.test('an onSend hook that fails or replaces the payload closes the source', async t => {
  const app = await buildApp(t)
  let closed = 0
  const source = { [Symbol.asyncIterator]: () => ({ next: () => never, return: async () => { closed++ } }) }
  app.addHook('onSend', async (request) => {
    if (request.url === '/fails') throw new Error('hook')
    return 'replaced'
  })
  app.get('/fails', (request, reply) => reply.eventStream(source))
  app.get('/replaced', (request, reply) => reply.eventStream(source))
  app.get('/no-content', (request, reply) => reply.code(204).eventStream(source))
  t.equal((await app.inject('/fails')).json().message, 'hook')
  t.equal((await app.inject('/replaced')).body, 'replaced')
  t.equal((await app.inject('/no-content')).statusCode, 204)
  await until(() => app.eventStreams.open === 0)
  t.equal(closed, 3)
})

t.test('a status without a body gets none, and its source is closed', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.code(204).eventStream(async function * () { await never; yield 1 }))
  const response = await new TestClient(app, { listen: true }).sse('/')
  t.equal(response.status, 204)
  await until(() => app.eventStreams.open === 0)
})

t.test('HEAD answers the headers and never opens the source', async t => {
  const app = await buildApp(t)
  let opened = 0
  let closed = 0
  const source = { [Symbol.asyncIterator]: () => ({ next: () => { opened++; return never }, return: async () => { closed++ } }) }
  app.get('/', (request, reply) => reply.header('x-own', 'yes').eventStream(() => { opened++; return source }))
  app.get('/direct', (request, reply) => reply.eventStream(source))
  app.route({ method: 'HEAD', url: '/own', handler: (request, reply) => reply.eventStream(() => { opened++; return source }) })
  for (const path of ['/', '/direct', '/own']) {
    for (const overSocket of [false, true]) {
      const result = await new TestClient(app, { listen: overSocket }).sse(path, { method: 'HEAD' })
      t.equal(result.status, 200)
      t.equal(result.headers['content-type'], 'text/event-stream; charset=utf-8')
      t.ok(result.ended)
    }
  }
  t.equal(opened, 0)
  t.equal(closed, 2, 'what was handed over is let go')
  t.equal((await app.inject({ method: 'HEAD', url: '/' })).headers['x-own'], 'yes')
})

t.test('a client that refuses text/event-stream gets 406', async t => {
  const app = await buildApp(t)
  let opened = 0
  app.get('/', (request, reply) => reply.eventStream(() => { opened++; return ['a'] }))
  app.get('/no-source', (request, reply) => reply.eventStream(5))
  const status = async accept => (await app.inject({ url: '/', headers: accept === undefined ? {} : { accept } })).statusCode
  for (const accept of [undefined, '', '*/*', 'text/*', 'text/event-stream', 'TEXT/Event-Stream', 'text/html, text/event-stream',
    'text/html, */*;q=0.1', 'text/event-stream;q=0.5', 'text/event-stream, */*;q=0', 'application/json, text/plain, */*']) {
    t.equal(await status(accept), 200, accept)
  }
  const accepted = opened
  for (const accept of ['application/json', 'text/event-stream;q=0', 'text/event-stream; q=0.000, */*', 'text/html', '*/*;q=0']) {
    t.equal(await status(accept), 406, accept)
  }
  t.equal(opened, accepted)
  t.equal((await app.inject({ url: '/no-source', headers: { accept: 'text/html' } })).statusCode, 406, 'whatever the source is')
  const response = await app.inject({ url: '/', headers: { accept: 'text/html' } })
  t.equal(response.json().code, 'FST_CHIRP_NOT_ACCEPTABLE')
})

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
  const app = await buildApp(t, {}, { handlerTimeout: 50 })
  app.get('/', { schema: { response: { 200: { type: 'object', properties: { a: { type: 'string' } } } } } }, (request, reply) =>
    reply.eventStream(async function * () {
      yield 'a'
      await new Promise(resolve => setTimeout(resolve, 150))
      yield 'b'
    }))
  t.same(data(await new TestClient(app, { listen: true }).sse('/')), ['a', 'b'])
})

t.test('connectionTimeout does not end a quiet stream', async t => {
  const app = await buildApp(t, {}, { connectionTimeout: 60 })
  app.get('/', (request, reply) => reply.eventStream(async function * () {
    yield 'a'
    await new Promise(resolve => setTimeout(resolve, 200))
    yield 'b'
  }))
  t.same(data(await new TestClient(app, { listen: true }).sse('/')), ['a', 'b'])
})

t.test('trailers come after the last event', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => {
    reply.trailer('x-count', async () => '2')
    return reply.eventStream(['a', 'b'])
  })
  const port = await listen(app)
  const [response] = await once(http.get({ port, path: '/' }), 'response')
  response.resume()
  await once(response, 'end')
  t.equal(response.trailers['x-count'], '2')
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
  const port = await listen(app)
  const [response] = await once(http.get({ port, path: '/trailer' }), 'response')
  response.resume()
  await once(response, 'end')
  t.equal(response.trailers['x-count'], '1')
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
    const warned = app.log.lines.filter(line => line.level === 40).map(line => /"([^"]+)" is asking for trouble: .+\. Choose another one/.exec(line.msg)?.[1])
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

t.test('a source that was never pulled and fails to close is reported', async t => {
  const app = await buildApp(t)
  const source = { [Symbol.asyncIterator]: () => ({ next: () => never, return: async () => { throw new Error('cleanup') } }) }
  app.get('/', (request, reply) => reply.code(204).eventStream(source))
  await app.inject('/')
  await until(() => app.eventStreams.errors === 1)
  t.equal(app.log.lines.find(line => line.level === 50).err.message, 'cleanup')
})

t.test('a write() that fails on the last frame costs its own stream only', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => {
    reply.raw.write = () => { throw new Error('no') }
    return reply.eventStream([])
  })
  await t.rejects(new TestClient(app, { listen: true }).sse('/'))
  await until(() => app.eventStreams.open === 0)
})
