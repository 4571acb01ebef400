// Clients that come back at once, each with events that it has missed: how long that holds up the event loop.
import { OURS } from '../lib/contestants.js'
import { startClient, startServer } from '../lib/processes.js'
import { table, tenths, times, whole } from '../lib/report.js'
import { interleave } from '../lib/rounds.js'

const GENERATOR = 'generator'
const CHANNEL = 'channel'

// All at once: no client waits for another one.
const CASES = [
  { connections: 100, events: 9_999 },
  { connections: 5_000, events: 20 }
]
const QUICK = [{ connections: 50, events: 2_000 }, { connections: 500, events: 20 }]

const stall = ({ stall }) => stall
const perCpuSecond = ({ connections, events, cpu }) => connections * events / cpu

export async function replay ({ names, rounds, quick }) {
  const notes = []
  const rows = []
  const targets = []
  for (const { connections, events } of names.includes(OURS) ? (quick ? QUICK : CASES) : []) {
    const client = await startClient()
    const measure = async (name) => {
      // A new process each time: streams that have closed leave garbage, whose collection is a stall too.
      const server = await startServer(OURS)
      try {
        const cursor = await server.ask('cursorBefore', { events })
        const path = name === CHANNEL ? `/replay?lastEventId=${encodeURIComponent(cursor)}` : `/replay/generator?n=${events}`
        const { port } = server.info
        // So that the code is compiled.
        await client.ask('hold', { port, path, connections: 20, events })
        await client.ask('release')
        await server.ask('begin')
        const { seconds } = await client.ask('hold', { port, path, connections, events, parallel: connections })
        return { connections, events, seconds, ...await server.ask('end') }
      } finally {
        await client.ask('release')
        await server.stop()
      }
    }
    const results = await interleave([GENERATOR, CHANNEL], rounds, measure, notes)
    await client.stop()
    for (const name of results.keys()) {
      rows.push([
        `${whole(connections)} clients, ${whole(events)} events each: ${name}`,
        tenths(results.typical(name, stall)),
        whole(results.typical(name, perCpuSecond)),
        tenths(results.typical(name, ({ seconds }) => seconds))
      ])
    }
    const value = results.ratio(CHANNEL, GENERATOR, stall)
    targets.push({ text: `${whole(connections)} clients with a replay of ${whole(events)}: the longest stall at most that of a generator`, value, reached: value <= 1, format: times })
  }
  return {
    title: 'Clients that come back at once: a replay against a generator of the same events',
    table: table(['', 'longest stall, ms', 'events per CPU second', 'seconds until all have all'], rows),
    notes,
    targets
  }
}
