// What peers got wrong, over real sockets.
import net from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import '../helpers/complaints.js'
import cookie from '@fastify/cookie'
import session from '@fastify/session'
import Fastify from 'fastify'
import chirp, { Fragment, SSEEvent } from 'fastify-chirp'
import { buildApp, certificate, listen, never, settled, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { askHttp1, askHttp2, closeLines, controlled, dial, get, GET, troubles } from '../helpers/raw.js'

t.test('what peers got wrong', async t => {
  const attack = 'a\rdata: b\r\nevent: c\n\nid: d\r\rretry: 5\n:e\0'
  const lines = ['a', 'data: b', 'event: c', '', 'id: d', '', 'retry: 5', ':e\0']

  t.test('no field breaks out of its line, nor does what a template makes of a value', async t => {
    const app = await buildApp(t, { debug: true, templates: 'test/fixtures/hardening' })
    const values = [
      attack,
      new SSEEvent({ data: attack, event: 'name: x', id: 'id: y' }),
      new Fragment('block.html', 'item', { text: attack }, { target: 'data: t', id: 7 }),
      { [attack]: attack },
      { toJSON: () => attack },
      new Fragment('block.html', attack, {}, { target: 'box' }),
      new Fragment('block.html', 'item', { get text () { throw new Error(attack) } }, { target: 'box' })
    ]
    app.get('/', (request, reply) => reply.eventStream(values))
    app.get('/source', (request, reply) => reply.eventStream(async function * () { throw new Error(attack) }))
    app.get('/value', (request, reply) => reply.eventStream([{ toJSON () { throw new Error(attack) } }]))
    const port = await listen(app)
    const data = (lines, before = '', after = '') => `data: ${before}${lines.join('\ndata: ')}${after}\n\n`
    const { body } = await get(port, '/')
    const json = JSON.stringify(attack)
    const expected = [': open\n', data(lines), `event: name: x\nid: id: y\n${data(lines)}`, `event: data: t\nid: 7\n${data(lines, '<pre>', '</pre>')}`,
      `data: {${json}:${json}}\n\n`, `data: ${json}\n\n`].join('')
    t.equal(body.slice(0, expected.length), expected)
    // The error boxes: two events, and every line of them is data.
    const boxes = body.slice(expected.length).split('\n\n')
    t.equal(boxes.length, 3)
    t.equal(boxes[2], '')
    for (const box of boxes.slice(0, 2)) {
      const [name, ...rest] = box.split('\n')
      t.equal(name, 'event: box')
      t.ok(rest.length > 4 && rest.every(line => line.startsWith('data: ')), JSON.stringify(rest))
      t.notMatch(box, /\r/)
    }
    t.equal((await get(port, '/source')).body, `: open\nevent: chirp:error\n${data(lines)}`)
    t.equal((await get(port, '/value')).body,
      `: open\nevent: chirp:error\n${data(lines, 'Cannot send this value: JSON.stringify refused it (', '). Send what JSON can hold')}`)
  })

  t.test('a CR, LF or NUL in an event or id never reaches the wire', async t => {
    for (const bad of ['a\rb', 'a\nb', 'a\r\nb', 'a\0b', '\n', '\r', '\0']) {
      for (const field of ['event', 'id']) t.throws(() => new SSEEvent({ data: 'x', [field]: bad }), { code: 'FST_CHIRP_EVENT' })
      for (const field of ['target', 'id', 'swap']) t.throws(() => new Fragment('a', 'b', {}, { [field]: bad }), { code: 'FST_CHIRP_FRAGMENT' })
    }
  })

  t.test('id 0, id "" and retry 0 are written', async t => {
    const app = await buildApp(t)
    app.get('/', (request, reply) => reply.eventStream([
      new SSEEvent({ data: 'a', id: 0 }), new SSEEvent({ data: 'b', id: '' }), new SSEEvent({ data: 'c', retry: 0 }), new SSEEvent({ id: 0, retry: 0 }),
      new SSEEvent({ data: 0, id: -0 }), new SSEEvent({ data: null, id: 0n }), new SSEEvent({ data: '', event: '' })
    ], { retry: 0 }))
    t.equal((await get(await listen(app), '/')).body, [
      'event: chirp:open\nretry: 0\ndata: ', 'id: 0\ndata: a', 'id: \ndata: b', 'retry: 0\ndata: c', 'id: 0\nretry: 0', 'id: 0\ndata: 0',
      'id: 0\ndata: null', 'data: ', ''
    ].join('\n\n'))
  })

  t.test('clients that do not read cost no more than their buffers, and leaving wakes what they blocked', async t => {
    const app = await buildApp(t, { writeTimeout: false })
    let finished = 0
    let aborted = 0
    let pulled = 0
    const responses = []
    app.get('/', (request, reply) => {
      responses.push(reply.raw)
      return reply.eventStream(async function * ({ signal }) {
        signal.addEventListener('abort', () => { aborted++ })
        try {
          for (;;) {
            pulled++
            yield 'x'.repeat(50000)
          }
        } finally {
          finished++
        }
      })
    })
    const port = await listen(app)
    const clients = await Promise.all(Array.from({ length: 12 }, () => dial(port)))
    for (const { socket, send } of clients) {
      socket.pause()
      send(GET())
    }
    await until(() => responses.length === 12 && responses.every(({ writableLength }) => writableLength > 0))
    await settled(() => pulled)
    for (const { writableLength } of responses) t.ok(writableLength > 0 && writableLength < 120000, `${writableLength} bytes wait`)
    t.equal(finished, 0)
    for (const [n, { socket }] of clients.entries()) n % 2 === 0 ? socket.destroy() : socket.resetAndDestroy()
    await until(() => finished === 12 && app.eventStreams.open === 0)
    t.equal(aborted, 12)
    t.same(closeLines(app).map(({ reason }) => reason), Array(12).fill('disconnect'))
    t.same(troubles(app), [])
  })

  t.test('1,000 streams are opened and the app closes in the middle of it', async t => {
    const app = await buildApp(t, { shutdownGrace: 1000 }, { logger: false, forceCloseConnections: undefined })
    let open = 0
    app.get('/', { referenced: true }, (request, reply) => reply.eventStream(async function * ({ signal }) {
      open++
      yield 'a'
      await new Promise(resolve => signal.addEventListener('abort', resolve))
      open--
    }))
    const port = await listen(app)
    const endings = []
    const start = () => new Promise(resolve => {
      const socket = net.connect(port, '127.0.0.1', () => socket.write(GET('/', 'Connection: close\r\n')))
      let text = ''
      socket.setEncoding('latin1').on('data', chunk => { text += chunk })
      socket.on('error', () => {})
      socket.on('close', () => resolve(text))
    })
    for (let i = 0; i < 1000; i++) {
      endings.push(start())
      if (i % 50 === 49) await turn()
      if (i === 700) {
        await until(() => open > 300)
        endings.push(app.close().then(() => 'closed'))
      }
    }
    const texts = await Promise.all(endings)
    const streams = texts.filter(text => text.includes('data: a'))
    t.ok(streams.length > 300, `${streams.length} streams`)
    t.same(streams.filter(text => !/event: chirp:closing\nretry: \d+\ndata: \n\n\r\n0\r\n\r\n$/.test(text)), [], 'all of them heard the last word')
    t.ok(texts.every(text => text === 'closed' || text === '' || /^HTTP\/1.1 (200|503)/.test(text)), 'and nobody heard half a word')
    t.equal(open, 0)
    t.equal(app.eventStreams.open, 0)
  })

  for (const http2Options of [undefined, { http2: true }, { http2: true, https: { allowHTTP1: true, ...certificate() } }]) {
    const over = http2Options === undefined ? 'HTTP/1.1' : http2Options.https ? 'HTTP/2 with allowHTTP1' : 'HTTP/2'
    t.test(`cookies, sessions and onSend headers are kept and HEAD answers: ${over}`, async t => {
      const app = Fastify({ forceCloseConnections: true, ...http2Options })
      t.teardown(() => app.close())
      await app.register(cookie)
      await app.register(session, { secret: 'a secret that is longer than 32 characters', cookie: { secure: false } })
      await app.register(chirp, { retry: false })
      app.addHook('onSend', async (request, reply) => { reply.header('x-hook', 'async') })
      let opened = 0
      const options = {
        onSend: (request, reply, payload, done) => {
          reply.setCookie('late', '1')
          done()
        }
      }
      const handler = (request, reply) => {
        request.session.user = 'u1'
        return reply.eventStream(async function * () { opened++; yield 'a' })
      }
      app.get('/marked', { ...options, referenced: true }, handler)
      app.get('/unmarked', options, handler)
      app.route({ ...options, method: ['GET', 'HEAD'], url: '/both', referenced: true, handler })
      const port = await listen(app)
      const ask = http2Options === undefined ? askHttp1 : askHttp2(t, http2Options.https ? 'https' : 'http', port)
      for (const path of http2Options === undefined ? ['/marked', '/unmarked', '/both'] : ['/unmarked']) {
        for (const method of ['GET', 'HEAD']) {
          const before = opened
          const { status, headers, body } = await ask(port, path, method)
          t.equal(status, 200, `${method} ${path}`)
          t.equal(headers['content-type'], 'text/event-stream; charset=utf-8')
          t.equal(headers['x-hook'], 'async')
          t.ok(headers['set-cookie'].some(cookie => cookie.startsWith('late=1')))
          t.ok(headers['set-cookie'].some(cookie => cookie.startsWith('sessionId=')))
          t.equal(body, method === 'GET' ? ': open\ndata: a\n\n' : '')
          t.equal(opened - before, method === 'GET' ? 1 : 0)
        }
      }
    })
  }

  t.test('whatever a source throws, whenever it throws, the process and the other streams go on', async t => {
    const app = await buildApp(t)
    const cyclic = new Error('cyclic')
    cyclic.cause = cyclic
    const thrown = [new Error('plain'), cyclic, 'text', 5n, Symbol('x'), undefined, null, [], () => {},
      Object.create(null), new AggregateError([cyclic, null]), new DOMException('gone', 'AbortError')]
    const moments = {
      first: n => async function * () { throw thrown[n] },
      later: n => async function * () { yield 'a'; await turn(); throw thrown[n] },
      sync: n => function * () { yield 'a'; throw thrown[n] },
      'next throws': n => ({ [Symbol.asyncIterator]: () => ({ next () { throw thrown[n] } }) }),
      web: n => new ReadableStream({ pull (controller) { controller.error(thrown[n]) } }),
      return: n => ({ [Symbol.asyncIterator]: () => ({ next: () => never, return () { throw thrown[n] } }) }),
      'return rejects': n => ({ [Symbol.asyncIterator]: () => ({ next: () => never, return: async () => { throw thrown[n] } }) }),
      cancel: n => new ReadableStream({ cancel () { throw thrown[n] } })
    }
    app.get('/quiet', (request, reply) => reply.eventStream(controlled().source))
    app.get('/:moment/:n', (request, reply) => reply.eventStream(moments[request.params.moment](request.params.n)))
    const port = await listen(app)
    const client = new TestClient(app, { listen: true })
    const quiet = await client.open('/quiet')
    for (const moment of Object.keys(moments)) {
      for (const n of thrown.keys()) {
        if (['return', 'return rejects', 'cancel'].includes(moment)) {
          const stream = await client.open(`/${encodeURIComponent(moment)}/${n}`)
          stream.close()
          await until(() => app.eventStreams.open === 1, `${moment} ${n} ends`)
        } else {
          const { body } = await get(port, `/${encodeURIComponent(moment)}/${n}`)
          t.match(body, /^: open\n(data: a\n\n)?event: chirp:error\ndata: Internal Server Error\n\n$/, `${moment} ${n}`)
        }
      }
    }
    t.notOk(quiet.ended)
    quiet.close()
  })
})
