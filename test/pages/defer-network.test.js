// Pages in parts on their way: hooks, compression, HTTP/2, slow clients, and values that behave badly.
import http2 from 'node:http2'
import net from 'node:net'
import { once } from 'node:events'
import { Transform } from 'node:stream'
import { createBrotliDecompress, createGunzip } from 'node:zlib'
import fastifyCompress from '@fastify/compress'
import fastifyEtag from '@fastify/etag'
import t from 'tap'
import { defer, Deferred, Fragment } from 'fastify-chirp'
import { buildApp, certificate, listen, never, until } from '../helpers/app.js'
import { environment, later, pageApp, part, place, read } from '../helpers/deferred.js'

const VIEW = '<body><p>{% block x %}{% if a is failed %}failed{% else %}{{ a }}{% endif %}{% endblock %}</p><p>{% block y %}{{ b }}{% endblock %}</p></body>'

async function two (t, options) {
  const [a, b] = [later(), later()]
  const app = await pageApp(t, VIEW, () => ({ a: defer(a.promise), b: defer(b.promise) }), options)
  return { app, a, b }
}

const decoders = { br: createBrotliDecompress, gzip: createGunzip }

t.test('@fastify/compress: each part leaves when it is there', async t => {
  for (const [accepted, encoding] of [['gzip, deflate, br', 'br'], ['gzip;q=0.5, br;q=0', 'gzip'], ['gzip', 'gzip'], ['br ; q=0.000 , deflate', undefined], [undefined, undefined]]) {
    const { app, a, b } = await two(t)
    app.get('/own', { onRequest: (request, reply, done) => { reply.compress = () => {}; done() } }, (request, reply) => {
      return reply.page('page.html', { a: defer(a.promise), b: defer(b.promise) })
    })
    const response = await app.inject({ url: '/own', headers: accepted === undefined ? {} : { 'accept-encoding': accepted }, payloadAsStream: true })
    t.equal(response.headers['content-encoding'], encoding, accepted)
    t.match(response.headers.vary, 'Accept-Encoding')
    const body = encoding === undefined ? response.stream() : response.stream().pipe(decoders[encoding]())
    let text = ''
    body.on('data', chunk => { text += chunk })
    await until(() => text.includes('-->'))
    t.notMatch(text, '<template')
    a.resolve('one')
    await until(() => text.includes('one</template>'))
    b.resolve('two')
    await once(body, 'end')
    t.ok(text.endsWith('</body>'))
  }
})

t.test('@fastify/compress itself steps aside, and leaves other pages to itself', async t => {
  const [a, b] = [later(), later()]
  const app = await pageApp(t, VIEW, { a: 1, b: 'x'.repeat(5000) })
  await app.register(fastifyCompress)
  app.get('/parts', (request, reply) => reply.page('page.html', { a: defer(a.promise), b: defer(b.promise) }))
  app.get('/whole', (request, reply) => reply.page('page.html', { a: 1, b: 'x'.repeat(5000) }))
  app.get('/off', { compress: false }, (request, reply) => reply.page('page.html', { a: defer(a.promise), b: defer(b.promise) }))
  const headers = { 'accept-encoding': 'gzip' }
  const { headers: off } = await app.inject({ url: '/off', headers, payloadAsStream: true })
  t.equal(off['content-encoding'], undefined)
  t.equal((await app.inject({ url: '/whole', headers })).headers['content-encoding'], 'gzip')
  const response = await app.inject({ url: '/parts', headers, payloadAsStream: true })
  t.equal(response.headers['content-encoding'], 'gzip')
  let text = ''
  const body = response.stream().pipe(createGunzip()).on('data', chunk => { text += chunk })
  await until(() => text.includes('<!--'))
  a.resolve('one')
  await until(() => text.includes('one</template>'))
  b.resolve('two')
  await once(body, 'end')
  t.match(text, 'two</template>')
  const client = await app.inject({ url: '/parts', headers: { ...headers, 'x-no-compression': '1' }, payloadAsStream: true })
  t.equal(client.headers['content-encoding'], undefined)
})

