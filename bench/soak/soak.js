// A server under all that happens to it in production, for as long as one likes, and what must be true of it all the while.
import { setTimeout as sleep } from 'node:timers/promises'
import { RedisServer } from '../../test/helpers/redis.js'
import { start } from '../lib/child.js'

// What the heap may grow by from one quiet moment to the next: code that is compiled late, and caches that fill.
const GROWTH = 1.1
const SLACK = 3e6
// Of the whole time, before the first look at the memory.
const WARM_UP = 0.25

/**
 * Runs it. Gives `faults`, which are sentences, and the figures.
 *
 * @param seconds How long clients come and go.
 * @param streams How many there are.
 * @param engine 'redis', which is restarted `restarts` times, or 'memory'.
 * @param rate Publications a second of each kind.
 * @param delay Milliseconds that 99 of 100 turns of the server's loop may be late; 0: not looked at.
 */
export async function soak ({ seconds, streams, engine = 'redis', restarts = 2, rate = 10, delay = 0, seed = Date.now(), patience = 30_000, log = () => {} }) {
  const redis = engine === 'redis' ? new RedisServer(['--appendonly', 'yes', '--appendfsync', 'always', '--maxmemory-policy', 'noeviction']) : undefined
  const faults = []
  const children = []
  try {
    await redis?.start()
    if (redis === undefined) delete process.env.SOAK_REDIS
    else process.env.SOAK_REDIS = redis.url
    const [server, crowd] = await Promise.all(['server', 'crowd'].map((name) => start(`soak/${name}.js`)))
    children.push(server, crowd)
    await server.ask('fill')
    await crowd.ask('come', { port: server.info.port, streams, seed })

    const run = async (milliseconds, breaks) => {
      await server.ask('publish', { rate })
      await crowd.ask('stir')
      for (let n = 0; n < breaks; n++) {
        await sleep(milliseconds / (breaks + 1))
        await redis.restart()
        log('Redis was ended and started again')
      }
      await sleep(milliseconds / (breaks + 1))
      const newest = await server.ask('pause')
      const { missing, some } = await crowd.ask('settle', { newest, patience })
      if (missing > 0) faults.push(`${missing} times a client has not come to the newest: ${some.join('; ')}`)
      const { heapUsed, rss } = await server.ask('memory')
      log(`heap ${(heapUsed / 1e6).toFixed(1)} MB, RSS ${(rss / 1e6).toFixed(0)} MB`)
      return heapUsed
    }

    const early = await run(seconds * 1000 * WARM_UP, 0)
    const late = await run(seconds * 1000 * (1 - WARM_UP), redis === undefined ? 0 : restarts)
    if (late > early * GROWTH + SLACK) faults.push(`the heap has grown from ${early} to ${late} bytes`)

    const seen = await crowd.ask('figures')
    const own = await server.ask('figures')
    if (seen.faults > 0) faults.push(`${seen.faults} events were wrong: ${seen.some.join('; ')}`)
    for (const failure of own.failures) faults.push(`a publication failed: ${failure}`)
    if (own.open !== streams) faults.push(`${own.open} streams are open, of ${streams} clients`)
    if (delay > 0 && own.delay.p99 > delay) faults.push(`the event loop was late by ${own.delay.p99} ms (p99)`)
    // An outage is told once; what else is an error is one.
    const unexpected = own.errors.filter((text) => redis === undefined || !/engine|Redis/i.test(text))
    if (unexpected.length > 0) faults.push(`the log has errors: ${unexpected.slice(0, 5).join('; ')}`)
    return { faults, seed, figures: { ...own, ...seen, early, late } }
  } finally {
    await Promise.all(children.map((child) => child.stop()))
    await redis?.end()
  }
}
