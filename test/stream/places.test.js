// Where and how a stream is started.
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import '../helpers/complaints.js'
import Fastify, * as fastify from 'fastify'
import chirp from 'fastify-chirp'
import { buildApp, listen, never, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { isBefore } from '../helpers/fastify.js'
import { closeLines, get, troubles } from '../helpers/raw.js'

// Fastify 5.8 brought handlerTimeout and request.signal.
const skip = isBefore('5.8.0') && 'this Fastify has none'

t.test('where and how a stream is started', async t => {
  const slow = async function * () {
    yield 'a'
    await wait(20)
    yield 'b'
  }
  const AB = ': open\ndata: a\n\ndata: b\n\n'

  t.test('in hooks, in error and not-found handlers, and without being returned', async t => {
    const app = await buildApp(t)
    app.setErrorHandler((error, request, reply) => reply.code(200).eventStream([error.message]))
    app.setNotFoundHandler((request, reply) => reply.code(404).eventStream(['nothing here']))
    const unreached = () => { throw new Error('unreached') }
    app.get('/onRequest', { onRequest: async (request, reply) => reply.eventStream(slow) }, unreached)
    app.get('/onRequest-callback', { onRequest: (request, reply) => { reply.eventStream(slow) } }, unreached)
    app.get('/preHandler', { preHandler: async (request, reply) => reply.eventStream(slow) }, unreached)
    app.get('/preHandler-callback', { preHandler: (request, reply) => { reply.eventStream(slow) } }, unreached)
    app.get('/returned', (request, reply) => reply.eventStream(slow))
    app.get('/returned-async', async (request, reply) => reply.eventStream(slow))
    app.get('/awaited', async (request, reply) => { await reply.eventStream(slow) })
    app.get('/nothing', (request, reply) => { reply.eventStream(slow) })
    app.get('/nothing-async', async (request, reply) => { reply.eventStream(slow) })
    app.get('/later', (request, reply) => { setTimeout(() => reply.eventStream(slow), 5) })
    app.get('/error', unreached)
    app.get('/error-source', (request, reply) => reply.eventStream(unreached))
    const port = await listen(app)
    for (const path of ['/onRequest', '/onRequest-callback', '/preHandler', '/preHandler-callback', '/returned', '/returned-async', '/awaited', '/nothing',
      '/nothing-async', '/later']) {
      const { status, body } = await get(port, path)
      t.same({ status, body }, { status: 200, body: AB }, path)
    }
    for (const path of ['/error', '/error-source']) t.equal((await get(port, path)).body, ': open\ndata: unreached\n\n', path)
    const { status, body } = await get(port, '/missing')
    t.same({ status, body }, { status: 404, body: ': open\ndata: nothing here\n\n' })
    await until(() => app.eventStreams.open === 0)
    t.same(troubles(app), [])
  })

  for (const referenced of [true, false]) {
    t.test(`a handler that goes on after it started a stream: ${referenced ? 'marked' : 'unmarked'}`, async t => {
      const app = await buildApp(t)
      app.get('/throws', { referenced }, (request, reply) => {
        reply.eventStream(slow)
        throw new Error('late')
      })
      app.get('/throws-async', { referenced }, async (request, reply) => {
        reply.eventStream(slow)
        await wait(5)
        throw new Error('late')
      })
      app.get('/sends', { referenced }, (request, reply) => {
        reply.eventStream(slow)
        reply.code(500).header('x-late', '1').send('late')
      })
      app.get('/returns', { referenced }, async (request, reply) => {
        reply.eventStream(slow)
        return 'late'
      })
      app.get('/redirects', { referenced }, (request, reply) => {
        reply.eventStream(slow)
        reply.redirect('/late')
      })
      const port = await listen(app)
      for (const path of ['/throws', '/throws-async', '/sends', '/returns', '/redirects']) {
        t.equal((await get(port, path)).body, AB, path)
      }
      await until(() => closeLines(app).length === 5)
      t.same(closeLines(app).map(({ reason }) => reason), Array(5).fill('end'))
    })

    t.test(`handlerTimeout of a route cuts no stream, and ends a source function that does not answer: ${referenced ? 'marked' : 'unmarked'}`, { skip }, async t => {
      const app = await buildApp(t)
      app.get('/', { referenced, handlerTimeout: 500 }, (request, reply) => reply.eventStream(async function * () {
        yield 'a'
        await wait(700)
        yield 'b'
      }))
      let signal
      app.get('/pending', { referenced, handlerTimeout: 500 }, (request, reply) => reply.eventStream(context => {
        signal = context.signal
        return never
      }))
      const port = await listen(app)
      t.equal((await get(port, '/')).body, AB)
      t.equal((await get(port, '/pending')).status, 503)
      await until(() => signal.aborted && app.eventStreams.open === 0)
    })
  }

  t.test('on a reply that was sent, hijacked or streamed already it throws, and the first answer stands', async t => {
    const app = await buildApp(t)
    const codes = []
    const attempt = reply => {
      try {
        reply.eventStream(slow)
      } catch (error) {
        codes.push(error.code)
      }
    }
    app.get('/sent', (request, reply) => {
      reply.send('text')
      attempt(reply)
    })
    app.get('/twice', (request, reply) => {
      reply.eventStream(slow)
      attempt(reply)
    })
    app.get('/hijacked', (request, reply) => {
      reply.hijack()
      attempt(reply)
      reply.raw.end('raw')
    })
    app.get('/raw', (request, reply) => {
      reply.raw.writeHead(200)
      reply.hijack()
      attempt(reply)
      reply.raw.end('raw')
    })
    app.addHook('onResponse', async (request, reply) => { if (request.url === '/sent') attempt(reply) })
    const port = await listen(app)
    t.equal((await get(port, '/sent')).body, 'text')
    t.equal((await get(port, '/twice')).body, AB)
    t.equal((await get(port, '/hijacked')).body, 'raw')
    t.equal((await get(port, '/raw')).body, 'raw')
    await until(() => codes.length === 5)
    t.same(codes, Array(5).fill('FST_CHIRP_ALREADY_SENT'))
    await until(() => app.eventStreams.open === 0)
  })

  t.test('request.signal can be used by a source, and aborts when the client leaves', { skip }, async t => {
    const app = await buildApp(t)
    const aborted = []
    app.get('/', (request, reply) => reply.eventStream(async function * ({ signal, request }) {
      request.signal.addEventListener('abort', () => aborted.push('request'))
      signal.addEventListener('abort', () => aborted.push('stream'))
      yield 'a'
      await never
    }))
    const stream = await new TestClient(app, { listen: true }).open('/')
    await stream.next()
    stream.close()
    await until(() => aborted.length === 2)
    t.same(aborted.sort(), ['request', 'stream'])
  })

  t.test('siblings with other options, within one app', async t => {
    const app = Fastify({ forceCloseConnections: true })
    t.teardown(() => app.close())
    const children = {}
    for (const [name, options] of Object.entries({ one: { debug: true, retry: 1 }, two: { debug: false, maxStreams: 1 } })) {
      app.register(async child => {
        children[name] = child
        await child.register(chirp, options)
        child.get('/fails', (request, reply) => reply.eventStream([undefined]))
        child.get('/waits', { referenced: true }, (request, reply) => reply.eventStream(async function * () { yield 'a'; await never }))
      }, { prefix: `/${name}` })
    }
    const port = await listen(app)
    t.match((await get(port, '/one/fails')).body, /^event: chirp:open\nretry: 1\ndata: \n\nevent: chirp:error\ndata: .*\n\n$/)
    t.equal((await get(port, '/two/fails')).body, 'event: chirp:open\nretry: 3000\ndata: \n\n')
    const client = new TestClient(app, { listen: true })
    const streams = [await client.open('/one/waits'), await client.open('/one/waits'), await client.open('/two/waits')]
    t.match((await get(port, '/two/waits')).body, /^event: chirp:busy\n/)
    t.equal(children.one.eventStreams.open, 2)
    t.equal(children.two.eventStreams.open, 1)
    await app.close()
    for (const stream of streams) {
      t.match([await stream.next(), await stream.next(), await stream.next()].filter(event => event?.event !== 'chirp:open'), [{ data: 'a' }, { event: 'chirp:closing' }])
    }
    await t.rejects(Fastify().register(chirp, { retry: false }).register(chirp, { retry: false }).ready(), { code: 'FST_CHIRP_REGISTERED' })
  })

  t.test('without a logger, and without request logging', async t => {
    // Newer releases of Fastify want it in a class, which 5.0 does not have.
    const disabled = { disableRequestLogging: true }
    const { LogController } = fastify
    for (const fastifyOptions of [{ logger: false }, LogController ? { logController: new LogController(disabled) } : disabled]) {
      const app = await buildApp(t, {}, fastifyOptions)
      app.get('/', (request, reply) => reply.eventStream(async function * ({ log }) {
        log.info('a line')
        yield undefined
        yield 'a'
        throw new Error('no')
      }))
      t.equal((await get(await listen(app), '/')).body, ': open\ndata: a\n\nevent: chirp:error\ndata: Internal Server Error\n\n')
      t.match(app.eventStreams, { errors: 2, events: 1 })
    }
  })
})
