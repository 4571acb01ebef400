// Streams that are compressed: who gets them, what is in them, and what is made once.
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import http from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import { PassThrough } from 'node:stream'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import zlib from 'node:zlib'
import t from 'tap'
import compress from '@fastify/compress'
import Fastify from 'fastify'
import chirp, { merge } from 'fastify-chirp'
import { buildApp, certificate, heapUsed, isClosing, listen, until } from '../helpers/app.js'
import { watchWrites } from '../helpers/channel.js'
import { TestClient } from '../helpers/client.js'
import { closeLines, controlled, get, troubles } from '../helpers/raw.js'

const GZIP = { 'accept-encoding': 'gzip' }
const long = n => `${n} ${'the order of the customer was sent '.repeat(4)}${n}`

/** Reads an answer as it comes; `body` is all that came, as it came. */
async function open (port, path, headers = GZIP) {
  const request = http.get({ port, path, agent: false, headers })
  const [response] = await once(request, 'response')
  const gunzip = zlib.createGunzip()
  const stream = { headers: response.headers, body: Buffer.alloc(0), text: '', ended: false, close: () => request.destroy() }
  request.on('error', () => {})
  const isGzip = response.headers['content-encoding'] === 'gzip'
  const decoded = isGzip ? gunzip : new PassThrough()
  decoded.setEncoding('utf8').on('data', text => { stream.text += text })
  // One that is not whole, or that has another checksum than its text, is an error.
  decoded.on('error', error => { stream.error = error })
  decoded.on('end', () => { stream.ended = true })
  response.on('data', piece => {
    stream.body = Buffer.concat([stream.body, piece])
    decoded.write(piece)
  })
  response.on('end', () => decoded.end()).on('error', () => {})
  return stream
}

t.test('a client that takes gzip gets it', async t => {
  const app = await buildApp(t, { compress: true })
  app.get('/', (request, reply) => reply.eventStream(['a']))
  app.get('/marked', { live: true }, (request, reply) => reply.eventStream(['a']))
  app.get('/late', (request, reply) => reply.eventStream(async () => ['a']))
  app.get('/off', (request, reply) => reply.eventStream(['a'], { compress: false }))
  app.get('/own', (request, reply) => reply.header('content-encoding', 'identity').eventStream(['a']))
  app.get('/raw', { live: true }, (request, reply) => {
    reply.raw.setHeader('content-encoding', 'identity')
    return reply.eventStream(['a'])
  })
  const port = await listen(app)
  for (const [accepted, encoding] of [
    ['gzip', 'gzip'], ['br, GZIP;q=0.2, *;q=0', 'gzip'], ['*', 'gzip'], ['gzip;q=0', undefined], ['gzip; q=0.000, *', undefined],
    ['br, zstd', undefined], ['identity, gzip;q=0.5', undefined], ['gzip;q=nonsense', 'gzip'], ['', undefined]
  ]) {
    for (const path of ['/', '/marked', '/late']) {
      const { headers, body } = await get(port, path, { headers: { 'accept-encoding': accepted } })
      t.equal(headers['content-encoding'], encoding, `${path} ${accepted}`)
      t.match(headers.vary, /(^|, )Accept-Encoding$/)
      t.equal(headers['cache-control'], 'no-cache, no-transform')
      const text = encoding === 'gzip' ? zlib.gunzipSync(Buffer.from(body, 'latin1')).toString() : body
      t.equal(text, ': open\ndata: a\n\n')
      const head = await get(port, path, { method: 'HEAD', headers: { 'accept-encoding': accepted } })
      t.equal(head.headers['content-encoding'], encoding, `HEAD ${path} ${accepted}`)
      t.match(head.headers.vary, /(^|, )Accept-Encoding$/)
    }
  }
  t.equal((await get(port, '/')).headers['content-encoding'], undefined)
  t.equal((await get(port, '/', { headers: { ...GZIP, 'x-no-compression': '1' } })).headers['content-encoding'], undefined)
  for (const path of ['/own', '/raw']) {
    const { headers, body } = await get(port, path, { headers: GZIP })
    t.equal(headers['content-encoding'], 'identity')
    t.equal(body, ': open\ndata: a\n\n')
  }
  const { headers, body } = await get(port, '/off', { headers: GZIP })
  t.equal(headers['content-encoding'], undefined)
  t.notMatch(headers.vary, 'Accept-Encoding')
  t.equal(body, ': open\ndata: a\n\n')
})