t.test('a client that leaves while its page is being compressed', async t => {
  const { app } = await two(t, { options: { timeout: false } })
  let aborted
  app.get('/own', { onRequest: (request, reply, done) => { reply.compress = () => {}; done() } }, (request, reply) => {
    return reply.page('page.html', { a: defer(({ signal }) => { signal.onabort = () => { aborted = true }; return never }), b: 1 })
  })
  const response = await fetch(`http://127.0.0.1:${await listen(app)}/own`)
  await response.body.cancel()
  await until(() => aborted === true && app.eventStreams.partsPending === 0)
})

t.test('onSend hooks see a stream, headers, cookies and the status reach the client, and @fastify/etag makes no tag', async t => {
  const { app, a, b } = await two(t)
  await app.register(fastifyEtag)
  app.addHook('onSend', async (request, reply, payload) => {
    reply.header('x-payload', typeof payload.pipe)
    return payload
  })
  app.get('/own', (request, reply) => reply.code(201).header('x-own', '1').header('x-accel-buffering', 'yes').page('page.html', { a: defer(a.promise), b: defer(b.promise) }))
  const page = await read(app, '/own')
  t.equal(page.status, 201)
  t.match(page.headers, { 'x-own': '1', 'x-payload': 'function', 'x-accel-buffering': 'yes' })
  t.equal(page.headers.etag, undefined)
  a.resolve(1)
  b.resolve(2)
  t.match(await page.rest(), part(2, '2'))
})

t.test('a hook that puts a transform before the response', async t => {
  const { PassThrough } = await import('node:stream')
  for (const compress of [undefined, () => {}]) {
    const { app, a, b } = await two(t)
    app.addHook('onRequest', async (request, reply) => { reply.compress = compress })
    app.addHook('onSend', async (request, reply, payload) => {
      const through = new PassThrough()
      payload.pipe(through, { end: false })
      payload.on('end', () => through.end())
      return through
    })
    app.get('/own', (request, reply) => reply.page('page.html', { a: defer(a.promise), b: defer(b.promise) }))
    const response = await fetch(`http://127.0.0.1:${await listen(app)}/own`)
    a.resolve(1)
    b.resolve(2)
    t.match(await response.text(), '2</template>')
  }
})

t.test('HTTP/2', async t => {
  const { app, a, b } = await two(t, { fastify: { http2: true, https: certificate() } })
  const session = http2.connect(`https://127.0.0.1:${await listen(app)}`, { rejectUnauthorized: false })
  t.teardown(() => session.destroy())
  const request = session.request({ ':path': '/' }).setEncoding('utf8')
  let text = ''
  request.on('data', chunk => { text += chunk })
  await until(() => text.includes('<!--'))
  a.resolve('one')
  await until(() => text.includes('one</template>'))
  b.resolve('two')
  await once(request, 'end')
  t.ok(text.endsWith('</body>'))
})

t.test('a route with live: true takes the shorter way', async t => {
  const { app, a, b } = await two(t)
  app.get('/live', { live: true }, (request, reply) => reply.page('page.html', { a: defer(a.promise), b: defer(b.promise) }, { live: app.channel('news') }))
  const page = await read(app, '/live')
  t.equal(await page.next(), `<body><p>${place(1)}</p><p>${place(2)}</p>`)
  b.resolve(2)
  t.equal(await page.next(), part(2, '2'))
  a.resolve(1)
  t.equal(await page.rest(), `${part(1, '1')}</body>`)
})

/** A client that takes nothing before it is told to. */
async function slowClient (t, port) {
  const socket = net.connect({ port, host: '127.0.0.1' })
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  return socket
}

