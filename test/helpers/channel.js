// What tests of channels share: an app with one channel, reading a stream, raw sockets and what is written to them.
import net from 'node:net'
import { Fragment } from 'fastify-chirp'
import { buildApp, listen } from './app.js'
import { TestClient } from './client.js'
import { countingEnvironment } from './renderer.js'

export const POSITION = /^[a-z0-9]+-\d+$/

/** An app with one channel that is streamed at `/`. */
export async function buildChannel (t, { options, plugin, fastify, source = channel => channel } = {}) {
  const app = await buildApp(t, plugin, fastify)
  const channel = app.channel('a', options)
  app.get('/', (request, reply) => reply.eventStream(source(channel, request)))
  return { app, channel, client: new TestClient(app) }
}

/** The next `count` events of a stream. */
export async function take (stream, count) {
  const events = []
  while (events.length < count) events.push(await stream.next())
  return events
}

export const dataOf = events => events.map(event => event?.data)

/** Sends a request as it is, and collects what comes back. */
export async function dial (t, app, head) {
  const socket = net.connect(await listen(app), '127.0.0.1')
  const raw = { socket, text: '', ended: false }
  socket.setEncoding('utf8').on('data', text => { raw.text += text }).on('close', () => { raw.ended = true }).on('error', () => {})
  t.teardown(() => socket.destroy())
  socket.write(head)
  return raw
}

export const get = (path = '/', fields = '') => `GET ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\n`

/** Collects what is written to the sockets of an app. */
export function watchWrites (app) {
  const writes = []
  app.server.on('connection', socket => {
    const { write } = socket
    socket.write = function (data, ...rest) {
      writes.push(data)
      return write.call(this, data, ...rest)
    }
  })
  return writes
}

// Node.js writes the ends of its own chunks as a Buffer too.
export const isChunk = data => Buffer.isBuffer(data) && data.length > 2

export function environment () {
  const templates = { 'item.html': '{% block item %}{{ count() }}<b>{{ name }}</b>{% endblock %}{% block late %}{{ name | late }}{% endblock %}' }
  const { env, rendered } = countingEnvironment(templates)
  // Resolves after as many turns as the value says.
  env.addFilter('late', (value, callback) => {
    const [turns, outcome] = String(value).split(':')
    const next = left => left > 0 ? setImmediate(next, left - 1) : outcome === 'fails' ? callback(new Error('late')) : callback(null, value)
    next(Number(turns))
  }, true)
  return { env, rendered }
}

export const late = name => new Fragment('item.html', 'late', { name })
