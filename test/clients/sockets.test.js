// What clients do that they should not, or seldom do, on real sockets.
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import '../helpers/complaints.js'
import { Fragment, SSEEvent } from 'fastify-chirp'
import { buildApp, certificate, listen, quiet, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { isBefore } from '../helpers/fastify.js'
import { controlled, dial, get, GET, troubles } from '../helpers/raw.js'

t.test('what clients do', async t => {
  t.test('requests on one socket: order is kept, a stream holds back what comes after it, and the connection lives on', async t => {
    const app = await buildApp(t)
    const controls = [controlled(), controlled()]
    app.get('/:n', (request, reply) => reply.eventStream(controls[request.params.n].source))
    app.get('/text', async () => 'a text')
    const client = await dial(await listen(app))
    client.send(GET('/0') + GET('/text') + GET('/1'))
    await until(() => app.eventStreams.open === 2)
    controls[0].give('first')
    controls[1].give('third')
    controls[1].end()
    await client.heard('data: first')
    t.notMatch(client.text, /a text|third/)
    controls[0].end()
    await client.heard('0\r\n\r\n', 2)
    t.match(client.text, /data: first\n\n\r\n0\r\n\r\nHTTP\/1.1 200[^]*a textHTTP\/1.1 200[^]*data: third\n\n\r\n0\r\n\r\n$/)
    await until(() => app.eventStreams.open === 0)
    t.notOk(client.ended)
    client.send(GET('/text'))
    await client.heard('a text', 2)
    client.socket.destroy()
    t.same(controls.map(({ closed }) => closed), [1, 1])
  })

  t.test('a connection is used again after a stream, a hundred times, without listeners left behind', async t => {
    const app = await buildApp(t)
    const sockets = new Set()
    const listeners = []
    app.get('/', { referenced: true }, (request, reply) => {
      const { socket } = request.raw
      sockets.add(socket)
      listeners.push(socket.eventNames().reduce((sum, name) => sum + socket.listenerCount(name), 0))
      return reply.eventStream(async function * () { yield 'a'; await turn(); yield 'b' })
    })
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    t.teardown(() => agent.destroy())
    const port = await listen(app)
    for (let i = 0; i < 100; i++) t.equal((await get(port, '/', { agent })).body, ': open\ndata: a\n\ndata: b\n\n')
    t.equal(sockets.size, 1)
    t.equal(listeners[99], listeners[1])
  })

  t.test('HTTP/1.0: no chunks, and the end of the connection is the end of the stream', async t => {
    const app = await buildApp(t)
    app.get('/', (request, reply) => reply.eventStream(async function * () { yield 'a'; await turn(); yield 'b' }))
    app.get('/marked', { referenced: true }, (request, reply) => reply.eventStream(['a', 'b']))
    const port = await listen(app)
    for (const path of ['/', '/marked']) {
      const client = await dial(port)
      client.send(`GET ${path} HTTP/1.0\r\n\r\n`)
      await until(() => client.ended)
      t.notMatch(client.text, /transfer-encoding/i)
      t.match(client.text, /^HTTP\/1.1 200[^]*\r\n\r\n: open\ndata: a\n\ndata: b\n\n$/)
    }
  })

  t.test('Expect: 100-continue', async t => {
    const app = await buildApp(t)
    app.post('/', (request, reply) => reply.eventStream([request.body]))
    const client = await dial(await listen(app))
    client.send('POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n')
    await client.heard('HTTP/1.1 100 Continue\r\n\r\n')
    client.send('{"a":1}')
    await client.heard('data: {"a":1}\n\n')
    await client.heard('0\r\n\r\n')
    client.socket.destroy()
  })

  t.test('garbage before, instead of and during a stream closes that connection and no other', async t => {
    const app = await buildApp(t)
    const control = controlled()
    const quiet = controlled()
    app.get('/', (request, reply) => reply.eventStream(control.source))
    app.get('/quiet', (request, reply) => reply.eventStream(quiet.source))
    const port = await listen(app)
    const other = await new TestClient(app, { listen: true }).open('/quiet')
    for (const garbage of ['\0\0\0\0', '\x16\x03\x01\x02\0\x01\0', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'x'.repeat(20000), 'GET / HTTP/9.9\r\n\r\n', `${GET('/', 'Bad Header\r\n')}`]) {
      const alone = await dial(port)
      alone.send(garbage)
      await until(() => alone.closed)
      const during = await dial(port)
      during.send(GET())
      await during.heard(': open')
      during.send(garbage)
      await until(() => during.closed && app.eventStreams.open === 1, `closed after ${JSON.stringify(garbage.slice(0, 20))}`)
      t.match(during.text, /^HTTP\/1.1 200/)
    }
    quiet.give('still here')
    t.same(await other.next(), { data: 'still here' })
    other.close()
    await until(() => control.closed === control.opened)
  })

  t.test('a client that takes the rest of a stream late, but within writeTimeout, gets all of it', async t => {
    const app = await buildApp(t)
    app.get('/', (request, reply) => reply.eventStream(['x'.repeat(20e6)]))
    const [response] = await once(http.get({ port: await listen(app), agent: false }), 'response')
    response.on('error', () => {})
    // Longer than anything that a young stream is looked at for.
    await quiet(1500)
    let length = 0
    response.on('data', chunk => { length += chunk.length })
    await new Promise(resolve => response.on('close', resolve))
    t.equal(length, 20e6 + ': open\ndata: \n\n'.length)
  })

  t.test('a long Last-Event-ID is handed over, a longer one is refused by Node.js, and none of it is trusted', async t => {
    const app = await buildApp(t)
    app.get('/', (request, reply) => reply.eventStream(function * ({ lastEventId }) {
      yield lastEventId.length
      try {
        yield new SSEEvent({ id: lastEventId })
      } catch (error) {
        yield error.code
      }
    }))
    const port = await listen(app)
    const ask = (lastEventId, path = '/') => get(port, path, { headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId } })
    t.equal((await ask('x'.repeat(10000))).body, ': open\ndata: 10000\n\ndata: FST_CHIRP_EVENT\n\n')
    t.equal((await ask('x'.repeat(20000))).status, 431)
    t.equal((await ask(undefined, '/?lastEventId=a%0Adata:%20b%0D%00')).body, ': open\ndata: 11\n\ndata: FST_CHIRP_EVENT\n\n')
    t.equal((await ask('\xff\xfe\x80')).body, ': open\ndata: 3\n\nid: \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\n\n', 'what is no UTF-8')
  })

  t.test('prototypes are not polluted by a query, a cursor or the context of a fragment', async t => {
    const app = await buildApp(t, { templates: 'test/fixtures/hardening' })
    const evil = '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"text":"x"}'
    const event = JSON.parse('{"__proto__":{"id":"x","event":"y"},"data":"z"}')
    app.get('/', (request, reply) => reply.eventStream(({ lastEventId }) => [
      lastEventId, JSON.parse(evil), new Fragment('block.html', 'item', JSON.parse(evil)), new SSEEvent(event)
    ]))
    app.get('/options', (request, reply) => reply.eventStream(['a'], JSON.parse('{"__proto__":{"retry":5}}')))
    const port = await listen(app)
    const { body } = await get(port, '/?__proto__[polluted]=1&constructor[prototype][polluted]=1&lastEventId=__proto__&htmx=__proto__')
    t.equal(body, `: open\ndata: __proto__\n\ndata: ${evil}\n\ndata: <pre>x</pre>\n\ndata: z\n\n`)
    t.match((await get(port, '/options')).body, /FST_CHIRP_OPTION.*there is no option .*__proto__/)
    t.equal({}.polluted, undefined)
    t.equal(Object.prototype.polluted, undefined)
  })

  t.test('unusual Accept headers', async t => {
    const app = await buildApp(t)
    app.get('/', (request, reply) => reply.eventStream(['a']))
    const port = await listen(app)
    const status = async accept => {
      const client = await dial(port)
      client.send(GET('/', `${accept}\r\nConnection: close\r\n`))
      await until(() => client.ended)
      return client.text.split(' ')[1]
    }
    for (const accept of ['Accept: text/event-stream;q=0.001', 'Accept:\ttext/html ,\ttext/event-stream ;q=1', 'Accept: text/html\r\nAccept: text/event-stream',
      'Accept: text/event-stream;charset=utf-8;q=0.5', 'Accept: ,,text/event-stream,,', 'ACCEPT: */*;q=0.1', `Accept: ${'a/b,'.repeat(3000)}*/*`]) {
      t.equal(await status(accept), '200', accept.slice(0, 60))
    }
    for (const accept of ['Accept: text/html, text/event-stream;q=0', 'Accept: text/html;q=1;text/event-stream', 'Accept: event-stream']) t.equal(await status(accept), '406', accept)
  })

  t.test('HTTP/2: 100 streams on one session, reset in every way, and the rest ended by app.close()', async t => {
    for (const https of [undefined, { allowHTTP1: true, ...certificate() }]) {
      const app = await buildApp(t, { shutdownGrace: 1000 }, { http2: true, ...(https && { https }) })
      let open = 0
      app.get('/', (request, reply) => reply.eventStream(async function * ({ signal }) {
        open++
        yield 'a'
        await new Promise(resolve => signal.addEventListener('abort', resolve))
        open--
      }))
      const port = await listen(app)
      const session = http2.connect(`${https ? 'https' : 'http'}://127.0.0.1:${port}`, { rejectUnauthorized: false })
      session.on('error', () => {})
      const streams = Array.from({ length: 100 }, () => {
        const stream = session.request({ ':path': '/' })
        stream.text = ''
        stream.on('error', () => {})
        stream.on('data', chunk => { stream.text += chunk })
        return stream
      })
      await until(() => open === 100)
      const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } = http2.constants
      const codes = [NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM]
      for (let i = 0; i < 60; i++) i % 5 === 4 ? streams[i].destroy() : streams[i].close(codes[i % 5])
      await until(() => open === 40 && app.eventStreams.open === 40)
      const closing = app.close()
      // Before 5.7 Fastify leaves that to the client; it waits for its streams.
      if (isBefore('5.7.0')) session.close()
      await closing
      t.equal(open, 0)
      await until(() => streams.every(stream => stream.closed))
      for (const { text } of streams.slice(60)) t.match(text, /^: open\ndata: a\n\nevent: chirp:closing\nretry: \d+\ndata: \n\n$/)
      t.same(troubles(app), [])
      session.destroy()
    }
  })

  t.test('HTTP/2: a session that is cut takes its streams with it', async t => {
    const app = await buildApp(t, {}, { http2: true })
    const control = controlled()
    app.get('/', (request, reply) => reply.eventStream(control.source))
    const { socket } = await dial(await listen(app))
    const session = http2.connect('http://127.0.0.1', { createConnection: () => socket })
    session.on('error', () => {})
    for (let i = 0; i < 10; i++) session.request({ ':path': '/' }).on('error', () => {}).resume()
    await until(() => control.opened === 10)
    socket.destroy()
    await until(() => control.closed === 10 && app.eventStreams.open === 0)
    t.pass('all closed')
  })
})
