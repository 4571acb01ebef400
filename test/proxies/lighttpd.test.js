// lighttpd, with docs/examples/proxies/lighttpd.conf.
import t from 'tap'
import { addCases } from './cases.js'
import { ask } from './client.js'
import { quiet, until } from '../helpers/app.js'
import { startStation, without } from './station.js'
import { floods } from './flood.js'

addCases(await startStation(t, 'lighttpd'), { protocols: ['HTTP/1.1'], cuts: false })

t.test('as it is by default a stream is held back until it ends', async t => {
  const station = await startStation(t, 'lighttpd', without('server.stream-response-body = 2'))
  const held = ask(station, 'HTTP/1.1', '/held').then(answer => answer.read())
  await until(() => station.held.opened === 1)
  station.held.give('one')
  t.equal(await Promise.race([held, quiet(500).then(() => 'nothing')]), 'nothing')
  station.held.end()
  t.match(String(await held), /data: one/)
})

t.test('with stream-response-body = 1 it takes all, whether the client reads or not', async t => {
  t.equal(await floods(await startStation(t, 'lighttpd', without('stream-response-body = 2', 'stream-response-body = 1'))), 'end')
})