t.test('it is off unless it is asked for, and true or false', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.eventStream(['a']))
  app.get('/on', (request, reply) => reply.eventStream(['a'], { compress: true }))
  app.get('/wrong', (request, reply) => reply.eventStream(['a'], { compress: 'gzip' }))
  const port = await listen(app)
  const plain = await get(port, '/', { headers: GZIP })
  t.equal(plain.headers['content-encoding'], undefined)
  t.notMatch(plain.headers.vary, 'Accept-Encoding')
  t.equal((await get(port, '/on', { headers: GZIP })).headers['content-encoding'], 'gzip')
  t.match(JSON.parse((await get(port, '/wrong')).body), { code: 'FST_CHIRP_OPTION', message: 'fastify-chirp: option "compress" of reply.eventStream() must be true or false, not the string "gzip"' })
  await t.rejects(buildApp(t, { compress: 1 }), { code: 'FST_CHIRP_OPTION', message: 'fastify-chirp: option "compress" must be true or false, not 1' })
})

t.test('each event leaves at once', async t => {
  const app = await buildApp(t, { compress: true, closeEvent: 'bye' })
  const control = controlled()
  const news = app.channel('news')
  app.get('/generator', (request, reply) => reply.eventStream(control.source))
  app.get('/channel', (request, reply) => reply.eventStream(news))
  const port = await listen(app)
  for (const [path, give, end] of [['/generator', control.give, control.end], ['/channel', value => news.publish(value), () => news.close()]]) {
    const stream = await open(port, path)
    await until(() => stream.text.startsWith(': open\n'), 'the first frame comes')
    if (path === '/channel') await until(() => news.size === 1)
    for (const value of ['one', long(2), long(3), 'four']) {
      give(value)
      await until(() => stream.text.endsWith(`data: ${value}\n\n`), `${value} comes alone`)
    }
    end()
    await until(() => stream.ended, 'the stream ends, with the right checksum')
    t.match(stream.text, /event: bye\ndata: \n\n$/)
    t.equal(stream.error, undefined)
    t.ok(stream.body.length < stream.text.length / 1.5, `${stream.body.length} of ${stream.text.length} bytes`)
  }
  t.same(troubles(app), [])
})

t.test('whoever comes when, and whatever else is in the stream, the text is that of a stream that is not compressed', async t => {
  const app = await buildApp(t, { compress: true })
  const news = app.channel('news', { history: 1000 })
  const more = app.channel('more', { history: 1000 })
  const over = new AbortController()
  async function * ticks () {
    for (let n = 0; !over.signal.aborted; n++) {
      yield n % 3 === 0 ? `tick ${n}` : long(n)
      await wait(1)
    }
  }
  app.get('/news', (request, reply) => reply.eventStream(news))
  app.get('/marked', { live: true }, (request, reply) => reply.eventStream(news))
  app.get('/some', (request, reply) => reply.eventStream(news.subscribe({ filter: audience => audience < 3 })))
  app.get('/both', (request, reply) => reply.eventStream(merge(news, more)))
  app.get('/own', (request, reply) => reply.eventStream(merge(news, ticks())))
  const port = await listen(app)
  const pairs = []
  let step = 0
  // A generator of numbers that is the same in each run.
  const random = n => {
    step = (step * 1103515245 + 12345) % 2 ** 31
    return Math.floor(step / 2 ** 31 * n)
  }
  const ids = ['']
  for (let round = 0; round < 60; round++) {
    if (round % 2 === 0) {
      const path = ['/news', '/marked', '/some', '/both', '/own'][random(5)]
      const headers = { 'last-event-id': path === '/both' ? '' : ids[random(ids.length)] }
      pairs.push([path, await Promise.all([open(port, path, headers), open(port, path, { ...headers, ...GZIP })])])
    }
    const texts = [`${round}`, long(round), long(round).repeat(60), '<li>é€😀</li>'.repeat(40), 'the same '.repeat(20)]
    for (let n = random(3); n >= 0; n--) {
      const text = texts[random(texts.length)]
      const audience = random(3) === 0 ? { audience: random(6) } : {}
      ids.push(await news.publish(text, audience))
      if (random(3) === 0) await more.publish(text)
    }
    if (random(2) === 0) await turn()
  }
  await turn()
  news.close()
  more.close()
  over.abort()
  for (const [path, [plain, gzip]] of pairs) {
    await until(() => plain.ended && (gzip.ended || gzip.error), `${path} ends`)
    t.equal(gzip.error, undefined)
    // What the generator yields comes when it comes.
    if (path === '/own') continue
    t.equal(gzip.text, plain.text, path)
    t.ok(gzip.body.length < plain.body.length, `${gzip.body.length} of ${plain.body.length} bytes`)
  }
  t.ok(pairs.length > 15)
  t.same(troubles(app), [])
})