t.test('a slow client: parts wait until it has taken those before them', async t => {
  const view = Array.from({ length: 10 }, (_, n) => `<p>{% block b${n} %}{{ v${n} | big }}{% endblock %}</p>`).join('')
  let rendered = 0
  const ends = Array.from({ length: 10 }, later)
  const app = await pageApp(t, view, () => Object.fromEntries(ends.map(({ promise }, n) => [`v${n}`, defer(promise)])))
  app.env.addFilter('big', megabytes => {
    const text = 'x'.repeat(megabytes * 1024 * 1024)
    rendered++
    return text
  })
  const socket = await slowClient(t, await listen(app))
  await until(() => app.eventStreams.partsPending === 10)
  for (const { resolve } of ends) resolve(4)
  await until(() => rendered > 0)
  await new Promise(resolve => setTimeout(resolve, 100))
  t.ok(rendered < 10, `${rendered} of 10 are rendered`)
  let size = 0
  socket.on('data', chunk => { size += chunk.length })
  socket.resume()
  await once(socket, 'end')
  t.equal(rendered, 10)
  t.ok(size > 40 * 1024 * 1024)
})

t.test('a client that takes nothing for too long is cut off', async t => {
  const a = later()
  const app = await pageApp(t, '<p>{% block x %}{{ a }}{% endblock %}</p>{% block y %}{{ b }}{% endblock %}', () => ({ a: defer(a.promise), b: defer(never) }), { plugin: { writeTimeout: 100 }, options: { timeout: false } })
  await slowClient(t, await listen(app))
  await until(() => app.eventStreams.partsPending === 2)
  a.resolve('x'.repeat(64 * 1024 * 1024))
  await until(() => app.eventStreams.partsPending === 0)
})

t.test('an app that closes cuts off a client that does not take the rest', async t => {
  const a = later()
  const app = await pageApp(t, '<p>{% block x %}{{ a }}{% endblock %}</p>', () => ({ a: defer(a.promise) }), { plugin: { writeTimeout: false, shutdownGrace: 0 }, fastify: { forceCloseConnections: false } })
  const socket = await slowClient(t, await listen(app))
  await until(() => app.eventStreams.partsPending === 1)
  a.resolve('x'.repeat(64 * 1024 * 1024))
  await new Promise(resolve => setImmediate(resolve))
  await app.close()
  t.equal(app.eventStreams.partsPending, 0)
  socket.resume()
  await once(socket, 'close')
})

t.test('values of any kind: thenables that settle twice, throw, or are slow to be asked', async t => {
  const thenables = {
    twice: { then (resolve, reject) { resolve('once'); resolve('twice'); reject(new Error('no')) } },
    throwing: { then () { throw new Error('then') } },
    late: { then (resolve) { setImmediate(resolve, 'late') } },
    odd: { get then () { throw new Error('a getter') } }
  }
  for (const [name, expected] of [['twice', 'once'], ['throwing', 'failed'], ['late', 'late'], ['odd', '[object Object]']]) {
    const app = await pageApp(t, VIEW, () => ({ a: defer(thenables[name]), b: '' }))
    t.match(await (await read(app)).rest(), expected, name)
  }
  let asked = 0
  defer({ then () { asked++ } })
  t.equal(asked, 0, 'a query begins with its page')
})

t.test('a promise that fails before anybody listens ends nothing', async t => {
  const unhandled = []
  const note = error => { unhandled.push(error) }
  process.prependListener('unhandledRejection', note)
  t.teardown(() => process.removeListener('unhandledRejection', note))
  const deferred = defer(Promise.reject(new Error('early')))
  defer(Promise.reject(new Error('never used')))
  await new Promise(resolve => setTimeout(resolve, 10))
  const app = await pageApp(t, VIEW, () => ({ a: deferred, b: defer(() => { throw new Error('at once') }) }))
  for (let n = 0; n < 2; n++) t.equal(await (await read(app)).rest(), '<body><p>failed</p><p></p></body>')
  t.equal(app.eventStreams.partsFailed, 4)
  await new Promise(resolve => setTimeout(resolve, 10))
  t.same(unhandled, [])
  t.ok(deferred instanceof Deferred)
  t.throws(() => String(deferred), /Await it here/)
})

