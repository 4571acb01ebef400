// One stream of many small events that are ready at once: what an event costs.
import { BASELINE, OURS, PEER, title } from '../lib/contestants.js'
import { withServers } from '../lib/processes.js'
import { table, times, whole } from '../lib/report.js'
import { interleave } from '../lib/rounds.js'

const EVENTS = 200_000
const QUICK_EVENTS = 30_000

const perCpuSecond = ({ events, cpu }) => events / cpu

export async function stream ({ names, rounds, quick }) {
  const events = quick ? QUICK_EVENTS : EVENTS
  const notes = []
  const results = await withServers(names, async (servers, client) => {
    const measure = async (name) => {
      const server = servers.get(name)
      await server.ask('begin')
      const received = await client.ask('stream', { port: server.info.port, n: events })
      return { events, ...received, ...await server.ask('end') }
    }
    await interleave(names, 1, measure) // warms up
    return interleave(names, rounds, measure, notes)
  })

  return {
    title: `Single stream: ${whole(events)} small events`,
    table: table(
      ['', 'events per CPU second', `to ${title(BASELINE)}`, `to ${title(PEER)}`, 'events/s', 'bytes/event', 'longest stall, ms'],
      [...results.keys()].map((name) => [
        title(name),
        whole(results.typical(name, perCpuSecond)),
        times(results.ratio(name, BASELINE, perCpuSecond)),
        times(results.ratio(name, PEER, perCpuSecond)),
        whole(results.typical(name, ({ seconds }) => events / seconds)),
        whole(results.typical(name, ({ bytes }) => bytes / events)),
        whole(results.typical(name, ({ stall }) => stall))
      ])
    ),
    notes,
    targets: [[PEER, 2.5], [BASELINE, 2]].map(([base, wanted]) => {
      const value = results.ratio(OURS, base, perCpuSecond)
      return { text: `single stream, events per CPU second: at least ${wanted}x ${title(base)}`, value, reached: value >= wanted }
    })
  }
}
