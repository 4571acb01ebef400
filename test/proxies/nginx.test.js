// nginx, with docs/examples/proxies/nginx.conf.
import t from 'tap'
import { addCases } from './cases.js'
import { floods } from './flood.js'
import { startStation, without } from './station.js'

addCases(await startStation(t, 'nginx'))

t.test('with its buffers on it takes all, whether the client reads or not', async t => {
  const change = without('proxy_read_timeout', 'proxy_ignore_headers X-Accel-Buffering;\n  proxy_read_timeout')
  t.equal(await floods(await startStation(t, 'nginx', change)), 'end')
})
