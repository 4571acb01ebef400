// lighttpd, with docs/examples/proxies/lighttpd.conf.
import t from 'tap'
import { addCases } from './cases.js'
import { startStation, without } from './station.js'
import { floods, holds } from './traps.js'

addCases(await startStation(t, 'lighttpd'), { protocols: ['HTTP/1.1'], compresses: false, cuts: false, notices: false })

t.test('as it is by default a stream is held back until it ends', async t => {
  t.equal(await holds(await startStation(t, 'lighttpd', without('server.stream-response-body = 2'))), true)
})

t.test('with stream-response-body = 1 it takes all, whether the client reads or not', async t => {
  t.equal(await floods(await startStation(t, 'lighttpd', without('stream-response-body = 2', 'stream-response-body = 1'))), 'end')
})