/** Counts what is compressed; the list has the length of each text. */
function watchDeflate (t) {
  const { deflateRawSync } = zlib
  const sizes = []
  zlib.deflateRawSync = (plain, options) => {
    sizes.push(plain.length)
    return deflateRawSync(plain, options)
  }
  syncBuiltinESMExports()
  t.teardown(() => {
    zlib.deflateRawSync = deflateRawSync
    syncBuiltinESMExports()
  })
  return sizes
}

t.test('what many get is compressed once, and what they replay too', async t => {
  const app = await buildApp(t, { compress: true })
  const writes = watchWrites(app)
  const news = app.channel('news', { history: 1000 })
  app.get('/', { live: true }, (request, reply) => reply.eventStream(news))
  const port = await listen(app)
  const sizes = watchDeflate(t)
  const streams = []
  for (let n = 0; n < 20; n++) streams.push(await open(port, '/'))
  await until(() => news.size === 20)
  const first = await news.publish(long(0))
  await until(() => streams.every(({ text }) => text.includes(long(0))))
  const before = writes.length
  for (let n = 1; n < 5; n++) {
    await news.publish(long(n))
    await until(() => streams.every(({ text }) => text.includes(long(n))))
  }
  t.equal(sizes.length, 5, 'each event once')
  t.equal(new Set(writes.slice(before)).size, 4, 'all sockets get the same bytes')
  const late = []
  for (let n = 0; n < 20; n++) late.push(await open(port, '/', { ...GZIP, 'last-event-id': first }))
  await until(() => late.every(({ text }) => text.includes(long(4))))
  t.equal(sizes.length, 6, 'what came after the cursor once')
  await news.publish(long(5))
  const all = [...streams, ...late]
  await until(() => all.every(({ text }) => text.includes(long(5))))
  t.ok(sizes.length <= 8, 'twice, after what those before and those later have had')
  news.close()
  await until(() => all.every(({ ended }) => ended))
  for (const { error } of all) t.equal(error, undefined)
})

t.test('a stream of its own is compressed after what it has had', async t => {
  const app = await buildApp(t, { compress: true })
  const control = controlled()
  app.get('/', (request, reply) => reply.eventStream(control.source))
  const stream = await open(await listen(app), '/')
  const item = 'a line that is in all of them, and that is long enough to be compressed by itself'
  let size = 0
  for (let n = 0; n < 40; n++) {
    control.give(`${n} ${item}`)
    await until(() => stream.text.endsWith(`data: ${n} ${item}\n\n`))
    if (n === 0) size = stream.body.length
  }
  t.ok((stream.body.length - size) / 39 < 40, `${Math.round((stream.body.length - size) / 39)} bytes for each`)
  // Too large to be remembered, and larger than what may be referred to.
  const large = Array.from({ length: 30000 }, (_, n) => `${n * 7919 % 10007} `).join('')
  for (const value of [large, 'x', large, large, long(1)]) {
    control.give(value)
    await until(() => stream.text.endsWith(`data: ${value}\n\n`))
  }
  control.end()
  await until(() => stream.ended)
  t.equal(stream.error, undefined)
})

t.test('what comes after a heartbeat is compressed after what was before it', async t => {
  const app = await buildApp(t, { compress: true, heartbeat: 1000 })
  const news = app.channel('news')
  app.get('/', { live: true }, (request, reply) => reply.eventStream(news))
  const port = await listen(app)
  const streams = await Promise.all([open(port, '/'), open(port, '/')])
  await until(() => news.size === 2)
  // Nothing in it is there twice.
  const text = randomBytes(1000).toString('base64')
  await news.publish(text)
  await until(() => streams.every(stream => stream.text.includes(`${text}\n\n:\n`)), 'both have had a heartbeat')
  const sizes = streams.map(({ body }) => body.length)
  await news.publish(text)
  await until(() => streams.every(stream => stream.text.split(text).length === 3))
  for (const [n, { body }] of streams.entries()) t.ok(body.length - sizes[n] < 300, `${body.length - sizes[n]} bytes`)
  news.close()
  await until(() => streams.every(({ ended }) => ended))
})

