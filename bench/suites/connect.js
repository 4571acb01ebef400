// A new connection for every event: what it costs to open a stream.
import { BASELINE, OURS, title } from '../lib/contestants.js'
import { withServers } from '../lib/processes.js'
import { table, tenths, times, whole } from '../lib/report.js'
import { interleave } from '../lib/rounds.js'

const CONNECTIONS = 3_000
const QUICK_CONNECTIONS = 500
const PARALLEL = 50

const perCpuSecond = ({ connections, cpu }) => connections / cpu
const perSecond = ({ connections, seconds }) => connections / seconds

export async function connect ({ names, rounds, quick }) {
  const connections = quick ? QUICK_CONNECTIONS : CONNECTIONS
  const notes = []
  const results = await withServers(names, async (servers, client) => {
    const measure = async (name) => {
      const server = servers.get(name)
      await server.ask('begin')
      const received = await client.ask('connect', { port: server.info.port, connections, parallel: PARALLEL })
      return { connections, ...received, ...await server.ask('end') }
    }
    await interleave(names, 1, measure) // warms up
    return interleave(names, rounds, measure, notes)
  })

  const value = results.ratio(OURS, BASELINE, perCpuSecond)
  return {
    title: `Connect to first event: ${whole(connections)} connections, ${PARALLEL} at a time`,
    table: table(
      ['', 'connects per CPU second', `to ${title(BASELINE)}`, 'connects/s', `to ${title(BASELINE)}`, 'first event after, ms'],
      [...results.keys()].map((name) => [
        title(name),
        whole(results.typical(name, perCpuSecond)),
        times(results.ratio(name, BASELINE, perCpuSecond)),
        whole(results.typical(name, perSecond)),
        times(results.ratio(name, BASELINE, perSecond)),
        tenths(results.typical(name, ({ wait }) => wait))
      ])
    ),
    notes,
    targets: [{ text: `connect to first event, per CPU second: at least 0.90x ${title(BASELINE)}`, value, reached: value >= 0.9 }]
  }
}
