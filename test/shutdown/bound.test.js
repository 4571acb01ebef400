// app.close() comes to an end, whatever the responses of its streams do.
import http from 'node:http'
import http2 from 'node:http2'
import t from 'tap'
import { buildApp, isClosing, listen, never, quiet, until } from '../helpers/app.js'
import { TestClient } from '../helpers/client.js'
import { isBefore } from '../helpers/fastify.js'

t.test('a response that never closes is given up, with its source', async t => {
  const app = await buildApp(t, { shutdownGrace: 100 })
  let stuck
  let closed = 0
  app.get('/', (request, reply) => {
    stuck = reply.raw
    stuck.end = stuck.destroy = () => {}
    return reply.eventStream({ [Symbol.asyncIterator]: () => ({ next: () => never, return: async () => { closed++ } }) })
  })
  const request = http.get({ port: await listen(app), path: '/' })
  request.on('error', () => {})
  await until(() => app.eventStreams.total === 1)
  await app.close()
  t.equal(app.eventStreams.open, 0)
  t.equal(closed, 1)
  t.match(app.log.lines.find(line => line.msg === 'event stream closed'), { reason: 'shutdown' })
  request.destroy()
})

t.test('a trailer, or an end(), that throws is logged, and neither the process nor another stream hears of it', async t => {
  const faults = []
  const note = error => faults.push(error)
  process.prependListener('unhandledRejection', note)
  t.teardown(() => process.removeListener('unhandledRejection', note))
  const app = await buildApp(t, { shutdownGrace: 1000 })
  const fail = () => { throw new Error('no end') }
  app.get('/trailer', (request, reply) => {
    reply.trailer('x-sum', fail)
    return reply.eventStream(async function * () { if (request.query.ends === undefined) await never })
  })
  app.get('/end', (request, reply) => {
    reply.raw.end = fail
    return reply.eventStream(async function * () { if (request.query.ends === undefined) await never })
  })
  app.get('/fine', (request, reply) => reply.eventStream(async function * () { yield 'a'; await never }))
  const client = new TestClient(app, { listen: true })
  for (const path of ['/trailer?ends', '/end?ends']) {
    await client.sse(path).catch(() => {})
    await until(() => app.eventStreams.open === 0)
  }
  t.same(app.log.lines.filter(line => line.level > 40).map(({ msg, err }) => [msg, err.message]),
    [['an event stream could not be ended', 'no end'], ['an event stream could not be ended', 'no end']])
  for (const path of ['/trailer', '/end']) await client.open(path)
  const fine = await client.open('/fine')
  await fine.next()
  await app.close()
  t.match(await fine.next(), { event: 'chirp:closing' })
  t.equal(app.eventStreams.errors, 4)
  t.same(faults, [])
})

t.test('a stream with trailers that the app closes before it began has its last frame and its trailers', async t => {
  const app = await buildApp(t, { shutdownGrace: 1000 }, { forceCloseConnections: false })
  let go
  app.addHook('onSend', () => new Promise(resolve => { go = resolve }))
  app.get('/', (request, reply) => {
    reply.trailer('x-sum', async () => 'abc')
    return reply.eventStream(async function * () { await never })
  })
  const port = await listen(app)
  const answer = new Promise((resolve, reject) => {
    http.get({ port, path: '/', agent: false }, response => {
      let text = ''
      response.on('data', chunk => { text += chunk })
      response.on('end', () => resolve({ text, trailers: response.trailers }))
      response.on('error', reject)
    }).on('error', reject)
  })
  await until(() => go !== undefined)
  const closing = app.close()
  await until(() => isClosing(app))
  go()
  await closing
  const { text, trailers } = await answer
  t.match(text, /^event: chirp:closing\nretry: \d+\ndata: \n\n$/)
  t.same(trailers, { 'x-sum': 'abc' })
})

t.test('a source that has ended has all of it delivered while the app closes, and its own last event', async t => {
  const app = await buildApp(t, { shutdownGrace: 5000, closeEvent: 'bye' })
  app.get('/', (request, reply) => reply.eventStream(['x'.repeat(8e6)]))
  const port = await listen(app)
  let response
  const request = http.get({ port, path: '/' }, value => { response = value })
  request.on('error', () => {})
  await until(() => response !== undefined && app.eventStreams.events === 1)
  t.equal(app.eventStreams.open, 1, 'the client has not taken it yet')
  const closing = app.close()
  let text = ''
  response.on('data', chunk => { text += chunk })
  await until(() => response.complete)
  await closing
  t.equal(text.length > 8e6, true)
  t.match(text.slice(-40), /\n\nevent: bye\ndata: \n\n$/)
})

for (const forceCloseConnections of [true, false]) {
  t.test(`HTTP/2 sessions and forceCloseConnections: ${forceCloseConnections}`, async t => {
    const app = await buildApp(t, { shutdownGrace: 200 }, { http2: true, forceCloseConnections })
    app.get('/', (request, reply) => reply.eventStream(async function * () { yield 'a'; await never }))
    const session = http2.connect(`http://127.0.0.1:${await listen(app)}`)
    const stream = session.request({ ':path': '/' })
    let text = ''
    stream.on('data', chunk => { text += chunk })
    await until(() => text.includes('data: a'))
    let isClosed = false
    const closing = app.close().then(() => { isClosed = true })
    await until(() => stream.closed && app.eventStreams.open === 0)
    t.match(text, 'event: chirp:closing')
    // Before 5.7 Fastify closes none.
    if (!forceCloseConnections || isBefore('5.7.0')) {
      // Longer than all that close() waits for on behalf of streams. Node.js 24 closes a session without streams itself.
      await quiet(1000)
      t.equal(isClosed, Number(process.versions.node.split('.')[0]) >= 24, 'close() waits for the session')
      session.close()
    }
    await closing
    t.ok(isClosed)
    session.destroy()
  })
}
