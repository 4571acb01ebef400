// The test client that users get.
import t from 'tap'
import { setTimeout as wait } from 'node:timers/promises'
import { EventStreamParser } from '../../dist/testing/parser.js'
import { buildApp, listen, never, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { loadCases } from '../helpers/cases.js'

for (const { name, chunks, parsed, retry, lastEventId = '' } of loadCases('parse-cases')) {
  t.test(`parser: ${name}`, async t => {
    const events = []
    const parser = new EventStreamParser({
      onEvent: event => { events.push({ data: event.data, event: event.event ?? 'message', lastEventId: parser.lastEventId }) },
      onComment () {}
    })
    for (const chunk of chunks) parser.feed(Buffer.from(chunk, 'latin1'))
    parser.end()
    t.same(events, parsed.map(event => ({ event: 'message', lastEventId: '', ...event })))
    if (retry !== undefined) t.equal(parser.retry, retry)
    t.equal(parser.lastEventId, lastEventId || (parsed.at(-1)?.lastEventId ?? ''))
  })
}

t.test('parser: a retry belongs to its own block', async t => {
  const events = []
  const parser = new EventStreamParser({ onEvent: event => { events.push(event) }, onComment () {} })
  parser.feed(Buffer.from('retry: 5\n\ndata: a\n\nretry: 6\nid: 1\ndata: b\n\ndata: c\n\n'))
  t.same(events, [{ data: 'a' }, { data: 'b', id: '1', retry: 6 }, { data: 'c' }])
})

for (const overSocket of [false, true]) {
  t.test(overSocket ? 'over a socket' : 'injected', async t => {
    const app = await buildApp(t, { heartbeat: 1000 })
    app.get('/three', (request, reply) => reply.eventStream(['a', 'b', 'c']))
    app.get('/endless', (request, reply) => reply.eventStream(async function * () {
      for (let n = 0; ; n++) {
        yield n
        await wait(5)
      }
    }))
    app.get('/quiet', (request, reply) => reply.eventStream(async function * () { await never; yield 1 }))
    app.get('/plain', async (request, reply) => reply.code(404).send('nothing here'))
    app.post('/echo', (request, reply) => reply.eventStream([{ body: request.body, type: request.headers['content-type'], own: request.headers['x-own'] }]))
    const client = new TestClient(app, { listen: overSocket })

    t.test('it returns at the end of the stream', async t => {
      const result = await client.sse('/three')
      t.match(result, { status: 200, heartbeats: 0, ended: true, lastEventId: '', retry: undefined, body: '' })
      t.same(result.events, [{ data: 'a' }, { data: 'b' }, { data: 'c' }])
    })

    t.test('it returns as soon as maxEvents are there, and closes the stream', async t => {
      const result = await client.sse('/endless', { maxEvents: 3, timeout: 5000 })
      t.same(result.events, [{ data: '0' }, { data: '1' }, { data: '2' }])
      t.notOk(result.ended)
      await until(() => app.eventStreams.open === 0)
    })

    t.test('it returns when the timeout has passed, with the heartbeats that came', async t => {
      const result = await client.sse('/quiet', { timeout: 1500 })
      t.same(result.events, [])
      t.equal(result.heartbeats, 1)
      t.notOk(result.ended)
      await until(() => app.eventStreams.open === 0)
    })

    t.test('an answer that is not a stream has a body', async t => {
      t.match(await client.sse('/plain'), { status: 404, body: 'nothing here', events: [], ended: true })
      t.match(await client.sse('/none'), { status: 404 })
    })

    t.test('method, headers and payload are sent', async t => {
      const json = await client.sse('/echo', { method: 'POST', payload: { a: 1 }, headers: { 'x-own': 'yes' } })
      t.same(JSON.parse(json.events[0].data), { body: { a: 1 }, type: 'application/json', own: 'yes' })
      const text = await client.sse('/echo', { method: 'POST', payload: 'é', headers: { 'content-type': 'text/plain' } })
      t.same(JSON.parse(text.events[0].data), { body: 'é', type: 'text/plain' })
      const typed = await client.sse('/echo', { method: 'POST', payload: { a: 1 }, headers: { 'content-type': 'application/json; x=1' } })
      t.equal(JSON.parse(typed.events[0].data).type, 'application/json; x=1')
    })

    t.test('open() gives a handle that reads one event at a time', async t => {
      const stream = await client.open('/endless')
      t.equal(stream.status, 200)
      t.match(stream.headers['content-type'], /event-stream/)
      t.same(await stream.next(), { data: '0' })
      t.same(await stream.next(), { data: '1' })
      t.notOk(stream.ended)
      stream.close()
      await until(() => app.eventStreams.open === 0)
      while (await stream.next(50) !== undefined);
      t.equal(await stream.next(10), undefined, 'and gives nothing more when it is closed')
    })

    t.test('next() gives up after its timeout', async t => {
      const stream = await client.open('/quiet')
      const start = Date.now()
      t.equal(await stream.next(50), undefined)
      t.ok(Date.now() - start >= 45)
      t.equal(await stream.next(0), undefined)
      stream.close()
    })
  })
}

t.test('over a socket, an app that listens already keeps its port', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.eventStream([request.socket.localPort]))
  const port = await listen(app)
  t.same((await new TestClient(app, { listen: true }).sse('/')).events, [{ data: String(port) }])
})

t.test('an app that does not answer rejects', async t => {
  const app = await buildApp(t)
  app.get('/', (request) => { request.raw.socket.destroy() })
  await t.rejects(new TestClient(app, { listen: true }).sse('/'))
  await t.rejects(new TestClient(app, { listen: true }).sse('no path'))
})