t.test('a stream that is quiet keeps little of what it has sent', async t => {
  const app = await buildApp(t, { compress: true })
  app.get('/', (request, reply) => reply.eventStream(async function * ({ signal }) {
    yield randomBytes(2000000).toString('hex')
    await once(signal, 'abort')
  }))
  const port = await listen(app)
  const memory = () => {
    heapUsed()
    return process.memoryUsage().arrayBuffers
  }
  const before = memory()
  const requests = []
  for (let n = 0; n < 5; n++) {
    const request = http.get({ port, path: '/', agent: false, headers: GZIP }).on('error', () => {})
    const [response] = await once(request, 'response')
    const decoded = response.on('error', () => {}).pipe(zlib.createGunzip())
    let length = 0
    decoded.on('data', piece => { length += piece.length })
    await until(() => length > 4000000)
    decoded.destroy()
    requests.push(request)
  }
  // Node.js frees what it has written when it likes.
  let kept
  await until(() => (kept = memory() - before) < 1000000, 'what was sent is freed').catch(() => {})
  t.ok(kept < 1000000, `${kept} bytes of 20,000,000`)
  for (const request of requests) request.destroy()
})

t.test('heartbeats and last frames are compressed too, over HTTP/2, and injected', async t => {
  for (const [name, fastify, listens] of [['http', {}, true], ['http2', { http2: true, https: certificate() }, true], ['inject', {}, false]]) {
    const app = await buildApp(t, { compress: true, heartbeat: 1000 }, fastify)
    const news = app.channel('news')
    app.get('/', (request, reply) => reply.eventStream(news))
    const client = new TestClient(app, { listen: listens })
    const stream = await client.open('/', { headers: GZIP })
    t.equal(stream.headers['content-encoding'], 'gzip', name)
    await until(() => news.size === 1)
    await news.publish(long(1))
    t.match(await stream.next(), { data: long(1) })
    await until(() => stream.heartbeats === 1, 'a heartbeat comes')
    await news.publish(long(2))
    t.match(await stream.next(), { data: long(2) })
    const closed = app.close()
    t.match(await stream.next(), { event: 'chirp:closing' })
    t.equal(await stream.next(), undefined)
    await closed
    t.equal(stream.ended, true)
    t.same(troubles(app), [])
  }
})

t.test('a test client gets the text of what it asked to be compressed, also when it is cut off', async t => {
  const app = await buildApp(t, { compress: true })
  app.get('/', (request, reply) => reply.eventStream(async function * () {
    yield long(1)
    await turn()
    reply.raw.destroy()
    await turn()
  }))
  app.get('/page', (request, reply) => reply.type('text/html').header('content-encoding', 'br').send(zlib.brotliCompressSync('<p>x</p>')))
  const client = new TestClient(app, { listen: true })
  t.match(await client.sse('/', { headers: GZIP }), { ended: false })
  t.match(await client.page('/page'), { html: '<p>x</p>' })
})

t.test('a stream that is one too many, or comes too late, gets its frame as it is', async t => {
  const app = await buildApp(t, { compress: true, maxStreams: 1 })
  const control = controlled()
  let late
  app.get('/', (request, reply) => reply.eventStream(control.source))
  app.get('/late', (request, reply) => reply.eventStream(() => new Promise(resolve => { late = resolve })))
  const port = await listen(app)
  const first = await open(port, '/')
  const busy = await open(port, '/')
  await until(() => busy.ended)
  t.equal(busy.headers['content-encoding'], undefined)
  t.match(busy.headers.vary, 'Accept-Encoding')
  t.match(busy.text, /^event: chirp:busy\n/)
  first.close()
  await until(() => app.eventStreams.open === 0)
  const answer = open(port, '/late')
  await until(() => late !== undefined)
  const closing = app.close()
  await until(() => isClosing(app))
  const stream = await answer
  await until(() => stream.ended)
  t.equal(stream.headers['content-encoding'], undefined)
  t.match(stream.text, /^event: chirp:closing\n/)
  await closing
})

