// What one process and one Redis carry: channels of several processes over the Redis engine.
//
//   npm run bench:redis                    in about two minutes
//   npm run bench:redis -- --quick         a look, in half a minute
//   node bench/redis.js latency topics     only these parts, of latency, throughput, fanout, topics
//
// It starts a redis-server of its own. All of it shares this machine: Redis, two processes, and their clients.
// Trust the ratios, which are paired within a round. Build first when not started through npm.
import os from 'node:os'
import { parseArgs } from 'node:util'
import { RedisServer } from '../test/helpers/redis.js'
import { start, stopAll } from './lib/child.js'
import { percentile } from './lib/latency.js'
import { startHolder } from './lib/processes.js'
import { hundredths, table, targetLine, tenths, times, whole } from './lib/report.js'
import { interleave } from './lib/rounds.js'

const { values: { quick }, positionals } = parseArgs({ options: { quick: { type: 'boolean', default: false } }, allowPositionals: true })

const TOPICS = quick ? [1, 100] : [1, 100, 5_000]
const RATE = 1_000
const SECONDS = quick ? 2 : 5
const STREAMS = quick ? 300 : 1_000
const ROUNDS = quick ? 2 : 7
const TURN = quick ? 300 : 1_000
const FOLLOWED = quick ? 2_000 : 20_000
const IDLE = quick ? 1_000 : 10_000
const MEMORY = 'memory engine'
const REDIS = 'Redis engine'
const BY_HAND = 'Pub/Sub by hand, @fastify/sse'

const redis = new RedisServer([])
const targets = []
const notes = []
process.on('exit', stopAll)
for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => redis.end().then(() => process.exit(1)))

await redis.start()
const admin = redis.client()
try {
  const version = /redis_version:(\S+)/.exec(await admin.info('server'))[1]
  const cpus = os.cpus()
  console.log(`# Redis engine, ${new Date().toISOString().slice(0, 10)}

Node.js ${process.version}, Redis ${version}, ${cpus.length} x ${cpus[0].model.trim()}; load ${os.loadavg()[0].toFixed(1)} at the start.`)
  const parts = { latency, throughput, fanout, topics }
  for (const part of positionals.length > 0 ? positionals : Object.keys(parts)) console.log(`\n${await parts[part]()}`)
  for (const note of notes) console.log(`\n${note}`)
  console.log(`\n## Targets\n\n${targets.map(targetLine).join('\n')}`)
} finally {
  stopAll()
  await redis.end()
}
process.exit()

/** A process of ours, on Redis or on its own. */
async function startProcess (engine, file = 'servers/redis.js') {
  if (engine === MEMORY) delete process.env.BENCH_REDIS
  else process.env.BENCH_REDIS = redis.url
  return start(file)
}

/** Seconds of CPU that Redis has used. */
async function redisCpu () {
  const info = await admin.info('cpu')
  return ['user', 'sys'].reduce((sum, part) => sum + Number(new RegExp(`used_cpu_${part}:([\\d.]+)`).exec(info)[1]), 0)
}

/** From publish() in one process to a socket of the other's. */
async function latency () {
  const rows = []
  for (const count of TOPICS) {
    await admin.flushall()
    const [here, there, client] = await Promise.all([startProcess(REDIS), startProcess(REDIS), start('client/latency.js')])
    await client.ask('hold', { port: there.info.port, topics: count })
    // Warms up.
    await client.ask('take', { count: await here.ask('publishAt', { rate: RATE, seconds: 1, topics: count }) })
    const cpu = await redisCpu()
    await Promise.all([here, there].map((process) => process.ask('begin')))
    const published = await here.ask('publishAt', { rate: RATE, seconds: SECONDS, topics: count })
    const latencies = await client.ask('take', { count: published })
    const [publisher, server] = await Promise.all([here, there].map((process) => process.ask('end')))
    const share = (used) => `${tenths(used / SECONDS * 100)} %`
    const [p50, p99] = [50, 99].map((percent) => percentile(latencies, percent))
    const lost = RATE * SECONDS - latencies.length
    rows.push([whole(count), hundredths(p50), hundredths(p99), whole(lost), share(await redisCpu() - cpu), share(publisher.cpu), share(server.cpu)])
    targets.push({ text: `${whole(count)} topics: p99 under 10 ms`, value: p99, reached: p99 < 10, format: hundredths },
      { text: `${whole(count)} topics: nothing lost`, value: lost, reached: lost === 0, format: whole })
    await Promise.all([here, there, client].map((child) => child.stop()))
  }
  return `## Publish to socket, over two processes, ${whole(RATE)} events a second\n\n` +
    table(['followed topics', 'p50 (ms)', 'p99 (ms)', 'lost', 'CPU of Redis', 'CPU of the publisher', 'CPU of the other'], rows)
}

