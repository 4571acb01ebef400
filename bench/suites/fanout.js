// One event to thousands of connections: what a delivery costs the server.
//
// Every contestant has a server and a client, each a process. The connections
// stay open, and the contestants take turns of half a second. The clients
// share the machine with the servers, so deliveries per second show what both
// can do together. The server's CPU time has no such flaw: the targets are on it.
import { BASELINE, OURS, PEER, title } from '../lib/contestants.js'
import { startHolder, startServer } from '../lib/processes.js'
import { hundredths, table, times, whole } from '../lib/report.js'
import { interleave } from '../lib/rounds.js'

const CONNECTIONS = [1_000, 5_000]
const QUICK_CONNECTIONS = 300
// Files that a process needs besides its connections.
const SPARE_FILES = 100

const TURN = 500
const QUICK_TURN = 150
// Far above what a run takes on a quiet machine.
const TIME = 7 * 60_000

// Who else is in this suite, next to whom.
const FLOOR = 'tcp'
const BESIDE = { [BASELINE]: [FLOOR], 'better-sse': ['better-sse-batch'] }

// What a case publishes before it waits until the client has counted all of
// it, so that nobody is measured on a backlog of its own.
const MODES = {
  single: { text: 'one event per tick', ticks: 5, perTick: 1 },
  burst: { text: 'ten events in one tick', ticks: 1, perTick: 10 }
}
const KINDS = { json: 'JSON', html: 'HTML' }
const CASES = Object.keys(MODES).flatMap((mode) => Object.keys(KINDS).map((kind) => ({ mode, kind })))

const perCpuSecond = ({ deliveries, cpu }) => deliveries / cpu
const perSecond = ({ deliveries, seconds }) => deliveries / seconds
const microseconds = ({ deliveries, cpu }) => cpu / deliveries * 1e6

export async function fanout ({ names, rounds, quick, connections }) {
  const end = performance.now() + TIME
  const notes = []
  const sizes = affordable(connections ? [connections] : quick ? [QUICK_CONNECTIONS] : CONNECTIONS, notes)
  const everyone = names.flatMap((name) => [name, ...BESIDE[name] ?? []])
  const contestants = await startAll(everyone, notes)

  // Leaves out whoever fails, and lets what it may still do not disturb the others.
  const takeTurns = async (rounds, turn, deadline) => {
    const results = await interleave([...contestants.keys()], rounds, (name) => turn(contestants.get(name)), notes, deadline)
    for (const [name, contestant] of contestants) {
      if (results.has(name)) continue
      await contestant.stop()
      contestants.delete(name)
    }
    return results
  }

  const turn = quick ? QUICK_TURN : TURN
  const parts = sizes.map((size) => ({ size, cases: CASES.map((which) => ({ ...which })) }))
  let left = sizes.length * CASES.length
  for (const { size, cases } of parts) {
    await takeTurns(1, (contestant) => contestant.hold(size))
    if (size === sizes[0]) for (const which of cases) await takeTurns(1, (contestant) => contestant.turn(which, turn)) // warms up
    for (const which of cases) {
      const now = performance.now()
      which.results = await takeTurns(rounds, (contestant) => contestant.turn(which, turn), now + (end - now) / left--)
    }
  }
  const renders = await contestants.get(OURS)?.countRenders() ?? NaN
  await Promise.all([...contestants.values()].map((contestant) => contestant.stop()))

  return {
    title: 'Fan-out: one event to many connections',
    table: parts.flatMap(({ size, cases }) => Object.keys(MODES).map((mode) => tableOf(size, mode, cases))).join('\n\n'),
    notes: [
      `CPU is the server's, in µs for each delivery. Behind it and behind deliveries/s, what comes out in the same time, to ${title(BASELINE)} (more is better).`,
      ...new Set(notes)
    ],
    targets: [
      ...parts.flatMap(targetsOf),
      { text: `one publish of a fragment to ${whole(sizes.at(-1))} streams renders once`, value: renders, reached: renders === 1, format: whole }
    ]
  }
}

// As many connections as a process may open.
function affordable (sizes, notes) {
  process.report.excludeNetwork = true
  const limit = Number(process.report.getReport().userLimits?.open_files.soft)
  const most = limit - SPARE_FILES
  // The limit may also be "unlimited", or not known.
  if (!(Math.max(...sizes) > most)) return sizes
  notes.push(`At most ${whole(most)} connections: a process may open only ${whole(limit)} files here (ulimit -n).`)
  return [...new Set(sizes.map((size) => Math.min(size, most)))]
}

