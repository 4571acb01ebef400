// haproxy, with docs/examples/proxies/haproxy.cfg.
import t from 'tap'
import { addCases } from './cases.js'
import { open } from './client.js'
import { startStation, without } from './station.js'

addCases(await startStation(t, 'haproxy'))

t.test('without http-no-delay each event waits', async t => {
  const shortest = async change => {
    const station = await startStation(t, 'haproxy', change)
    const stream = await open(station, 'HTTP/1.1', '/live')
    await stream.next()
    let shortest = Infinity
    for (let n = 0; n < 5; n++) {
      const start = performance.now()
      await station.publish(String(n))
      await stream.next()
      shortest = Math.min(shortest, performance.now() - start)
    }
    stream.close()
    return shortest
  }
  const usual = await shortest()
  const late = await shortest(without('option http-no-delay '))
  // The best of five of each: a busy machine makes both longer.
  t.ok(late > 100 && late > usual, `${late} ms, and ${usual} ms with it`)
})
