// Connections that got one event and wait for the next: what each keeps in memory.
import { BASELINE, CHANNEL, OURS, routeOf, title, titleOfBoth, WITH_GENERATOR, WITH_TIMER } from '../lib/contestants.js'
import { startClient, startServer } from '../lib/processes.js'
import { table, times, whole } from '../lib/report.js'
import { interleave } from '../lib/rounds.js'

const CONNECTIONS = 2_000
const QUICK_CONNECTIONS = 500
const WARM_UP = 50

const heap = ({ heap }) => heap
const rss = ({ rss }) => rss

export async function idle ({ names, rounds, quick, connections = quick ? QUICK_CONNECTIONS : CONNECTIONS }) {
  const notes = []
  const client = await startClient()

  // A new process each time: connections opened later would find memory that
  // earlier ones have left.
  const measure = async (name) => {
    const { server: file, path } = routeOf(name, '/idle')
    const server = await startServer(file)
    try {
      const { port } = server.info
      await client.ask('hold', { port, path, connections: WARM_UP })
      await client.ask('release')
      const before = await server.ask('memory')
      await client.ask('hold', { port, path, connections })
      const after = await server.ask('memory')
      return {
        heap: (after.heapUsed - before.heapUsed) / connections,
        rss: (after.rss - before.rss) / connections
      }
    } finally {
      await client.ask('release')
      await server.stop()
    }
  }
  // A generator that waits weighs about 1.1 kB by itself, so there are two
  // baselines: node:http without one, and node:http sending the very same one.
  // A channel needs none; what it is compared with has heartbeats too.
  const all = names.toSpliced(1, 0, WITH_TIMER, WITH_GENERATOR)
  if (names.includes(OURS)) all.push(CHANNEL)
  const results = await interleave(all, quick ? 1 : rounds, measure, notes)
  await client.stop()

  const peers = names.filter((name) => name !== OURS && name !== BASELINE)
  const toBaseline = results.ratio(OURS, BASELINE, heap)
  const toSame = results.ratio(OURS, WITH_GENERATOR, heap)
  const toTimer = results.ratio(CHANNEL, WITH_TIMER, heap)
  const toBestPeer = Math.max(...peers.map((name) => results.ratio(OURS, name, heap)))
  return {
    title: `Idle memory: ${whole(connections)} connections, each with a generator that waits (less is better)`,
    table: table(
      ['', 'heap bytes each', 'to node:http bare', `to ${title(BASELINE)}`, 'RSS bytes each', 'to node:http bare'],
      [...results.keys()].map((name) => [
        titleOfBoth(name),
        whole(results.typical(name, heap)),
        times(results.ratio(name, BASELINE, heap)),
        times(results.ratio(name, WITH_GENERATOR, heap)),
        whole(results.typical(name, rss)),
        times(results.ratio(name, BASELINE, rss))
      ])
    ),
    notes,
    targets: [
      { text: 'idle heap: at most 1.15x node:http with the same generator', value: toSame, reached: toSame <= 1.15 },
      { text: 'idle heap: at most 1.15x bare node:http, the generator being on our side only', value: toBaseline, reached: toBaseline <= 1.15 },
      { text: 'idle heap of a follower of a channel: at most 1.00x node:http with a timer for heartbeats', value: toTimer, reached: toTimer <= 1 },
      { text: 'idle heap: less than the best peer', value: toBestPeer, reached: toBestPeer < 1 }
    ]
  }
}