async function throughput () {
  const rows = []
  for (const atOnce of [1, 100]) {
    const child = await startProcess(REDIS)
    await child.ask('flood', { seconds: 0.5, atOnce })
    const cpu = await redisCpu()
    const rate = await child.ask('flood', { seconds: SECONDS / 2, atOnce })
    const used = await redisCpu() - cpu
    rows.push([whole(atOnce), whole(rate), `${tenths(used / SECONDS * 200)} %`, hundredths(used / (rate * SECONDS / 2) * 1e6)])
    await child.stop()
  }
  return `## Publishes of one process, awaited\n\n${table(['at once', 'a second', 'CPU of Redis', 'µs of Redis for each'], rows)}`
}

async function fanout () {
  const contestants = new Map()
  for (const [name, file] of [[MEMORY], [REDIS], [BY_HAND, 'servers/redis-by-hand.js']]) {
    const processes = [await startProcess(name, file), await startProcess(name, file)]
    const clients = await Promise.all(processes.map(startHolder))
    await Promise.all(clients.map((client, n) => client.ask('hold', { port: processes[n].info.port, path: '/fan', connections: STREAMS })))
    // Without an engine each process publishes for itself.
    contestants.set(name, { processes, clients, publishers: name === MEMORY ? processes : processes.slice(0, 1), total: 0 })
  }
  // One at a time: what is published faster arrives together, and is written together.
  const deliver = async (contestant) => {
    contestant.total += STREAMS
    await Promise.all([
      ...contestant.clients.map((client) => client.ask('until', { total: contestant.total })),
      ...contestant.publishers.map((process) => process.ask('publish', { kind: 'json', ticks: 1, perTick: 1 }))
    ])
    return STREAMS * contestant.clients.length
  }
  const turn = async (name) => {
    const contestant = contestants.get(name)
    await deliver(contestant)
    await Promise.all(contestant.processes.map((process) => process.ask('begin')))
    let deliveries = 0
    const from = performance.now()
    while (performance.now() - from < TURN) deliveries += await deliver(contestant)
    const used = await Promise.all(contestant.processes.map((process) => process.ask('end')))
    return { deliveries, cpu: used.reduce((sum, { cpu }) => sum + cpu, 0) }
  }
  await interleave([...contestants.keys()], 1, turn, notes)
  const results = await interleave([...contestants.keys()], ROUNDS, turn, notes)
  for (const { processes, clients } of contestants.values()) await Promise.all([...processes, ...clients].map((child) => child.stop()))
  const perCpuSecond = ({ deliveries, cpu }) => deliveries / cpu
  const rows = [...results.keys()].map((name) => [name, whole(results.typical(name, perCpuSecond)), times(results.ratio(name, MEMORY, perCpuSecond))])
  const value = results.ratio(REDIS, MEMORY, perCpuSecond)
  targets.push({ text: 'fan-out: at least 0.9x the deliveries per CPU second of the memory engine', value, reached: value >= 0.9 })
  return `## Fan-out to 2 x ${whole(STREAMS)} streams, one event of 200 bytes at a time\n\n` +
    table(['', 'deliveries per second of CPU', `to the ${MEMORY}`], rows)
}

async function topics () {
  await admin.flushall()
  const usedMemory = async () => Number(/used_memory:(\d+)/.exec(await admin.info('memory'))[1])
  const [here, there] = await Promise.all([startProcess(REDIS), startProcess(REDIS)])
  await here.ask('fill', { topics: 1 })
  const before = await usedMemory()
  await here.ask('fill', { topics: IDLE })
  const inRedis = (await usedMemory() - before) / IDLE
  const { heapUsed } = await there.ask('memory')
  const seconds = await there.ask('follow', { topics: FOLLOWED })
  const followed = await there.ask('memory')
  await here.ask('publishAt', { rate: RATE, seconds: 1, topics: FOLLOWED })
  await there.ask('heard')
  await there.ask('begin')
  const published = await here.ask('publishAt', { rate: RATE, seconds: SECONDS, topics: FOLLOWED })
  const { cpu } = await there.ask('end')
  const heard = await there.ask('heard')
  const p99 = percentile(heard, 99)
  targets.push({ text: `${whole(FOLLOWED)} topics in one process: p99 under 10 ms`, value: p99, reached: p99 < 10, format: hundredths })
  await Promise.all([here, there].map((child) => child.stop()))
  return `## Topics\n\n${table(['', 'figure'], [
    ['an idle topic with one event of 200 bytes, in Redis', `${whole(inRedis)} bytes`],
    ['a followed topic, without its stream, in a process', `${whole((followed.heapUsed - heapUsed) / FOLLOWED)} bytes`],
    [`until ${whole(FOLLOWED)} topics are followed`, `${tenths(seconds)} s`],
    [`publish to outlet, ${whole(FOLLOWED)} followed topics, ${whole(RATE)} events a second, p50`, `${hundredths(percentile(heard, 50))} ms`],
    ['the same, p99', `${hundredths(p99)} ms`],
    ['the same, CPU of the process', `${tenths(cpu / SECONDS * 100)} %`],
    ['the same, not heard', whole(published - heard.length)]
  ])}`
}
