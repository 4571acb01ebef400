// The head of a stream, what debug says about it, and the lines of the log.
import t from 'tap'
import { SSEEvent } from 'fastify-chirp'
import { buildApp, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

const UTF8 = 'text/event-stream; charset=utf-8'

t.test('a content type that the app has set is one of an event stream in UTF-8, or becomes it', async t => {
  const app = await buildApp(t)
  const kept = ['text/event-stream', 'text/event-stream; charset=utf-8', 'text/event-stream;charset=UTF-8', 'text/event-stream; charset="utf-8"', 'Text/Event-Stream']
  const replaced = [
    'text/event-stream; charset=windows-1252', 'text/event-stream;charset=utf-16', 'text/event-stream; charset=latin1; charset=utf-8', 'text/event-stream, text/html',
    'text/event-streams', 'text/event-stream;', 'text/html', ' text/event-stream'
  ]
  const handler = (request, reply) => reply.header('content-type', request.headers['x-type']).eventStream(['ü'])
  for (const referenced of [true, false]) app.get(`/${referenced}`, { referenced }, handler)
  for (const referenced of [true, false]) {
    for (const type of [...kept, ...replaced]) {
      const { headers, body } = await app.inject({ url: `/${referenced}`, headers: { 'x-type': type } })
      t.equal(headers['content-type'], kept.includes(type) ? type : UTF8, type)
      t.equal(body, ': open\ndata: ü\n\n')
    }
  }
})

t.test('a heartbeat that clients do not know is in the head', async t => {
  for (const [heartbeat, header] of [[undefined, undefined], [15000, undefined], [30000, '30000'], [false, '0']]) {
    const app = await buildApp(t, { heartbeat })
    app.get('/', (request, reply) => reply.eventStream(['a']))
    app.get('/own', (request, reply) => reply.eventStream(['a'], { heartbeat: 1000 }))
    t.equal((await app.inject('/')).headers['chirp-heartbeat'], header)
    t.equal((await app.inject('/own')).headers['chirp-heartbeat'], '1000')
  }
})

t.test('a stream with a status that no EventSource reads is told once for each route, in debug', async t => {
  const line = (route, status) =>
    `${route} sent an event stream with status ${status}. An EventSource reads it with status 200 only, and gives up for good otherwise. Remove reply.code(${status})`
  for (const debug of [true, false]) {
    const app = await buildApp(t, { debug })
    app.setErrorHandler((error, request, reply) => reply.code(500).eventStream([error.message]))
    for (const status of [200, 201, 204, 299, 302, 404]) {
      app.route({ method: ['GET', 'POST'], url: `/${status}`, referenced: true, handler: (request, reply) => reply.code(status).eventStream(['a']) })
    }
    app.get('/error', () => { throw new Error('late') })
    const warned = () => app.log.lines.filter(({ msg }) => /sent an event stream with status/.test(msg)).map(({ level, msg }) => [level, msg])
    for (const status of [200, 201, 204, 299, 302, 404]) {
      t.equal((await app.inject({ method: 'POST', url: `/${status}` })).statusCode, status)
    }
    t.same(warned(), [], 'who posts reads with fetch()')
    for (const url of ['/200', '/201', '/201', '/204', '/299', '/302', '/404', '/error', '/error']) await app.inject(url)
    t.same(warned(), debug ? [201, 204, 299, 302, 404].map(status => [40, line(`GET,POST /${status}`, status)]).concat([[40, line('GET /error', 500)]]) : [])
  }
})

t.test('an id beyond ASCII is told once, in debug', async t => {
  for (const debug of [true, false]) {
    const app = await buildApp(t, { debug })
    const channel = app.channel('a')
    app.get('/', (request, reply) => reply.eventStream([new SSEEvent({ data: 'a', id: 'größe' }), new SSEEvent({ data: 'b', id: 'straße' })]))
    await new TestClient(app).sse('/')
    await channel.publish(new SSEEvent({ data: 'c', id: 'weiß' }))
    t.same(app.log.lines.filter(({ level }) => level === 40).map(({ msg }) => msg), debug
      ? ['the id "größe" has characters beyond ASCII. Several clients, htmx 4 among them, cannot send it back: they fail and never reconnect. Use letters and digits']
      : [])
  }
})

t.test('every line about a stream has the pattern of its route', async t => {
  const app = await buildApp(t, { maxStreams: 1 })
  app.get('/news/:topic', { referenced: true }, (request, reply) => reply.eventStream(async function * () {
    yield Symbol('no JSON for this')
    if (request.params.topic === 'fails') throw new Error('x')
    if (request.params.topic === 'odd') {
      // No serializer can print it.
      throw new Proxy({}, { get () { throw new Error('y') }, getPrototypeOf () { throw new Error('z') } })
    }
  }))
  app.get('/open', (request, reply) => reply.eventStream(app.channel('a')))
  app.setNotFoundHandler((request, reply) => reply.eventStream(['a']))
  const client = new TestClient(app)
  const lines = async (url, count) => {
    app.log.lines.length = 0
    await client.sse(url)
    const found = () => app.log.lines.filter(({ msg }) => /event|source/.test(msg))
    await until(() => found().length === count, `${count} lines for ${url}`)
    return found().map(({ msg, route }) => [msg, route])
  }
  const failed = ['the source of an event stream failed', '/news/:topic']
  const skipped = ['an event was not sent', '/news/:topic']
  const closed = ['event stream closed', '/news/:topic']
  t.same(await lines('/news/a', 2), [skipped, closed])
  t.same(await lines('/news/fails', 3), [skipped, failed, closed])
  t.same(await lines('/news/odd', 3), [skipped, failed, closed])
  t.same(await lines('/nowhere', 1), [['event stream closed', undefined]])
  const stream = await client.open('/open')
  t.same(await lines('/news/a', 1), [['event stream refused: too many are open', '/news/:topic']])
  stream.close()
})
