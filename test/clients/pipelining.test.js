// Requests that wait behind another one on the same socket.
import { once } from 'node:events'
import net from 'node:net'
import t from 'tap'
import { buildApp, listen, never, quiet, until } from '../helpers/app.js'

const GET = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'

async function connect (port) {
  const socket = net.connect(port, '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

const left = request => until(() => request.raw.socket.destroyed)

// Each gets to its stream when its client has left.
const slow = {
  'an async handler' (app, news, reached) {
    app.get('/', async (request, reply) => {
      await left(request)
      reached()
      return reply.eventStream(news)
    })
  },
  'an async hook on a marked route' (app, news, reached) {
    app.addHook('preHandler', left)
    app.get('/', { referenced: true }, (request, reply) => {
      reached()
      return reply.eventStream(news)
    })
  },
  'an async source function' (app, news, reached) {
    app.get('/', (request, reply) => reply.eventStream(async () => {
      await left(request)
      reached()
      return news
    }))
  }
}

for (const [name, build] of Object.entries(slow)) {
  t.test(`a socket that closes before its requests have a stream: ${name}`, async t => {
    const app = await buildApp(t, { shutdownGrace: 300, maxStreams: 20 })
    const news = app.channel('news')
    let count = 0
    let arrived = 0
    app.addHook('onRequest', async () => { arrived++ })
    build(app, news, () => { count++ })
    const port = await listen(app)
    for (let i = 1; i <= 5; i++) {
      const socket = await connect(port)
      socket.write(GET + GET)
      await until(() => arrived === 2 * i)
      socket.destroy()
    }
    await until(() => count === 10)
    await until(() => app.eventStreams.open === 0)
    t.equal(news.size, 0)
    await app.close()
    t.equal(app.eventStreams.open, 0)
  })
}

t.test('many requests at once on one socket: each has its stream, all are over when it closes, and nothing warns', async t => {
  const warnings = []
  const onWarning = warning => warnings.push(warning.message)
  process.on('warning', onWarning)
  t.teardown(() => process.removeListener('warning', onWarning))
  const app = await buildApp(t)
  app.get('/', (request, reply) => reply.eventStream(async function * () { await never }))
  const socket = await connect(await listen(app))
  socket.write(GET.repeat(12))
  await until(() => app.eventStreams.open === 12)
  await quiet(5)
  t.same(warnings, [])
  socket.destroy()
  await until(() => app.eventStreams.open === 0)
  t.pass('closed')
})

t.test('a stream that had to wait is no longer the business of the socket once it has closed', async t => {
  const app = await buildApp(t)
  let server
  app.get('/', (request, reply) => {
    server = request.raw.socket
    return reply.eventStream(['a'])
  })
  const socket = await connect(await listen(app))
  let text = ''
  socket.on('data', chunk => { text += chunk })
  socket.write(GET)
  await until(() => text.split('data: a').length === 2 && app.eventStreams.open === 0)
  const before = server.listenerCount('close')
  socket.write(GET.repeat(12))
  await until(() => text.split('data: a').length === 14 && app.eventStreams.open === 0)
  t.equal(server.listenerCount('close'), before)
  socket.destroy()
})
