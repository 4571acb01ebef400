// A new connection for every event: what it costs to open a stream.
import { BASELINE, BY_HAND, LIVE, OURS, routeOf, title, titleOfBoth, WITH_GENERATOR } from '../lib/contestants.js'
import { withServers } from '../lib/processes.js'
import { table, tenths, times, whole } from '../lib/report.js'
import { interleave } from '../lib/rounds.js'

const CONNECTIONS = 3_000
const QUICK_CONNECTIONS = 500
const PARALLEL = 50
const WANTED = 0.9

const perCpuSecond = ({ connections, cpu }) => connections / cpu
const perSecond = ({ connections, seconds }) => connections / seconds

export async function connect ({ names, rounds, quick }) {
  const connections = quick ? QUICK_CONNECTIONS : CONNECTIONS
  const notes = []
  const results = await withServers(names, async (servers, client) => {
    const measure = async (name) => {
      const route = routeOf(name, '/first')
      const server = servers.get(route.server)
      await server.ask('begin', { collect: false })
      const received = await client.ask('connect', { port: server.info.port, path: route.path, connections, parallel: PARALLEL })
      return { connections, ...received, ...await server.ask('end') }
    }
    // As in the idle suite: a generator has its price, so there are two baselines.
    const both = names.toSpliced(1, 0, WITH_GENERATOR)
    if (names.includes(OURS)) both.push(BY_HAND, LIVE)
    // Opening a connection touches much code, and it takes some thousands until all of it is compiled.
    await interleave(both, 3, measure)
    return interleave(both, rounds, measure, notes)
  })

  const target = (base, which, ours = OURS, what = 'connect to first event') => {
    const value = results.ratio(ours, base, perCpuSecond)
    return { text: `${what}, per CPU second: at least ${WANTED.toFixed(2)}x ${which}`, value, reached: value >= WANTED }
  }
  return {
    title: `Connect to first event: ${whole(connections)} connections, ${PARALLEL} at a time`,
    table: table(
      ['', 'connects per CPU second', 'to node:http bare', `to ${title(BASELINE)}`, 'connects/s', 'to node:http bare', 'first event after, ms'],
      [...results.keys()].map((name) => [
        titleOfBoth(name),
        whole(results.typical(name, perCpuSecond)),
        times(results.ratio(name, BASELINE, perCpuSecond)),
        times(results.ratio(name, WITH_GENERATOR, perCpuSecond)),
        whole(results.typical(name, perSecond)),
        times(results.ratio(name, BASELINE, perSecond)),
        tenths(results.typical(name, ({ wait }) => wait))
      ])
    ),
    notes,
    targets: [
      target(WITH_GENERATOR, 'node:http with the same generator'),
      target(BASELINE, 'bare node:http, the generator being on our side only'),
      target(BY_HAND, 'the same feed by reply.eventStream()', LIVE, 'a live page\'s stream')
    ]
  }
}
