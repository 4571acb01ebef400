// Each of these was a bug once.
import { createReadStream } from 'node:fs'
import { once } from 'node:events'
import http from 'node:http'
import { pipeline, Readable, Transform } from 'node:stream'
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises'
import zlib from 'node:zlib'
import t from 'tap'
import compress from '@fastify/compress'
import Fastify from 'fastify'
import chirp from 'fastify-chirp'
import { buildApp, isClosing, listen, never, quiet, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { complaints } from '../helpers/complaints.js'
import { AB, askHttp2, controlled, dial, get, GET, quietly, within } from '../helpers/raw.js'

const slow = async function * () { yield 'a'; await wait(60); yield 'b' }

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
  await until(() => app.eventStreams.open === 0)
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
      t.match((await within(quietly(get(port, `/source/${n}`)))).body, /event: chirp:error\n/, `source ${n}, debug ${debug}`)
      t.equal((await within(quietly(get(port, `/function/${n}`)))).status, 500, `function ${n}, debug ${debug}`)
      const client = await dial(port)
      client.send(GET(`/cleanup/${n}`))
      await client.heard(': open')
      client.socket.destroy()
    }
    await until(() => app.eventStreams.open === 0)
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
  await quiet(20)
  t.same(complaints.splice(0), [], 'a Readable that fails after it was refused')
})

t.test('return() that answers with a thenable', async t => {
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.eventStream({ [Symbol.asyncIterator]: () => ({ next: () => never, return: () => ({ then: resolve => resolve({}) }) }) }))
  const client = await dial(await listen(app))
  client.send(GET())
  await client.heard(': open')
  client.socket.destroy()
  await until(() => app.eventStreams.open === 0)
  t.same(complaints.splice(0), [])
})

t.test('what is written after the app itself ended the response does not end the process', async t => {
  const app = await buildApp(t)
  let isOver = false
  app.get('/', { referenced: true }, (request, reply) => reply.eventStream(async function * () {
    try {
      yield 'x'.repeat(20e6)
      reply.raw.end()
      for (let i = 0; i < 50; i++) {
        yield 'b'
        await turn()
      }
    } finally {
      isOver = true
    }
  }))
  const client = await dial(await listen(app))
  client.send(GET())
  await until(() => isOver)
  client.socket.destroy()
  await until(() => app.eventStreams.open === 0)
  t.same(complaints.splice(0), [])
})

t.test('a last frame behind a large value does not drop a client that reads', async t => {
  const app = await buildApp(t, { closeEvent: 'bye' })
  app.get('/ends', (request, reply) => reply.eventStream(['x'.repeat(20e6)]))
  app.get('/fails', (request, reply) => reply.eventStream(async function * () { yield 'x'.repeat(20e6); throw new Error('no') }))
  for (const path of ['/ends', '/fails']) {
    const { events, ended } = await new TestClient(app, { listen: true }).sse(path)
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
  await until(() => isClosing(app))
  go()
  t.equal(await within(closing.then(() => 'closed')), 'closed')
  client.socket.destroy()
})

t.test('a source function that still waits when the app closes: its client hears so, at once', async t => {
  const app = await buildApp(t, { shutdownGrace: 60000 }, { forceCloseConnections: false })
  let go
  app.get('/', (request, reply) => reply.eventStream(async () => {
    await new Promise(resolve => { go = resolve })
    return ['a']
  }))
  const client = await dial(await listen(app))
  client.send(GET())
  await until(() => app.eventStreams.open === 1)
  t.not(await within(app.close()), 'hangs')
  go()
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
        await until(() => text.endsWith(`data: ${value}\n\n`), `${value} comes alone`)
      }
      control.end()
      t.not(await within(once(body, 'end')), 'hangs')
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
    t.not(await within(once(response, 'end')), 'hangs')
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
  await until(() => client.closed)
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
  t.equal((await within(quietly(get(await listen(app), '/')))).status, 304)
})

t.test('connectionTimeout does not end a quiet stream that came right behind another request', async t => {
  const app = await buildApp(t, {}, { connectionTimeout: 1000 })
  app.get('/', (request, reply) => reply.eventStream(async function * () { yield 'a'; await wait(1500); yield 'b' }))
  app.get('/text', async () => { await wait(20); return 'text' })
  const client = await dial(await listen(app))
  client.send(GET('/text') + GET())
  await client.heard('data: b')
  t.match(client.text, /^data: a$[^]*^data: b$/m)
})
