// What reply.eventStream() promises: the head, the values, the context.
import { PassThrough, Readable } from 'node:stream'
import { once } from 'node:events'
import http from 'node:http'
import t from 'tap'
import cookie from '@fastify/cookie'
import cors from '@fastify/cors'
import session from '@fastify/session'
import Fastify from 'fastify'
import chirp, { SSEEvent } from 'fastify-chirp'
import { buildApp, listen, never, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { data } from '../helpers/result.js'

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
  t.equal((await new TestClient(app, { listen: true }).sse('/')).events.length, 20000)
  t.ok(turns > 9, `${turns} turns`)
  app.log.level = 'silent'
  t.equal((await new TestClient(app, { listen: true }).sse('/failing')).events.length, 0)
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
