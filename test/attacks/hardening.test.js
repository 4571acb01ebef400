// Attacks, over real sockets: what peers got wrong, what other plugins do to a
// response, what clients and sources do that they should not.
import { createReadStream } from 'node:fs'
import diagnostics from 'node:diagnostics_channel'
import { once } from 'node:events'
import http from 'node:http'
import http2 from 'node:http2'
import net from 'node:net'
import { PassThrough, pipeline, Readable, Transform } from 'node:stream'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import zlib from 'node:zlib'
import t from 'tap'
import compress from '@fastify/compress'
import cookie from '@fastify/cookie'
import session from '@fastify/session'
import Fastify from 'fastify'
import chirp, { Fragment, SSEEvent } from 'fastify-chirp'
import { TestClient } from 'fastify-chirp/testing'
import { buildApp, certificate, listen, never, until } from '../helpers/app.js'

// Nothing in this file may make the process complain.
const complaints = []
process.on('warning', ({ name, message }) => {
  // Of disableRequestLogging, which is tried below.
  if (name !== 'FastifyDeprecation') complaints.push(`warning: ${name}: ${message}`)
})
process.on('uncaughtExceptionMonitor', (error, origin) => complaints.push(`${origin}: ${error}`))
t.teardown(() => {
  if (complaints.length > 0) throw new Error(complaints.join('\n'))
})

/** A client that says what it is told to, and keeps what it hears. */
async function dial (port) {
  const socket = net.connect(port, '127.0.0.1')
  const client = {
    socket,
    text: '',
    ended: false,
    closed: false,
    send: text => socket.write(text),
    heard: (wanted, times = 1) => until(() => client.text.split(wanted).length > times, `"${wanted}" comes, after ${JSON.stringify(client.text.slice(-300))}`)
  }
  socket.setEncoding('latin1')
  socket.on('error', () => {})
  socket.on('data', chunk => { client.text += chunk })
  socket.on('end', () => { client.ended = true })
  socket.on('close', () => { client.closed = true })
  await once(socket, 'connect')
  return client
}

const GET = (path = '/', headers = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${headers}\r\n`

/** A whole response; the body as latin1, so that every byte counts. */
async function get (port, path, options) {
  const request = http.get({ port, path, agent: false, ...options })
  const [response] = await once(request, 'response')
  let body = ''
  response.setEncoding('latin1').on('data', chunk => { body += chunk })
  await once(response, 'end')
  return { status: response.statusCode, headers: response.headers, body }
}

/** A source that yields what it is given, when it is given. */
function controlled () {
  const values = []
  let wake = () => {}
  const control = {
    opened: 0,
    closed: 0,
    give (value) {
      values.push(value)
      wake()
    },
    end: () => control.give(control),
    source: async function * ({ signal }) {
      control.opened++
      try {
        for (;;) {
          while (values.length === 0) {
            if (signal.aborted) return
            await new Promise(resolve => {
              wake = resolve
              signal.addEventListener('abort', resolve, { once: true })
            })
          }
          const value = values.shift()
          if (value === control) return
          yield value
        }
      } finally {
        control.closed++
      }
    }
  }
  return control
}

const closeLines = app => app.log.lines.filter(line => line.msg === 'event stream closed')
const troubles = app => app.log.lines.filter(line => line.level > 30)

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
    await until(() => responses.length === 12)
    let last
    do {
      last = pulled
      await wait(100)
    } while (pulled !== last)
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

const askHttp1 = async (port, path, method) => {
  const request = http.request({ port, path, method, agent: false })
  request.end()
  const [response] = await once(request, 'response')
  let body = ''
  response.on('data', chunk => { body += chunk })
  await once(response, 'end')
  return { status: response.statusCode, headers: response.headers, body }
}

const askHttp2 = (t, scheme, port) => {
  const session = http2.connect(`${scheme}://127.0.0.1:${port}`, { rejectUnauthorized: false })
  t.teardown(() => session.destroy())
  return async (_, path, method) => {
    const stream = session.request({ ':path': path, ':method': method })
    stream.end()
    let body = ''
    stream.on('data', chunk => { body += chunk })
    const [headers] = await once(stream, 'response')
    if (!stream.closed) await once(stream, 'close')
    return { status: headers[':status'], headers, body }
  }
}

