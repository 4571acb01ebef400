// Varnish, with docs/examples/proxies/varnish.vcl.
import t from 'tap'
import { addCases } from './cases.js'
import { startStation, without } from './station.js'
import { floods } from './traps.js'

addCases(await startStation(t, 'varnish'), { protocols: ['HTTP/1.1'] })

t.test('without pipe it takes all, whether the client reads or not', async t => {
  t.equal(await floods(await startStation(t, 'varnish', without('return (pipe);'))), 'end')
})