// Those that did start, and a note about each that did not.
async function startAll (names, notes) {
  const contestants = new Map()
  const started = await Promise.allSettled(names.map((name) => startServer(`fan/${name}`)))
  for (const [i, { value, reason }] of started.entries()) {
    if (value !== undefined) contestants.set(names[i], new Contestant(value, await startHolder()))
    else notes.push(`${title(names[i])} was left out: ${reason.message}`)
  }
  return contestants
}

// A server, and the client that holds its connections.
class Contestant {
  #server
  #client
  #connections
  #total = 0

  constructor (server, client) {
    this.#server = server
    this.#client = client
  }

  /** Opens connections until there are so many. */
  async hold (connections) {
    await this.#client.ask('hold', { port: this.#server.info.port, path: '/fan', connections })
    this.#connections = connections
  }

  /** Publishes for about `ms` milliseconds, and gives the figures. */
  async turn ({ mode, kind }, ms) {
    const { ticks, perTick } = MODES[mode]
    await this.#deliver('publish', { kind, ticks: 1, perTick: 1 }) // wakes everything up
    // A collection that is forced throws away what V8 has learnt: it costs most where there is most code, and no server forces one.
    await this.#server.ask('begin', { collect: false })
    let deliveries = 0
    const from = performance.now()
    while (performance.now() - from < ms) deliveries += await this.#deliver('publish', { kind, ticks, perTick })
    const seconds = (performance.now() - from) / 1000
    const { cpu } = await this.#server.ask('end')
    return { deliveries, seconds, cpu }
  }

  /** How often one fragment for all streams is rendered. */
  async countRenders () {
    const before = await this.#server.ask('renders')
    await this.#deliver('publishFragment', { ticks: 1, perTick: 1 })
    return await this.#server.ask('renders') - before
  }

  stop () {
    return Promise.all([this.#server.stop(), this.#client.stop()])
  }

  async #deliver (method, args) {
    const deliveries = this.#connections * args.ticks * args.perTick
    this.#total += deliveries
    await Promise.all([this.#client.ask('until', { total: this.#total }), this.#server.ask(method, args)])
    return deliveries
  }
}

function tableOf (size, mode, cases) {
  const columns = cases.filter((which) => which.mode === mode)
  const names = [...columns[0].results.keys()].filter((name) => columns.every(({ results }) => results.has(name)))
  const base = `to ${title(BASELINE)}`
  const head = ['', ...columns.flatMap(({ kind }) => [`${KINDS[kind]}: CPU`, base, 'deliveries/s', base])]
  const rows = names.map((name) => [title(name), ...columns.flatMap(({ results }) => [
    hundredths(results.typical(name, microseconds)),
    times(results.ratio(name, BASELINE, perCpuSecond)),
    whole(results.typical(name, perSecond)),
    times(results.ratio(name, BASELINE, perSecond))
  ])])
  return `### ${whole(size)} connections, ${MODES[mode].text}\n\n${table(head, rows)}`
}

// The worst case of each target counts.
function targetsOf ({ size, cases }) {
  const isPeer = (name) => ![BASELINE, FLOOR, OURS].includes(name)
  const target = (mode, kinds, isBase, base, wanted) => {
    const ratios = cases.filter((which) => which.mode === mode && kinds.includes(which.kind))
      .flatMap(({ results }) => [...results.keys()].filter(isBase).map((name) => results.ratio(OURS, name, perCpuSecond)))
    const value = ratios.length > 0 ? Math.min(...ratios) : NaN
    const what = kinds.map((kind) => KINDS[kind]).join(' and ')
    return { text: `fan-out to ${whole(size)}, ${MODES[mode].text}, ${what}: at least ${wanted}x ${base}`, value, reached: value >= wanted }
  }
  const both = Object.keys(KINDS)
  const named = (wanted) => (name) => name === wanted
  return [
    target('single', ['json'], named(PEER), title(PEER), 1.5),
    target('single', ['html'], named(PEER), title(PEER), 2),
    target('single', both, isPeer, 'the best peer', 1.25),
    target('single', both, named(BASELINE), title(BASELINE), 1.3),
    target('single', both, named(FLOOR), 'a TCP server', 0.9),
    target('burst', both, named(BASELINE), title(BASELINE), 3),
    target('burst', both, isPeer, 'the best peer', 3)
  ]
}
