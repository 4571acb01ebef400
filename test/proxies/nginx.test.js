// nginx, with docs/examples/proxies/nginx.conf.
import t from 'tap'
import { fileOf, startEdge } from '../helpers/edge.js'
import { addBusyCases, answerOf, startUnwilling } from './busy.js'
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

addBusyCases('nginx', { status: 502, type: 'text/html' })

t.test("without proxy_intercept_errors an app's own 503 reaches streams", async t => {
  const port = await startUnwilling(t)
  const edge = await startEdge(t, 'nginx', { 3000: port, 3001: port }, without('proxy_intercept_errors on;')(fileOf('nginx')))
  t.match(await answerOf(edge, '/', { accept: 'text/event-stream' }), { status: 503, body: 'of the app' })
})
