// What streams and other requests are answered in the place of an app that is not there, or answers 503.
import { once } from 'node:events'
import http from 'node:http'
import t from 'tap'
import Fastify from 'fastify'
import { startEdge } from '../helpers/edge.js'
import { freePort } from '../helpers/port.js'

const EVENTS = 'text/event-stream'
// As the extension of htmx 4 has it, for all of its requests.
const HTMX4 = 'text/html, text/event-stream'

export async function answerOf ({ url }, path, headers, method) {
  const request = http.request(`${url}${path}`, { agent: false, method, headers }).end()
  const [response] = await once(request, 'response')
  const body = (await response.toArray()).join('')
  return { status: response.statusCode, type: response.headers['content-type'], cache: response.headers['cache-control'], body }
}

const isBusy = ({ status, type, cache, body }) => {
  const [, retry] = /^event: chirp:busy\nretry: (\d+)\ndata: \n\n$/.exec(body) ?? []
  return status === 200 && type === EVENTS && cache === 'no-cache' && retry >= 2000 && retry <= 10000
}

/** Starts an app that answers 503; resolves to its port. */
export async function startUnwilling (t) {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/', (request, reply) => reply.code(503).send('of the app'))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server.address().port
}

/** Adds the cases for a proxy whose file tells streams to come back; pages get `error`. */
export function addBusyCases (kind, error) {
  t.test('without an app a stream is told to come back, and all else gets the error', async t => {
    const port = await freePort()
    const edge = await startEdge(t, kind, { 3000: port, 3001: port })
    const streams = await Promise.all(Array.from({ length: 40 }, () => answerOf(edge, '/live', { accept: EVENTS })))
    for (const answer of streams) t.ok(isBusy(answer), 'is told')
    t.ok(new Set(streams.map(({ body }) => body)).size > 1, 'not all come back at once')
    const others = [['POST', { accept: HTMX4 }], ['GET', { accept: HTMX4 }], ['GET', { accept: 'text/html,*/*;q=0.8' }], ['GET', {}]]
    const [page, stream, ...answers] = await Promise.all([
      answerOf(edge, '/?lastEventId=1', { accept: HTMX4 }),
      answerOf(edge, '/live', { accept: HTMX4, 'last-event-id': '1' }),
      ...others.map(([method, headers]) => answerOf(edge, '/', headers, method))
    ])
    t.ok(isBusy(page), 'a page with a cursor in the address of its stream')
    t.ok(isBusy(stream), 'a stream that comes back')
    for (const answer of answers) t.match(answer, error)
  })

  t.test("an app's own 503 is one for pages alone", async t => {
    const port = await startUnwilling(t)
    const edge = await startEdge(t, kind, { 3000: port, 3001: port })
    t.ok(isBusy(await answerOf(edge, '/', { accept: EVENTS })))
    t.match(await answerOf(edge, '/', {}), { status: 503, body: 'of the app' })
  })
}