t.test('what other plugins do', async t => {
  const decoders = { gzip: zlib.createGunzip, br: zlib.createBrotliDecompress, deflate: zlib.createInflate }
  const encoders = { gzip: zlib.createGzip, br: zlib.createBrotliCompress, deflate: zlib.createDeflate }

  /** Asks for a stream and sees that each event comes before the next one is there. */
  async function oneByOne (t, app, control, { path = '/', encoding, change = text => text } = {}) {
    const port = await listen(app)
    const request = http.get({ port, path, agent: false, headers: { 'accept-encoding': 'gzip, br, deflate' } })
    const [response] = await once(request, 'response')
    t.equal(response.headers['content-encoding'], encoding)
    let text = ''
    let ended = false
    const body = encoding === undefined ? response : response.pipe(decoders[encoding]())
    body.on('data', chunk => { text += chunk }).on('end', () => { ended = true })
    await until(() => text === ': open\n', 'the first frame comes')
    for (const value of ['one', 'two', 'three']) {
      control.give(value)
      await until(() => text.endsWith(change(`data: ${value}\n\n`)), `${value} comes alone: ${JSON.stringify(text)}`)
    }
    control.end()
    await until(() => ended, 'the stream ends')
    t.equal(text, `: open\n${change('data: one\n\ndata: two\n\ndata: three\n\n')}`)
    await until(() => app.eventStreams.open === 0)
    t.equal(control.closed, control.opened)
  }

  for (const referenced of [true, false]) {
    const kind = referenced ? 'marked' : 'unmarked'

    for (const first of ['compress', 'chirp']) {
      t.test(`@fastify/compress before or after, as it is: ${kind}, ${first} first`, async t => {
        const app = Fastify({ forceCloseConnections: true })
        t.teardown(() => app.close())
        const plugins = { compress: () => app.register(compress, { global: true, threshold: 0 }), chirp: () => app.register(chirp, { retry: false }) }
        await plugins[first]()
        await plugins[first === 'chirp' ? 'compress' : 'chirp']()
        const control = controlled()
        app.get('/', { referenced }, (request, reply) => reply.eventStream(control.source))
        app.get('/text', async () => 'compressible '.repeat(500))
        await oneByOne(t, app, control, {})
        const { headers } = await get(await listen(app), '/text', { headers: { 'accept-encoding': 'gzip' } })
        t.equal(headers['content-encoding'], 'gzip', 'other routes are compressed')
      })
    }

    for (const encoding of Object.keys(encoders)) {
      t.test(`a hook that compresses: ${kind}, ${encoding}`, async t => {
        const app = await buildApp(t)
        const control = controlled()
        app.addHook('onSend', async (request, reply, payload) => {
          reply.header('content-encoding', encoding)
          return payload.pipe(encoders[encoding]())
        })
        app.get('/', { referenced }, (request, reply) => reply.eventStream(control.source))
        await oneByOne(t, app, control, { encoding })
        t.same(troubles(app), [])
      })
    }

    const shout = () => new Transform({ transform (chunk, encoding, callback) { callback(null, String(chunk).replace(/one|two|three/g, word => word.toUpperCase())) } })
    const transforms = {
      pipe: (request, reply, payload, done) => done(null, payload.pipe(shout())),
      'pipe, async': async (request, reply, payload) => {
        await turn()
        return payload.pipe(shout())
      },
      'two pipes': (request, reply, payload, done) => done(null, payload.pipe(new PassThrough()).pipe(shout()))
    }
    for (const [name, hook] of Object.entries(transforms)) {
      t.test(`a hook that transforms: ${kind}, ${name}`, async t => {
        const app = await buildApp(t)
        const control = controlled()
        app.addHook('onSend', hook)
        app.get('/', { referenced }, (request, reply) => reply.eventStream(control.source))
        await oneByOne(t, app, control, { change: text => text.replace(/one|two|three/g, word => word.toUpperCase()) })

        const left = await new TestClient(app, { listen: true }).open('/')
        control.give('one')
        t.same(await left.next(), { data: 'ONE' })
        left.close()
        await until(() => app.eventStreams.open === 0 && control.closed === control.opened, 'the source is closed when the client leaves')

        const kept = await new TestClient(app, { listen: true }).open('/')
        control.give('one')
        await kept.next()
        await app.close()
        t.match(await kept.next(), { event: 'chirp:closing' })
        await until(() => kept.ended)
        t.same(closeLines(app).map(({ reason }) => reason), ['end', 'disconnect', 'shutdown'])
        t.same(troubles(app), [])
      })
    }

    t.test(`a transform that does not drain holds the source back: ${kind}`, async t => {
      const app = await buildApp(t, { writeTimeout: 300 })
      let pulled = 0
      app.addHook('onSend', async (request, reply, payload) => payload.pipe(new Transform({ transform () {} })))
      app.get('/', { referenced }, (request, reply) => reply.eventStream(function * () {
        for (;;) {
          pulled++
          yield 'x'.repeat(1000)
        }
      }))
      const client = await dial(await listen(app))
      client.send(GET())
      await until(() => client.closed, 'it is dropped')
      t.ok(pulled < 100, `${pulled} pulled`)
      t.match(closeLines(app), [{ reason: 'writeTimeout' }])
      t.equal(app.eventStreams.dropped, 1)
    })

    t.test(`a transform that breaks ends the stream: ${kind}`, async t => {
      const app = await buildApp(t)
      const control = controlled()
      app.addHook('onSend', async (request, reply, payload) => payload.pipe(new Transform({
        transform: (chunk, encoding, callback) => String(chunk).includes('bad') ? callback(new Error('broken')) : callback(null, chunk)
      })))
      app.get('/', { referenced }, (request, reply) => reply.eventStream(control.source))
      const stream = await new TestClient(app, { listen: true }).open('/')
      control.give('good')
      t.same(await stream.next(), { data: 'good' })
      control.give('bad')
      await until(() => app.eventStreams.open === 0 && control.closed === 1)
      t.equal(await stream.next(), undefined)
    })

    t.test(`onSend hooks that another plugin's onRoute hook gives to a route, before and after ours: ${kind}`, async t => {
      const app = Fastify({ forceCloseConnections: true })
      t.teardown(() => app.close())
      const ran = []
      const hook = name => (request, reply, payload, done) => {
        ran.push(name)
        done(null, payload)
      }
      const asyncHook = name => async () => { ran.push(name) }
      app.addHook('onRoute', route => { route.onSend = [hook('before')] })
      await app.register(chirp, { retry: false })
      app.addHook('onRoute', route => { route.onSend = [...route.onSend, hook('array')] })
      app.addHook('onRoute', route => { route.onSend = route.onSend.concat(asyncHook('async')) })
      app.addHook('onSend', hook('app'))
      const control = controlled()
      app.get('/', { referenced }, (request, reply) => reply.eventStream(control.source))
      app.addHook('onSend', asyncHook('late'))
      await oneByOne(t, app, control)
      t.same(ran, ['app', 'late', 'before', 'array', 'async'])
    })

    t.test(`a route whose onSend is replaced by one function: ${kind}`, async t => {
      const app = await buildApp(t)
      app.addHook('onRoute', route => { route.onSend = async (request, reply) => { reply.header('x-own', 'yes') } })
      app.get('/', { referenced }, (request, reply) => reply.eventStream(['a']))
      t.equal((await get(await listen(app), '/')).headers['x-own'], 'yes')
    })

    t.test(`a response whose write, writeHead and end are wrapped: ${kind}`, async t => {
      const app = await buildApp(t)
      const calls = { write: 0, writeHead: 0, end: 0 }
      app.addHook('onRequest', async (request, { raw }) => {
        for (const name of Object.keys(calls)) {
          const original = raw[name]
          raw[name] = function (...values) {
            calls[name]++
            return original.apply(this, values)
          }
        }
      })
      const control = controlled()
      app.get('/', { referenced }, (request, reply) => reply.eventStream(control.source))
      await oneByOne(t, app, control)
      t.ok(calls.write >= 4 && calls.end === 1, JSON.stringify(calls))
    })

    t.test(`onResponse runs once, also when the client leaves: ${kind}`, async t => {
      const app = await buildApp(t)
      const seen = []
      app.addHook('onResponse', async request => { seen.push(request.id) })
      const control = controlled()
      app.get('/', { referenced }, (request, reply) => reply.eventStream(control.source))
      await oneByOne(t, app, control)
      await until(() => seen.length === 1)
      t.same(seen, ['req-1'])
    })
  }
})

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
    await wait(1500)
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
      await app.close()
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

    t.test(`handlerTimeout of a route cuts no stream, and ends a source function that does not answer: ${referenced ? 'marked' : 'unmarked'}`, async t => {
      const app = await buildApp(t)
      app.get('/', { referenced, handlerTimeout: 40 }, (request, reply) => reply.eventStream(async function * () {
        yield 'a'
        await wait(120)
        yield 'b'
      }))
      let signal
      app.get('/pending', { referenced, handlerTimeout: 40 }, (request, reply) => reply.eventStream(context => {
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

  t.test('request.signal can be used by a source, and aborts when the client leaves', async t => {
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
    for (const fastifyOptions of [{ logger: false }, { disableRequestLogging: true }]) {
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

t.test('observability', async t => {
  function subscribe (t) {
    const messages = []
    for (const name of ['open', 'close', 'error']) {
      const listener = (message, channel) => messages.push([channel.replace('fastify-chirp:stream:', ''), message])
      diagnostics.subscribe(`fastify-chirp:stream:${name}`, listener)
      t.teardown(() => diagnostics.unsubscribe(`fastify-chirp:stream:${name}`, listener))
    }
    return messages
  }

  t.test('diagnostics: open, error and close, with what they are about', async t => {
    const messages = subscribe(t)
    const app = await buildApp(t)
    const error = new Error('no')
    let opened
    app.get('/news/:topic', (request, reply) => {
      opened = request
      return reply.eventStream(async function * () {
        yield 'é'
        yield undefined
        throw error
      })
    })
    const { body } = await get(await listen(app), '/news/x?lastEventId=7')
    await until(() => messages.length === 4)
    t.same(messages.map(([name]) => name), ['open', 'error', 'error', 'close'])
    const [open, value, source, close] = messages.map(([, message]) => message)
    const about = { route: '/news/:topic', requestId: 'req-1' }
    t.equal(open.request, opened)
    t.same({ ...open, request: undefined }, { ...about, request: undefined, lastEventId: '7' })
    t.same(Object.keys(value).sort(), ['error', 'requestId', 'route'])
    t.match(value, { ...about, error: { code: 'FST_CHIRP_VALUE' } })
    t.equal(source.error, error)
    t.match(source, about)
    t.ok(Number.isInteger(close.duration) && close.duration >= 0)
    t.same({ ...close, duration: 0 }, { ...about, reason: 'error', duration: 0, events: 1, bytes: Buffer.byteLength(body, 'latin1') })
  })

  t.test('one log line and one message for each stream that closes, with the reason', async t => {
    const messages = subscribe(t)
    const app = await buildApp(t, { closeEvent: 'bye' })
    const control = controlled()
    const reasons = {
      end: async port => {
        control.end()
        return get(port, '/')
      },
      disconnect: async port => {
        const client = await dial(port)
        client.send(GET())
        await client.heard(': open')
        client.socket.destroy()
      },
      shutdown: async port => {
        const client = await dial(port)
        client.send(GET())
        await client.heard(': open')
        app.close()
      }
    }
    app.get('/', { referenced: true }, (request, reply) => reply.eventStream(control.source))
    const port = await listen(app)
    for (const [n, [reason, act]] of Object.entries(reasons).entries()) {
      await act(port)
      await until(() => closeLines(app).length === n + 1 && messages.length === 2 * (n + 1))
      const line = closeLines(app)[n]
      t.match(line, { level: 30, reason, events: 0, reqId: `req-${n + 1}` })
      t.ok(Number.isInteger(line.duration) && line.duration >= 0 && line.duration < 5000)
      const [name, message] = messages[2 * n + 1]
      t.equal(name, 'close')
      t.same(message, { route: '/', requestId: `req-${n + 1}`, reason, duration: line.duration, events: 0, bytes: line.bytes })
    }
    t.equal(closeLines(app)[0].bytes, ': open\nevent: bye\ndata: \n\n'.length)
    t.equal(closeLines(app)[1].bytes, ': open\n'.length)
  })

  t.test('the counters are those of the messages, whatever happens', async t => {
    const messages = subscribe(t)
    const app = await buildApp(t)
    app.get('/:n', (request, reply) => reply.eventStream(async function * () {
      for (let i = 0; i < request.params.n; i++) yield i % 3 === 2 ? undefined : 'a'.repeat(i)
      if (request.params.n % 2 === 1) throw new Error('odd')
    }))
    const port = await listen(app)
    await Promise.all(Array.from({ length: 20 }, (_, n) => get(port, `/${n}`)))
    await until(() => app.eventStreams.open === 0)
    const of = name => messages.filter(([is]) => is === name).map(([, message]) => message)
    const sum = (list, field) => list.reduce((sum, message) => sum + message[field], 0)
    t.same({ ...app.eventStreams }, {
      open: 0, total: of('open').length, events: sum(of('close'), 'events'), bytes: sum(of('close'), 'bytes'), dropped: 0, errors: of('error').length
    })
    t.equal(of('close').length, 20)
    t.equal(troubles(app).length, of('error').length)
  })

  t.test('nobody listens: nothing is published, and a listener that comes later sees the close', async t => {
    const app = await buildApp(t)
    const control = controlled()
    app.get('/', (request, reply) => reply.eventStream(control.source))
    const client = await dial(await listen(app))
    client.send(GET())
    await client.heard(': open')
    const messages = subscribe(t)
    client.socket.destroy()
    await until(() => messages.length === 1)
    t.match(messages, [['close', { requestId: 'req-1', reason: 'disconnect' }]])
  })
})

t.test('the process never complained', async t => {
  await turn()
  t.same(complaints, [])
})

// Each of these was a bug once.
const slow = async function * () { yield 'a'; await wait(60); yield 'b' }
const AB = ': open\ndata: a\n\ndata: b\n\n'
const within = (promise, ms = 1000) => Promise.race([promise, wait(ms, 'hangs')])
const quietly = promise => promise.catch(error => error.message)

t.test('HTTP/2: a marked route streams', async t => {
  const app = await buildApp(t, {}, { http2: true })
  app.get('/', { referenced: true }, (request, reply) => reply.eventStream(['a', 'b']))
  const port = await listen(app)
  t.equal((await within(askHttp2(t, 'http', port)(port, '/', 'GET'))).body, AB)
})

t.test('streams that wait behind another one on their socket end with it, and app.close() does not wait for them', async t => {
  const app = await buildApp(t, { shutdownGrace: 100 })
  const control = controlled()
  app.get('/', (request, reply) => reply.eventStream(control.source))
  const client = await dial(await listen(app))
  client.send(GET().repeat(3))
  await until(() => control.opened === 3)
  client.socket.destroy()
  await quietly(until(() => app.eventStreams.open === 0, '', 1000))
  t.equal(control.closed, 3)
  t.equal(await within(app.close().then(() => 'closed')), 'closed')
})

t.test('a thrown value that cannot be printed or logged ends neither the process nor hangs the client', async t => {
  const fail = () => { throw new Error('getter') }
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const thrown = [Object.create(null), Object.freeze(new Error('frozen')), Object.defineProperty(new Error('x'), 'message', { get: fail }), proxy, { toString: fail }]
  for (const debug of [true, false]) {
    const app = await buildApp(t, { debug })
    app.get('/source/:n', (request, reply) => reply.eventStream(async function * () { yield 'a'; throw thrown[request.params.n] }))
    app.get('/function/:n', (request, reply) => reply.eventStream(async () => { throw thrown[request.params.n] }))
    app.get('/cleanup/:n', (request, reply) => reply.eventStream({ [Symbol.asyncIterator]: () => ({ next: () => never, return: async () => { throw thrown[request.params.n] } }) }))
    const port = await listen(app)
    for (const n of thrown.keys()) {
      t.match((await within(quietly(get(port, `/source/${n}`)), 300)).body, /event: chirp:error\n/, `source ${n}, debug ${debug}`)
      t.equal((await within(quietly(get(port, `/function/${n}`)), 300)).status, 500, `function ${n}, debug ${debug}`)
      const client = await dial(port)
      client.send(GET(`/cleanup/${n}`))
      await client.heard(': open')
      client.socket.destroy()
    }
    await quietly(until(() => app.eventStreams.open === 0, '', 500))
    t.same(complaints.splice(0), [], `debug ${debug}`)
  }
})

t.test('a given source is let go when it is refused: 406, bad options, clientKey that throws, a second stream', async t => {
  const clientKey = request => { if (request.url === '/key') throw new Error('key'); return 'x' }
  const app = await buildApp(t, { maxStreamsPerClient: 9, clientKey })
  let closed = 0
  const readable = () => new Readable({ read () {}, destroy (error, callback) { closed++; callback(error) } })
  app.get('/', (request, reply) => reply.eventStream(readable()))
  app.get('/key', (request, reply) => reply.eventStream(readable()))
  app.get('/options', (request, reply) => reply.eventStream(readable(), { heartbeat: 5 }))
  app.get('/twice', (request, reply) => { reply.eventStream([]); return reply.eventStream(readable()) })
  app.get('/early', (request, reply) => reply.eventStream(createReadStream('/nothing/here')))
  const port = await listen(app)
  const accept = 'text/html'
  t.equal((await get(port, '/', { headers: { accept } })).status, 406)
  t.equal(closed, 1, '406')
  for (const [n, path] of ['/key', '/options', '/twice'].entries()) {
    await get(port, path)
    t.equal(closed, n + 2, path)
  }
  t.equal((await get(port, '/early', { headers: { accept } })).status, 406)
  await wait(20)
  t.same(complaints.splice(0), [], 'a Readable that fails after it was refused')
})

t.test('return() that answers with a thenable', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.eventStream({ [Symbol.asyncIterator]: () => ({ next: () => never, return: () => ({ then: resolve => resolve({}) }) }) }))
  const client = await dial(await listen(app))
  client.send(GET())
  await client.heard(': open')
  client.socket.destroy()
  await quietly(until(() => app.eventStreams.open === 0, '', 500))
  t.equal(app.eventStreams.open, 0)
  t.same(complaints.splice(0), [])
})

t.test('what is written after the app itself ended the response does not end the process', async t => {
  const app = await buildApp(t)
  app.get('/', { referenced: true }, (request, reply) => reply.eventStream(async function * () {
    yield 'x'.repeat(20e6)
    reply.raw.end()
    for (let i = 0; i < 50; i++) {
      yield 'b'
      await turn()
    }
  }))
  const client = await dial(await listen(app))
  client.send(GET())
  await wait(200)
  client.socket.destroy()
  await until(() => app.eventStreams.open === 0)
  t.same(complaints.splice(0), [])
})

t.test('a last frame behind a large value does not drop a client that reads', async t => {
  const app = await buildApp(t, { closeEvent: 'bye' })
  app.get('/ends', (request, reply) => reply.eventStream(['x'.repeat(20e6)]))
  app.get('/fails', (request, reply) => reply.eventStream(async function * () { yield 'x'.repeat(20e6); throw new Error('no') }))
  for (const path of ['/ends', '/fails']) {
    const { events, ended } = await new TestClient(app, { listen: true }).sse(path, { timeout: 5000 })
    t.same([events.map(({ data }) => data.length > 1e7), ended], [[true, false], true], path)
  }
  t.equal(app.eventStreams.dropped, 0)
})

t.test('app.close() does not wait for a source function that is called while it closes', async t => {
  const app = await buildApp(t, { shutdownGrace: 100 }, { forceCloseConnections: false })
  let go
  app.get('/', async (request, reply) => {
    await new Promise(resolve => { go = resolve })
    return reply.eventStream(() => never)
  })
  const client = await dial(await listen(app))
  client.send(GET('/', 'Connection: close\r\n'))
  await until(() => go)
  const closing = app.close()
  await wait(20)
  go()
  t.equal(await within(closing.then(() => 'closed')), 'closed')
  client.socket.destroy()
})

t.test('a source function that still waits when the app closes: its client hears so, at once', async t => {
  const app = await buildApp(t, { shutdownGrace: 1000 }, { forceCloseConnections: false })
  app.get('/', (request, reply) => reply.eventStream(async () => { await wait(50); return ['a'] }))
  const client = await dial(await listen(app))
  client.send(GET())
  await until(() => app.eventStreams.open === 1)
  const start = Date.now()
  await app.close()
  t.ok(Date.now() - start < 500, `${Date.now() - start} ms`)
  await until(() => client.text.includes('event: chirp:closing'))
})

for (const referenced of [true, false]) {
  const kind = referenced ? 'marked' : 'unmarked'
  const shout = () => new Transform({ transform (chunk, encoding, callback) { callback(null, String(chunk).toUpperCase()) } })

  t.test(`stream.pipeline with the payload as source ends: ${kind}`, async t => {
    const app = await buildApp(t)
    let result = 'pending'
    app.addHook('onSend', async (request, reply, payload) => pipeline(payload, shout(), error => { result = error }))
    app.get('/', { referenced }, (request, reply) => reply.eventStream(slow))
    t.equal((await within(quietly(get(await listen(app), '/')))).body, AB.toUpperCase())
    t.equal(result, undefined)
  })

  for (const first of ['compress', 'chirp']) {
    t.test(`@fastify/compress told to compress event streams: ${kind}, ${first} first`, async t => {
      const app = Fastify({ forceCloseConnections: true })
      t.teardown(() => app.close())
      const plugins = {
        compress: () => app.register(compress, { global: true, threshold: 0, customTypes: /event-stream|text/ }),
        chirp: () => app.register(chirp, { shutdownGrace: 100 })
      }
      await plugins[first]()
      await plugins[first === 'chirp' ? 'compress' : 'chirp']()
      const control = controlled()
      app.get('/', { referenced }, (request, reply) => reply.eventStream(control.source))
      const [response] = await once(http.get({ port: await listen(app), agent: false, headers: { 'accept-encoding': 'gzip' } }), 'response')
      response.on('error', () => {})
      let text = ''
      const body = response.headers['content-encoding'] === 'gzip' ? response.pipe(zlib.createGunzip().on('error', () => {})) : response
      body.on('data', chunk => { text += chunk })
      for (const value of ['one', 'two']) {
        control.give(value)
        await quietly(until(() => text.endsWith(`data: ${value}\n\n`), '', 300))
        t.ok(text.endsWith(`data: ${value}\n\n`), `${value} comes alone`)
      }
      control.end()
      t.not(await within(once(body, 'end'), 500), 'hangs')
    })
  }

  t.test(`an onSend hook that another plugin pushes onto the route's list runs: ${kind}`, async t => {
    const app = await buildApp(t)
    app.addHook('onRoute', route => {
      const hook = async (request, reply) => { reply.header('x-pushed', 'yes') }
      if (Array.isArray(route.onSend)) route.onSend.push(hook)
      else route.onSend = [hook]
    })
    app.get('/', { referenced }, (request, reply) => reply.eventStream(['a']))
    t.equal((await get(await listen(app), '/')).headers['x-pushed'], 'yes')
  })

  t.test(`an error handler can answer with a stream where the first one did not start: ${kind}`, async t => {
    const app = await buildApp(t)
    app.setErrorHandler((error, request, reply) => reply.code(200).eventStream([error.message]))
    app.get('/', { referenced }, (request, reply) => reply.eventStream(async () => { throw new Error('late') }))
    const port = await listen(app)
    t.equal((await get(port, '/')).body, ': open\ndata: late\n\n')
  })
}

t.test('iterator results and values as the language reads them', async t => {
  const app = await buildApp(t, { debug: true })
  const iterator = (key, next) => ({ [key]: () => ({ n: 0, next }) })
  const { asyncIterator: A, iterator: S } = Symbol
  const { proxy, revoke } = Proxy.revocable({}, {})
  revoke()
  const failed = /^data: a\n\nevent: chirp:error\ndata: .*\n\n$/
  const cases = {
    'done: 1': [iterator(S, function () { return this.n++ ? { done: 1 } : { value: 'a' } }), /^data: a\n\n$/],
    'done: 1, async': [iterator(A, async function () { return this.n++ ? { done: 1 } : { value: 'a' } }), /^data: a\n\n$/],
    5: [iterator(S, function () { return this.n++ ? 5 : { value: 'a' } }), failed],
    '5, async': [iterator(A, async function () { return this.n++ ? 5 : { value: 'a' } }), failed],
    'a thenable as value': [[{ then (resolve) { resolve('a') } }, 'b'], /^data: a\n\ndata: b\n\n$/],
    'then that throws': [[{ get then () { throw new Error('then') } }, 'b'], /data: b\n\n$/],
    'a revoked proxy': [[proxy, 'b'], /data: b\n\n$/],
    'a proxy that throws': [[new Proxy({}, { getPrototypeOf () { throw new Error('proto') } }), 'b'], /data: b\n\n$/]
  }
  app.get('/:name', (request, reply) => reply.eventStream(cases[request.params.name][0]))
  app.get('/none', (request, reply) => reply.eventStream({ [A]: () => undefined }))
  const port = await listen(app)
  for (const [name, [, wanted]] of Object.entries(cases)) {
    const request = http.get({ port, path: `/${encodeURIComponent(name)}`, agent: false })
    const [response] = await once(request, 'response')
    response.on('error', () => {})
    let body = ''
    response.on('data', chunk => { body += chunk })
    await within(new Promise(resolve => response.on('end', resolve)), 200)
    request.destroy()
    t.match(body.replace(': open\n', '').slice(0, 500), wanted, name)
  }
  t.equal((await get(port, '/none')).status, 500)
})

t.test('each write is whole frames', async t => {
  const app = await buildApp(t)
  const writes = []
  app.addHook('onRequest', async (request, { raw }) => {
    const { write } = raw
    raw.write = text => {
      writes.push(text.length)
      return write.call(raw, text)
    }
  })
  app.get('/', (request, reply) => reply.eventStream(['x'.repeat(20000), 'y'.repeat(20000)]))
  await get(await listen(app), '/')
  t.same(writes, [7, 20008, 20008])
})

t.test('a wrapped write that gives nothing back does not stall the stream', async t => {
  const app = await buildApp(t)
  app.addHook('onRequest', async (request, { raw }) => {
    const { write } = raw
    raw.write = text => { write.call(raw, text) }
  })
  app.get('/', (request, reply) => reply.eventStream(slow))
  t.equal((await within(quietly(get(await listen(app), '/')))).body, AB)
})

t.test('a write that throws costs its own stream only', async t => {
  const app = await buildApp(t)
  app.addHook('onRequest', async (request, { raw }) => {
    const { write } = raw
    raw.write = text => {
      if (text.includes('bad')) throw new Error('wrapped')
      return write.call(raw, text)
    }
  })
  app.get('/', (request, reply) => reply.eventStream(async function * () { yield 'a'; await turn(); yield 'bad'; await never }))
  const client = await dial(await listen(app))
  client.send(GET())
  await quietly(until(() => client.closed, '', 500))
  t.ok(client.closed)
  t.same(complaints.splice(0), [])
})

t.test('a clientKey that gives no string is refused', async t => {
  const app = await buildApp(t, { maxStreamsPerClient: 1, clientKey: async () => 'same' })
  app.get('/', (request, reply) => reply.eventStream(['a']))
  t.match((await get(await listen(app), '/')).body, /FST_CHIRP_OPTION/)
})

t.test('status 304 ends', async t => {
  const app = await buildApp(t)
  const control = controlled()
  app.get('/', (request, reply) => reply.code(304).eventStream(control.source))
  t.equal((await within(quietly(get(await listen(app), '/')), 500)).status, 304)
})

t.test('connectionTimeout does not end a quiet stream that came right behind another request', async t => {
  const app = await buildApp(t, {}, { connectionTimeout: 100 })
  app.get('/', (request, reply) => reply.eventStream(async function * () { yield 'a'; await wait(300); yield 'b' }))
  app.get('/text', async () => { await wait(20); return 'text' })
  const client = await dial(await listen(app))
  client.send(GET('/text') + GET())
  await quietly(until(() => client.text.includes('data: b'), '', 800))
  t.match(client.text, /data: b/)
})
