// nginx, with docs/examples/proxies/nginx.conf.
import http from 'node:http'
import { once } from 'node:events'
import t from 'tap'
import Fastify from 'fastify'
import { fileOf, startEdge } from '../helpers/edge.js'
import { freePort } from '../helpers/port.js'
import { addCases } from './cases.js'
import { startStation, without } from './station.js'
import { floods, holds } from './traps.js'

addCases(await startStation(t, 'nginx'))

const ignored = without('proxy_read_timeout', 'proxy_ignore_headers X-Accel-Buffering;\n  proxy_read_timeout')

t.test('with its buffers on it takes all, whether the client reads or not', async t => {
  t.equal(await floods(await startStation(t, 'nginx', ignored)), 'end')
})

t.test('with its buffers on, and compression of streams, it holds them back', async t => {
  const all = file => without('gzip_types ', 'gzip_types text/event-stream ')(ignored(file))
  t.equal(await holds(await startStation(t, 'nginx', all)), true)
})

async function answerOf ({ url }, path, headers, method) {
  const request = http.request(`${url}${path}`, { agent: false, method, headers }).end()
  const [response] = await once(request, 'response')
  const body = (await response.toArray()).join('')
  return { status: response.statusCode, type: response.headers['content-type'], cache: response.headers['cache-control'], body }
}

const EVENTS = 'text/event-stream'
// As the extension of htmx 4 has it, for all of its requests.
const HTMX4 = 'text/html, text/event-stream'
const isBusy = ({ status, type, cache, body }) =>
  status === 200 && type === EVENTS && cache === 'no-cache' && /^event: chirp:busy\nretry: (?:[2468]|10)000\ndata: \n\n$/.test(body)

t.test('without an app a stream is told to come back, and all else gets the error', async t => {
  const port = await freePort()
  const edge = await startEdge(t, 'nginx', { 3000: port, 3001: port })
  const retries = new Set()
  for (let n = 0; n < 40; n++) {
    const answer = await answerOf(edge, '/live', { accept: EVENTS })
    t.ok(isBusy(answer), 'is told')
    retries.add(answer.body)
  }
  t.ok(retries.size > 1, 'not all come back at once')
  t.ok(isBusy(await answerOf(edge, '/?lastEventId=1', { accept: HTMX4 })), 'a page with a cursor in the address of its stream')
  t.ok(isBusy(await answerOf(edge, '/live', { accept: HTMX4, 'last-event-id': '1' })), 'a stream that comes back')
  for (const [headers, method] of [[{ accept: HTMX4 }, 'POST'], [{ accept: HTMX4 }], [{ accept: 'text/html,*/*;q=0.8' }], [{}]]) {
    t.match(await answerOf(edge, '/', headers, method), { status: 502, type: 'text/html' })
  }
})

t.test("an app's own 503 is one for pages alone", async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/', (request, reply) => reply.code(503).send('of the app'))
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address()
  const edge = await startEdge(t, 'nginx', { 3000: port, 3001: port })
  t.ok(isBusy(await answerOf(edge, '/', { accept: EVENTS })))
  t.match(await answerOf(edge, '/', {}), { status: 503, body: 'of the app' })

  const passes = await startEdge(t, 'nginx', { 3000: port, 3001: port }, without('proxy_intercept_errors on;')(fileOf('nginx')))
  t.match(await answerOf(passes, '/', { accept: EVENTS }), { status: 503, body: 'of the app' })
})
