// The benchmark suite: fastify-chirp and its peers, in the same run.
//
//   npm run bench                          all of it but fanout, in some minutes
//   npm run bench:fanout                   one event to thousands, in under 8 minutes
//   npm run bench:contracts                what a check of an app costs
//   node bench/run.js stream idle          only these suites
//   node bench/run.js --quick              a look, in half a minute
//   node bench/run.js idle --rounds 9 --connections 5000
//
// Suites: stream, idle, connect, encoding, blocks, and on request fanout, replay, contracts and reads.
// Figures are medians over the rounds, and ratios are paired within a round:
// trust the ratios. Build first (npm run build) when not started through npm.
import os from 'node:os'
import { parseArgs } from 'node:util'
import { stopAll } from './lib/child.js'
import { built, contestants, versions } from './lib/contestants.js'
import { targetLine } from './lib/report.js'
import { blocks } from './suites/blocks.js'
import { connect } from './suites/connect.js'
import { contracts } from './suites/contracts.js'
import { encoding } from './suites/encoding.js'
import { fanout } from './suites/fanout.js'
import { idle } from './suites/idle.js'
import { reads } from './suites/reads.js'
import { replay } from './suites/replay.js'
import { stream } from './suites/stream.js'

const SUITES = { stream, idle, connect, encoding, blocks, fanout, replay, contracts, reads }
// What runs when none is named. fanout takes as long as all of these, the others have no peers.
const USUAL = Object.keys(SUITES).filter((name) => !['fanout', 'replay', 'contracts', 'reads'].includes(name))
const ROUNDS = 5
const QUICK_ROUNDS = 2
// Far above what a run takes: a contestant that hangs must not hang the shell.
const TIME_LIMIT = 15 * 60_000

const { positionals, values } = readArguments()
const unknown = positionals.find((name) => !Object.hasOwn(SUITES, name))
if (unknown !== undefined) give(`There is no suite "${unknown}". There are: ${Object.keys(SUITES).join(', ')}`, 1)

process.on('exit', stopAll)
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))
setTimeout(() => give('The time is up', 1), TIME_LIMIT).unref()

const options = {
  names: contestants,
  quick: values.quick,
  rounds: count('rounds') ?? (values.quick ? QUICK_ROUNDS : ROUNDS),
  connections: count('connections')
}

const cpus = os.cpus()
console.log(`# Benchmarks, ${new Date().toISOString().slice(0, 10)}

Node.js ${process.version} on ${os.type()} ${os.arch()}, ${cpus.length} x ${cpus[0].model.trim()}; medians of ${options.rounds} rounds.
Peers: ${versions().join(', ')}.`)
if (!built) console.log('\nfastify-chirp is left out: there is no dist/index.js. Run npm run build first.')

const targets = []
for (const name of positionals.length > 0 ? positionals : USUAL) {
  const result = await SUITES[name](options)
  console.log(`\n## ${result.title}\n\n${result.table}`)
  for (const note of result.notes) console.log(`\n${note}`)
  targets.push(...result.targets)
}
console.log(`\n## Targets\n\n${targets.map(targetLine).join('\n')}`)

function readArguments () {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        rounds: { type: 'string' },
        connections: { type: 'string' },
        quick: { type: 'boolean', default: false }
      }
    })
  } catch (error) {
    give(error.message, 1)
  }
}

function count (option) {
  if (values[option] === undefined) return undefined
  const number = Number(values[option])
  if (!Number.isInteger(number) || number < 1) give(`--${option} takes a whole number above 0`, 1)
  return number
}

function give (message, code) {
  console.error(message)
  process.exit(code)
}
