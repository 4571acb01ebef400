// Pages in parts whose responses wait behind another one of their connection, and never get a socket.
import net from 'node:net'
import t from 'tap'
import { defer } from 'fastify-chirp'
import { listen, never, until } from '../helpers/app.js'
import { pageApp } from '../helpers/deferred.js'

const VIEW = '<body>{{ text }}<p>{% block x %}{% if a is failed %}failed{% else %}{{ a }}{% endif %}{% endblock %}</p></body>'
const LONG = 'x'.repeat(100_000)

/** An app with a stream, and a socket on which requests of pages wait behind it. */
async function behind (t, paths, { a = () => never, text = LONG, ...options } = {}) {
  const app = await pageApp(t, VIEW, {}, options)
  const signals = []
  app.get('/stream', (request, reply) => reply.eventStream(app.channel('a')))
  app.get('/own', { onRequest: (request, reply, done) => { reply.compress = () => {}; done() } }, (request, reply) => page(reply))
  app.get('/parts', (request, reply) => page(reply))
  app.get('/ordered', (request, reply) => page(reply, { order: 'document' }))
  const page = (reply, options) => reply.page('page.html', {
    text,
    a: defer(({ signal }) => {
      signals.push(signal)
      return a()
    })
  }, { timeout: false, ...options })
  const socket = net.connect(await listen(app), '127.0.0.1').on('error', () => {})
  socket.resume()
  t.teardown(() => socket.destroy())
  socket.write(['/stream', ...paths].map(path => `GET ${path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n`).join(''))
  await until(() => signals.length === paths.length && app.eventStreams.open === 1)
  return { app, socket, signals }
}

const PATHS = ['/parts', '/parts', '/ordered', '/own']

t.test('the client leaves: nothing stays, and the app closes at once', async t => {
  const { app, socket, signals } = await behind(t, PATHS, { plugin: { shutdownGrace: 1e9 } })
  await until(() => app.eventStreams.partsPending === PATHS.length)
  socket.destroy()
  await until(() => signals.every(({ aborted }) => aborted))
  t.equal(app.eventStreams.partsPending, 0)
  await app.close()
})

t.test('one that waits longer than writeTimeout is cut, with its connection', async t => {
  const { app, signals } = await behind(t, ['/parts'], { plugin: { writeTimeout: 100 } })
  await until(() => signals.every(({ aborted }) => aborted))
  await until(() => app.eventStreams.open === 0)
  t.equal(app.eventStreams.partsPending, 0)
})

t.test('one that is through before its turn leaves nothing on the socket', async t => {
  const { app, socket } = await behind(t, ['/parts', '/parts'], { a: () => new Promise(resolve => setImmediate(resolve, 'there')), text: 'short' })
  let text = ''
  socket.on('data', chunk => { text += chunk })
  await until(() => app.eventStreams.partsPending === 0)
  app.channel('a').close()
  await until(() => text.split('there').length === 3)
})