t.test('@fastify/compress, before or after, does not compress it again', async t => {
  for (const first of [true, false]) {
    const app = Fastify({ forceCloseConnections: true })
    t.teardown(() => app.close())
    const others = () => app.register(compress, { global: true, threshold: 0, customTypes: /event-stream/ })
    if (first) await others()
    await app.register(chirp, { retry: false, compress: true })
    if (!first) await others()
    app.get('/', (request, reply) => reply.eventStream(['a']))
    app.get('/marked', { live: true }, (request, reply) => reply.eventStream(['a']))
    app.get('/off', (request, reply) => reply.eventStream(['a'], { compress: false }))
    const port = await listen(app)
    for (const [path, encoding] of [['/', 'gzip'], ['/marked', 'gzip'], ['/off', undefined]]) {
      const stream = await open(port, path, { 'accept-encoding': 'br, gzip' })
      await until(() => stream.ended)
      t.equal(stream.headers['content-encoding'], encoding)
      t.equal(stream.text, ': open\ndata: a\n\n')
    }
  }
})

t.test('what a hook transforms, compresses or replaces is left to the hook', async t => {
  for (const live of [true, false]) {
    const app = await buildApp(t, { compress: true })
    app.addHook('onSend', async (request, reply, payload) => {
      const { hook } = request.query
      if (hook === 'transform') return payload.pipe(new PassThrough())
      if (hook === 'replace') return 'text'
      if (hook === 'say') reply.header('content-encoding', 'identity')
      if (hook === 'gzip') {
        reply.header('content-encoding', 'gzip')
        return payload.pipe(zlib.createGzip())
      }
      return payload
    })
    app.get('/', { live }, (request, reply) => reply.eventStream(['a']))
    app.get('/length', { live }, (request, reply) => reply.header('content-length', 15).eventStream(['a']))
    const port = await listen(app)
    for (const [hook, encoding, text] of [['transform', undefined, ': open\ndata: a\n\n'], ['replace', undefined, 'text'], ['say', 'identity', ': open\ndata: a\n\n'], ['gzip', 'gzip', ': open\ndata: a\n\n'], ['', 'gzip', ': open\ndata: a\n\n']]) {
      const stream = await open(port, `/?hook=${hook}`)
      await until(() => stream.ended, `${hook} ends`)
      t.equal(stream.headers['content-encoding'], encoding, hook)
      t.equal(stream.text, text, hook)
    }
    const { headers, body } = await get(port, '/length', { headers: GZIP })
    t.equal(headers['content-length'], undefined)
    t.equal(String(zlib.gunzipSync(Buffer.from(body, 'latin1'))), ': open\ndata: a\n\n')
    t.same(troubles(app), [])
  }
})

t.test('what is counted, and what may wait, are compressed bytes', async t => {
  const app = await buildApp(t, { compress: true, maxBuffer: 200000 })
  const news = app.channel('news')
  app.get('/', { live: true }, (request, reply) => reply.eventStream(news))
  const port = await listen(app)
  const stream = await open(port, '/')
  await until(() => news.size === 1)
  // More than maxBuffer, and compressed much less.
  const text = 'x'.repeat(400000)
  for (let n = 0; n < 3; n++) await news.publish(text)
  await until(() => stream.text.length > 1200000)
  t.equal(app.eventStreams.bytes, stream.body.length)
  t.ok(app.eventStreams.bytes < 10000, `${app.eventStreams.bytes} bytes`)
  stream.close()
  await until(() => closeLines(app).length === 1)
  t.match(closeLines(app)[0], { bytes: stream.body.length, reason: 'disconnect' })

  // A client that does not read, of what does not compress.
  const request = http.get({ port, path: '/', agent: false, headers: GZIP })
  request.on('error', () => {})
  const [response] = await once(request, 'response')
  response.pause()
  await until(() => news.size === 1)
  await until(() => {
    news.publish(randomBytes(150000).toString('base64'))
    return closeLines(app).length === 2
  }, 'it is dropped')
  t.match(closeLines(app)[1], { reason: 'maxBuffer' })
  t.equal(app.eventStreams.dropped, 1)
  request.destroy()
})
