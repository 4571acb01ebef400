// Apache, with docs/examples/proxies/apache.conf.
import t from 'tap'
import { quiet } from '../helpers/app.js'
import { addCases } from './cases.js'
import { open } from './client.js'
import { startStation } from './station.js'

addCases(await startStation(t, 'apache'), { notices: false })

t.test('each stream occupies a thread, and what finds none waits', async t => {
  const station = await startStation(t, 'apache', file => `${file}\nServerLimit 1\nThreadsPerChild 3\nMaxRequestWorkers 3\n`)
  const streams = []
  for (let n = 0; n < 3; n++) streams.push(await open(station, 'HTTP/1.1', '/live'))
  const last = open(station, 'HTTP/1.1', '/live')
  t.equal(await Promise.race([last, quiet(500).then(() => 'nothing')]), 'nothing')
  streams[0].close()
  t.equal((await last).status, 200)
  for (const { close } of [...streams, await last]) close()
})
