// Between reply.eventStream() and the first frame: source functions that answer
// later, or never, while clients leave, hooks wait and the app closes.
import { on, once, EventEmitter } from 'node:events'
import http from 'node:http'
import net from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { buildApp, heapUsed, isClosing, listen, never, quiet, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { isBefore } from '../helpers/fastify.js'

// HTTP refuses a value with such a character.
const BAD = 'caf\u0142'

/** Notes what would have ended the process while `t` runs. */
function watchProcess (t) {
  const faults = []
  const note = error => faults.push(error)
  process.prependListener('unhandledRejection', note)
  process.prependListener('uncaughtException', note)
  t.teardown(() => {
    process.removeListener('unhandledRejection', note)
    process.removeListener('uncaughtException', note)
  })
  return faults
}

function get (port, path, headers) {
  return new Promise((resolve, reject) => {
    http.get({ port, path, headers, agent: false }, response => {
      let text = ''
      response.on('data', chunk => { text += chunk })
      response.on('end', () => resolve({ status: response.statusCode, text }))
      response.on('error', reject)
    }).on('error', reject)
  })
}

const handlers = {
  'no error handler': () => {},
  'a sync error handler': app => app.setErrorHandler((error, request, reply) => { reply.code(500).send({ mine: error.code }) }),
  'an async error handler': app => app.setErrorHandler(async (error, request, reply) => { reply.code(500); return { mine: error.code } })
}
const hooks = {
  'no hook': () => {},
  // Before 5.11 Fastify answers nobody after such a hook, whatever is sent.
  ...!isBefore('5.11.0') && { 'an async onSend hook': app => app.addHook('onSend', async () => { await wait(1) }) },
  'an async onError hook': app => app.addHook('onError', async () => { await wait(1) })
}

t.test('a header that HTTP refuses is the 500 of the app, and never the end of the process', async t => {
  const faults = watchProcess(t)
  for (const [handler, setHandler] of Object.entries(handlers)) {
    for (const [hook, addHook] of Object.entries(hooks)) {
      const app = await buildApp(t)
      setHandler(app)
      addHook(app)
      let closed = 0
      const source = () => ({ [Symbol.asyncIterator]: () => ({ next: () => never, return: async () => { closed++ } }) })
      const later = async () => { await wait(1); return source() }
      for (const referenced of [false, true]) {
        app.get(`/later/${referenced}`, { referenced }, (request, reply) => reply.header('x-name', BAD).eventStream(later))
        app.get(`/now/${referenced}`, { referenced }, (request, reply) => reply.header('x-name', BAD).eventStream(source()))
      }
      const port = await listen(app)
      for (const path of ['/later/false', '/later/true', '/now/false', '/now/true']) {
        const { status } = await get(port, path)
        t.equal(status, 500, `${path}, ${handler}, ${hook}`)
      }
      await until(() => app.eventStreams.open === 0 && closed === 4)
      await app.close()
    }
  }
  t.same(faults, [])
})

t.test('a source that comes while an error is answered is not sent, and does not end the process', async t => {
  const faults = watchProcess(t)
  const app = await buildApp(t)
  let go
  let closed = 0
  app.addHook('onError', () => new Promise(resolve => { go = resolve }))
  app.get('/:way', (request, reply) => {
    reply.eventStream(async () => {
      await until(() => go !== undefined)
      setImmediate(go)
      if (request.params.way === 'fails') throw new Error('late')
      return { [Symbol.iterator]: () => ({ next: () => ({ value: never }), return: () => { closed++; return {} } }) }
    })
    throw new Error('early')
  })
  const port = await listen(app)
  for (const way of ['comes', 'fails']) {
    go = undefined
    const { status, text } = await get(port, `/${way}`)
    t.equal(status, 500)
    t.match(text, 'early')
  }
  await until(() => app.eventStreams.open === 0)
  t.equal(closed, 1)
  t.same(faults, [])
})

t.test('an error handler may answer with a stream, whether the source failed at once or later', async t => {
  const app = await buildApp(t)
  app.setErrorHandler((error, request, reply) => reply.eventStream([error.message]))
  app.get('/now', (request, reply) => reply.eventStream(() => { throw new Error('now') }))
  app.get('/later', (request, reply) => reply.eventStream(async () => { throw new Error('later') }))
  app.get('/none', (request, reply) => reply.eventStream(1))
  const client = new TestClient(app)
  t.same((await client.sse('/now')).events, [{ data: 'now' }])
  t.same((await client.sse('/later')).events, [{ data: 'later' }])
  t.match((await client.sse('/none')).events[0].data, 'Cannot stream from')
})

t.test('app.close(): a stream that cannot be told does not keep the others from being told', async t => {
  const faults = watchProcess(t)
  const app = await buildApp(t, { shutdownGrace: 1000 })
  app.get('/bad', (request, reply) => reply.header('x-name', BAD).eventStream(() => never))
  app.get('/', (request, reply) => reply.eventStream(async function * () { yield 'a'; await never }))
  const client = new TestClient(app, { listen: true })
  const port = await listen(app)
  const streams = []
  const answers = []
  for (let i = 0; i < 3; i++) {
    answers.push(get(port, '/bad'))
    await until(() => app.eventStreams.open === 2 * i + 1)
    streams.push(await client.open('/'))
  }
  for (const stream of streams) t.same(await stream.next(), { data: 'a' })
  await app.close()
  for (const stream of streams) t.match(await stream.next(), { event: 'chirp:closing' })
  for (const answer of answers) t.match(await answer, { status: 500 })
  t.same(faults, [])
  t.equal(app.eventStreams.open, 0)
})

t.test('a source function that waits with the signal: nobody hears of a client that leaves', async t => {
  const faults = watchProcess(t)
  const app = await buildApp(t)
  const errors = []
  const aborted = []
  app.setErrorHandler((error, request, reply) => { errors.push(error); reply.code(500).send('x') })
  app.get('/', (request, reply) => reply.eventStream(async ({ signal }) => {
    signal.addEventListener('abort', () => aborted.push(signal.reason.message))
    await wait(20000, undefined, { signal })
  }))
  app.get('/other', (request, reply) => reply.eventStream(async ({ signal }) => {
    await once(signal, 'abort')
    throw new Error('cleanup')
  }))
  const port = await listen(app)
  for (const path of ['/', '/other']) {
    const request = http.get({ port, path })
    request.on('error', () => {})
    await until(() => app.eventStreams.open === 1)
    request.destroy()
    await until(() => app.eventStreams.open === 0)
    await quiet(5)
  }
  t.same(aborted, ['The event stream was closed: disconnect'])
  t.same(errors, [])
  t.same(app.log.lines.filter(line => line.level > 30).map(({ msg, err }) => [msg, err.message]),
    [['the source failed after its stream was closed', 'cleanup']])
  t.equal(app.eventStreams.errors, 1)
  t.same(faults, [])
})

for (const referenced of [false, true]) {
  for (const forceCloseConnections of [false, true]) {
    t.test(`app.close() and an async onSend hook, referenced: ${referenced}, forceCloseConnections: ${forceCloseConnections}`, async t => {
      const faults = watchProcess(t)
      const app = await buildApp(t, { shutdownGrace: 1000 }, { forceCloseConnections })
      const errors = []
      let waiting = 0
      app.setErrorHandler((error, request, reply) => { errors.push(error); reply.code(500).send('x') })
      app.addHook('onSend', async () => { waiting++; await until(() => isClosing(app)) })
      const sources = {
        '/rejects': async ({ signal }) => { await wait(20000, undefined, { signal }) },
        '/never': () => never,
        '/resolves': async ({ signal }) => { await once(signal, 'abort'); return [] },
        '/open': async () => { await null; return (async function * () { await never })() },
        '/now': async function * () { await never }
      }
      for (const [path, source] of Object.entries(sources)) app.get(path, { referenced }, (request, reply) => reply.eventStream(source))
      const port = await listen(app)
      const answers = Object.keys(sources).map(path => get(port, path))
      await until(() => app.eventStreams.open === 5 && waiting === 2)
      await app.close()
      for (const { status, text } of await Promise.all(answers)) {
        t.equal(status, 200)
        t.match(text, /^event: chirp:closing\nretry: \d+\ndata: \n\n$/)
      }
      t.same(errors, [])
      t.same(app.log.lines.filter(line => line.level > 30), [])
      t.same(faults, [])
    })
  }
}

t.test('a source function that never answers keeps neither request nor reply of a client that has left', async t => {
  const app = await buildApp(t, {}, { logger: false })
  const replies = []
  const functions = []
  app.get('/', (request, reply) => {
    replies.push(new WeakRef(reply), new WeakRef(request))
    return reply.eventStream(() => never)
  })
  app.get('/context', (request, reply) => {
    replies.push(new WeakRef(reply), new WeakRef(request))
    return reply.eventStream(async context => {
      functions.push(context)
      await never
    })
  })
  const port = await listen(app)
  for (const path of ['/', '/context']) {
    for (let i = 0; i < 20; i++) {
      const socket = net.connect(port, '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`))
      socket.on('error', () => {})
      await until(() => app.eventStreams.open === 1)
      socket.destroy()
      await until(() => app.eventStreams.open === 0)
    }
  }
  await until(() => {
    heapUsed()
    // The last ones may still be on some list of Node.js.
    return replies.filter(reply => reply.deref() !== undefined).length <= 4
  })
  t.equal(replies.length, 80)
  t.equal(functions.length, 20)
})

t.test('an open stream of a channel keeps neither request nor reply', async t => {
  const app = await buildApp(t, {}, { logger: false })
  const held = []
  const keep = (request, reply) => { held.push(new WeakRef(reply), new WeakRef(request)) }
  app.get('/', { referenced: true, onRequest: async (request, reply) => keep(request, reply) }, () => app.channel('a'))
  const port = await listen(app)
  const sockets = Array.from({ length: 20 }, () => net.connect(port, '127.0.0.1').on('connect', function () { this.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n') }))
  t.teardown(() => { for (const socket of sockets) socket.destroy() })
  for (const socket of sockets) socket.resume()
  await until(() => app.channel('a').size === 20)
  await until(() => {
    heapUsed()
    return held.filter(one => one.deref() !== undefined).length <= 4
  })
  t.equal(app.channel('a').size, 20)
  t.equal(held.length, 40)
})

t.test('a signal may be used many times', async t => {
  const warnings = []
  const onWarning = warning => warnings.push(warning.message)
  process.on('warning', onWarning)
  t.teardown(() => process.removeListener('warning', onWarning))
  const app = await buildApp(t)
  const channels = Array.from({ length: 12 }, (_, i) => app.channel(`c${i}`))
  app.get('/', (request, reply) => reply.eventStream(async function * ({ signal }) {
    for (const channel of channels) channel.subscribe({ signal })[Symbol.asyncIterator]().next()
    for (let i = 0; i < 12; i++) {
      on(new EventEmitter(), 'x', { signal })
      wait(20000, undefined, { signal }).catch(() => {})
    }
    yield 'a'
    await never
  }))
  const stream = await new TestClient(app, { listen: true }).open('/')
  t.same(await stream.next(), { data: 'a' })
  await quiet(5)
  t.same(warnings, [])
  stream.close()
  await until(() => channels.every(({ size }) => size === 0))
})
