// An app behind a proxy, with the streams that the cases need.
import { defer, SSEEvent } from 'fastify-chirp'
import { buildApp, listen } from '../helpers/app.js'
import { environment, later } from '../helpers/deferred.js'
import { fileOf, startEdge } from '../helpers/edge.js'
import { controlled } from '../helpers/raw.js'

const CHUNK = 'x'.repeat(65536)
// Far more than all buffers between an app and a client that does not read.
const FLOOD = 1024

// Longer than what compressors wait for.
const PARTS = `<h1>${'shell '.repeat(1000)}</h1>{% block part %}{% if part is pending %}waiting{% else %}{{ part }}{% endif %}{% endblock %}`

/** Starts an app and the proxy `kind` in front of it; `change` gives the proxy another file than that of the docs. */
export async function startStation (t, kind, change = text => text) {
  const app = await buildApp(t, { templates: environment({ 'parts.html': PARTS }), retry: 3000, heartbeat: 1000, writeTimeout: 1000, shutdownGrace: 200 }, { return503OnClosing: false, trustProxy: true })
  const news = app.channel('news', { history: 100 })
  const station = { app, news, held: controlled(), seen: [] }
  app.get('/live', { live: true }, (request, reply) => {
    station.seen.push({ protocol: request.protocol, ip: request.ip, lastEventId: request.headers['last-event-id'] })
    return reply.eventStream(news)
  })
  app.get('/silent', (request, reply) => reply.eventStream(news, { heartbeat: false }))
  app.get('/held', (request, reply) => reply.eventStream(station.held.source))
  // Whether the app was the one to end it, or all of it was taken.
  app.get('/flood', (request, reply) => reply.eventStream(async function * () {
    for (let n = 0; n < FLOOD; n++) yield CHUNK
  }))
  app.get('/page', (request, reply) => reply.type('text/html').send('<p>page</p>'.repeat(1000)))
  app.get('/parts', (request, reply) => {
    station.part = later()
    return reply.page('parts.html', { part: defer(station.part.promise) })
  })
  /** Publishes with an id, which is a cursor of the app's own. */
  station.publish = id => news.publish(new SSEEvent({ data: id, id }))
  const port = await listen(app)
  return Object.assign(station, await startEdge(t, kind, { 3000: port, 3001: port }, change(fileOf(kind))))
}

/** Replaces a part of a file, which must be there. */
export const without = (part, other = '') => text => {
  if (!text.includes(part)) throw new Error(`"${part}" is not in the file`)
  return text.replaceAll(part, other)
}