t.test('a thousand deferred values', async t => {
  const names = Array.from({ length: 1000 }, (_, n) => `v${n}`)
  const ends = names.map(later)
  const blocks = Array.from({ length: 20 }, (_, n) => `<p>{% block b${n} %}${names.slice(50 * n, 50 * n + 50).map(name => `{{ ${name} }} `).join('')}{% endblock %}</p>`)
  const app = await pageApp(t, blocks.join(''), () => Object.fromEntries(names.map((name, n) => [name, defer(ends[n].promise)])), { options: { timeout: false } })
  const page = await read(app)
  t.equal((await page.next()).split('<!--chirp-part:').length, 21)
  for (const [n, { resolve }] of ends.entries()) {
    resolve(n)
    if (n % 100 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  const text = await page.rest()
  t.equal(text.split('<template').length, 21)
  t.match(text, '990 991 992 993 994 995 996 997 998 999 </template>')
  t.equal(app.eventStreams.partsPending, 0)
})

t.test('options are checked', async t => {
  for (const [options, message] of [
    [{ timeout: 0 }, 'option "timeout" of reply.page() must be milliseconds'], [{ timeout: 'soon' }, 'option "timeout" of reply.page() must be a whole number'],
    [{ order: 'any' }, "option \"order\" of reply.page() must be 'document'"],
    [{ await: true }, 'option "await" of reply.page() must be a function'], [{ await: Promise.reject(new Error('x')) }, 'must be a function'],
    [{ timout: 5 }, 'Did you mean "timeout"']
  ]) {
    const app = await pageApp(t, VIEW, {}, { options })
    const { code, message: given } = (await app.inject('/')).json()
    t.equal(code, 'FST_CHIRP_OPTION')
    t.match(given, message)
  }
})

t.test('without templates the page says what is missing', async t => {
  const app = await pageApp(t, '', () => ({ a: defer(1) }), { plugin: { templates: undefined } })
  t.match(await (await read(app)).rest(), 'FST_CHIRP_NO_TEMPLATES')
})

t.test('a response that cannot be written to is cut off', async t => {
  const { app, a, b } = await two(t)
  app.get('/own', (request, reply) => {
    const { write } = reply.raw
    reply.raw.write = function (text) {
      if (String(text).includes('<template')) throw new Error('patched')
      return Reflect.apply(write, this, [text])
    }
    return reply.page('page.html', { a: defer(a.promise), b: defer(b.promise) })
  })
  const response = await fetch(`http://127.0.0.1:${await listen(app)}/own`)
  a.resolve(1)
  await t.rejects(response.text())
  t.equal(app.eventStreams.partsPending, 0)
  t.match(app.log.lines.find(({ level }) => level === 50).msg, 'a page was not sent to its end')
})

t.test('a client that has left before the page is made', async t => {
  const { app } = await two(t)
  let signal
  app.get('/own', (request, reply) => {
    reply.raw.destroy()
    return reply.page('page.html', { a: defer(context => { signal = context.signal; return never }), b: defer(never) })
  })
  await t.rejects(fetch(`http://127.0.0.1:${await listen(app)}/own`))
  await until(() => signal?.aborted === true && app.eventStreams.partsPending === 0)
})

t.test('a client that leaves while the page waits as a whole, for what is outside of blocks, or in the order of the document', async t => {
  for (const [view, headers, options] of [[VIEW, { 'hx-request': 'true' }], ['<p>{{ a }}', {}], ['<title>{% block x %}{{ a }}{% endblock %}</title>', {}], [VIEW, {}, { order: 'document', timeout: false }]]) {
    let signal
    const app = await pageApp(t, view, () => ({ a: defer(context => { signal = context.signal; return never }), b: 1 }), { options })
    const controller = new AbortController()
    fetch(`http://127.0.0.1:${await listen(app)}/`, { headers, signal: controller.signal }).then(response => response.text()).catch(() => {})
    await until(() => signal !== undefined)
    await new Promise(resolve => setImmediate(resolve))
    controller.abort()
    await until(() => signal.aborted && app.eventStreams.partsPending === 0)
  }
})

t.test('a hook that replaces the page: what is sent says nothing of parts', async t => {
  const hooks = {
    replaced: async () => 'replaced',
    failed: async () => { throw new Error('failed') },
    304: async (request, reply, payload) => {
      reply.code(304)
      return payload
    }
  }
  for (const [name, hook] of Object.entries(hooks)) {
    const { app } = await two(t)
    await app.register(async scope => {
      await scope.register(fastifyCompress)
      scope.addHook('onSend', hook)
      scope.get('/parts', (request, reply) => reply.page('page.html', { a: defer(never), b: defer(never) }))
    })
    const response = await app.inject({ url: '/parts', headers: { accept: 'text/html', 'accept-encoding': 'gzip' } })
    t.equal(response.headers['content-encoding'], undefined, name)
    t.equal(response.body.includes(name), name !== '304', name)
    await until(() => app.eventStreams.partsPending === 0, `nothing is pending: ${name}`)
  }
})

t.test('a hook that transforms the page gets text, also where it would be compressed', async t => {
  const { app } = await two(t)
  await app.register(async scope => {
    await scope.register(fastifyCompress)
    scope.addHook('onSend', async (request, reply, payload) => payload.pipe(new Transform({ transform: (chunk, encoding, done) => done(null, String(chunk).toUpperCase()) })))
    scope.get('/parts', (request, reply) => reply.page('page.html', { a: defer(new Promise(resolve => setImmediate(resolve, 'one'))), b: 2 }))
  })
  const response = await app.inject({ url: '/parts', headers: { accept: 'text/html', 'accept-encoding': 'gzip' } })
  t.equal(response.headers['content-encoding'], undefined)
  t.match(response.body, 'ONE</TEMPLATE>')
})

t.test('a client that leaves while the whole page waits: nothing fails', async t => {
  for (const view of ['<p>{{ a.x }}</p>', '<title>{% block x %}{{ a.x }}{% endblock %}</title>']) {
    const app = await pageApp(t, view, () => ({ a: defer(({ signal }) => new Promise(resolve => { signals.push(signal) })) }))
    const signals = []
    const port = await listen(app)
    const socket = net.connect(port)
    socket.write('GET / HTTP/1.1\r\nhost: a\r\nhx-request: true\r\n\r\n')
    await until(() => signals.length === 1)
    socket.destroy()
    await until(() => signals[0].aborted)
    await app.close()
    t.same(app.log.lines.filter(({ level }) => level >= 40).map(({ msg }) => msg), [])
  }
})

t.test('what is no page refuses a deferred value, instead of showing nothing', async t => {
  const app = await buildApp(t, { templates: environment({ 'page.html': '{% block member %}{{ a.x }}{% endblock %}{% block loop %}{% for x in a %}{{ x }}{% endfor %}{% endblock %}{% block text %}{{ a }}{% endblock %}' }) })
  for (const block of ['member', 'loop', 'text']) {
    await t.rejects(app.renderFragment(new Fragment('page.html', block, { a: defer(() => []) })), { message: /a deferred value can be shown by reply\.page\(\) only/ }, block)
  }
  const made = defer(1)
  t.ok(made instanceof Deferred)
  t.equal(await made, made, 'it is no promise')
  t.equal(made.constructor, Deferred)
  for (const look of [() => 'x' in made, () => Object.keys(made), () => JSON.stringify(made)]) t.throws(look, TypeError)
})
