// The test client where an app is slow, speaks TLS or HTTP/2, or is asked for
// much at once.
import t from 'tap'
import { setTimeout as wait } from 'node:timers/promises'
import { buildApp, certificate, never, quiet, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'

const protocols = {
  'HTTP/1.1': {},
  'HTTP/1.1 with TLS': { https: certificate() },
  'HTTP/2': { http2: true },
  'HTTP/2 with TLS': { http2: true, https: certificate() }
}

async function endless () {
  return async function * () {
    for (let n = 0; ; n++) {
      yield n
      await wait(5)
    }
  }
}

for (const [name, options] of Object.entries({ injected: undefined, ...protocols })) {
  t.test(name, async t => {
    const app = await buildApp(t, {}, { ...options, ...(options?.http2 && { forceCloseConnections: undefined }) })
    app.get('/three', (request, reply) => reply.header('x-own', 'yes').eventStream(['a', 'b', 'c']))
    app.get('/endless', async (request, reply) => reply.eventStream(await endless()))
    app.get('/never', () => never)
    app.get('/text', (request, reply) => reply.code(404).send('é€𝄞'.repeat(50000)))
    app.post('/echo', (request, reply) => reply.eventStream([{ body: request.body, version: request.raw.httpVersion }]))
    app.get('/cut', request => { (request.raw.stream ?? request.raw.socket).destroy() })
    const client = new TestClient(app, { listen: options !== undefined })

    t.test('a stream', async t => {
      const result = await client.sse('/three')
      t.same(result.events.map(({ data }) => data), ['a', 'b', 'c'])
      t.match(result, { status: 200, ended: true, headers: { 'x-own': 'yes', 'content-type': 'text/event-stream' } })
      t.same(Object.keys(result.headers).filter(header => header.startsWith(':')), [])
      t.equal((await client.sse('/endless', { maxEvents: 2 })).events.length, 2)
      await until(() => app.eventStreams.open === 0)
    })

    t.test('a payload', async t => {
      const { events: [{ data }] } = await client.sse('/echo', { method: 'POST', payload: { text: 'é' } })
      t.match(JSON.parse(data), { body: { text: 'é' }, ...(options && { version: options.http2 ? '2.0' : '1.1' }) })
    })

    t.test('a body keeps its characters, wherever it is cut', async t => {
      const { status, body } = await client.sse('/text')
      t.equal(status, 404)
      t.ok(body === 'é€𝄞'.repeat(50000))
    })

    t.test('a handler that does not answer is an error that says so', async t => {
      const message = 'The handler of GET /never did not answer within 100 ms. Does it return reply.eventStream(), and do its hooks end?'
      await t.rejects(client.sse('/never', { timeout: 100 }), { message })
      await t.rejects(client.open('/never', { timeout: 100 }), { message })
      const stream = await client.open('/three', { timeout: 5000 })
      t.equal((await stream.next()).data, 'a')
    })

    t.test('the caller that asked first gets the first event', async t => {
      const stream = await client.open('/three')
      const events = await Promise.all([stream.next(), stream.next(), stream.next(), stream.next()])
      t.same(events.map(event => event?.data), ['a', 'b', 'c', undefined])
      const other = await client.open('/endless')
      const [late, one, two] = await Promise.all([other.next(0), other.next(), other.next()])
      t.ok(late === undefined || late.data === '0')
      t.equal(Number(two.data), Number(one.data) + 1)
      other.close()
      await until(() => app.eventStreams.open === 0)
    })

    if (options === undefined) return
    t.test('a request that is cut rejects', async t => {
      const error = await client.sse('/cut').catch(error => error)
      t.type(error, Error)
      t.notMatch(error.message, 'did not answer')
      t.equal((await client.sse('/three')).status, 200)
    })
  })
}

t.test('a caller that waited in vain does not take the event of the next one', async t => {
  const app = await buildApp(t)
  let say
  app.get('/', (request, reply) => reply.eventStream(async function * () {
    yield await new Promise(resolve => { say = resolve })
  }))
  const stream = await new TestClient(app).open('/')
  await until(() => say !== undefined)
  const first = stream.next(20)
  const second = stream.next(5000)
  t.equal(await first, undefined)
  say('for the second')
  t.same(await second, { data: 'for the second' })
})

t.test('twelve clients at once make an app listen once', async t => {
  const warnings = []
  const warn = warning => warnings.push(warning)
  process.on('warning', warn)
  t.teardown(() => process.off('warning', warn))
  const app = await buildApp(t)
  let calls = 0
  const { listen } = app
  app.listen = (...args) => {
    calls++
    return Reflect.apply(listen, app, args)
  }
  app.get('/', (request, reply) => reply.eventStream(['a']))
  const results = await Promise.all(Array.from({ length: 12 }, () => new TestClient(app, { listen: true }).sse('/')))
  t.same(results.map(({ events }) => events.length), Array(12).fill(1))
  t.equal(calls, 1)
  await quiet(0)
  t.same(warnings, [])
})
