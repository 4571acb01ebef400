// Caddy, with docs/examples/proxies/Caddyfile.
import t from 'tap'
import { quiet, until } from '../helpers/app.js'
import { addBusyCases } from './busy.js'
import { addCases } from './cases.js'
import { open } from './client.js'
import { startStation, without } from './station.js'

addCases(await startStation(t, 'caddy'), { cuts: false })
addBusyCases('caddy', { status: 502, body: '' })

t.test('with flush_interval -1 the app does not hear of a client that leaves', async t => {
  const station = await startStation(t, 'caddy', without('@away status', 'flush_interval -1\n\t\t@away status'))
  const { close } = await open(station, 'HTTP/1.1', '/silent')
  await until(() => station.app.eventStreams.open === 1)
  close()
  await quiet(500)
  t.equal(station.app.eventStreams.open, 1)
})
