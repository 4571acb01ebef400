// A long run of a server with many streams:
//
//   npm run soak                           ten minutes, 2,000 streams, over a Redis that is restarted now and then
//   npm run soak -- --minutes 60
//   npm run soak -- --engine memory --streams 500 --seed 7
//
// Exits with 1 when an event was lost, doubled or out of order, when the heap grew, or when the loop was late.
import { parseArgs } from 'node:util'
import { stopAll } from '../lib/child.js'
import { soak } from './soak.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    streams: { type: 'string', default: '2000' },
    engine: { type: 'string', default: 'redis' },
    rate: { type: 'string', default: '5' },
    delay: { type: 'string', default: '250' },
    seed: { type: 'string', default: String(Date.now()) }
  }
})
if (!['redis', 'memory'].includes(values.engine)) {
  console.error(`--engine is redis or memory, not ${values.engine}`)
  process.exit(1)
}
const { minutes, streams, rate, delay, seed } = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, Number(value)]))
for (const [name, value] of Object.entries({ minutes, streams, rate, seed })) {
  if (!(value > 0)) {
    console.error(`--${name} is a number above 0, not ${values[name]}`)
    process.exit(1)
  }
}

process.on('exit', stopAll)
process.on('SIGINT', () => process.exit(130))
process.on('SIGTERM', () => process.exit(143))

const { faults, figures } = await soak({
  seconds: minutes * 60,
  streams,
  rate,
  delay,
  seed,
  engine: values.engine,
  // One for each two minutes.
  restarts: Math.max(1, Math.round(minutes / 2)),
  log: (text) => console.log(`${new Date().toISOString().slice(11, 19)} ${text}`)
})
console.log({ seed, ...figures })
for (const fault of faults) console.error(fault)
console.log(faults.length === 0 ? 'Nothing was lost, nothing came twice, and the heap is flat.' : `${faults.length} faults`)
process.exit(faults.length === 0 ? 0 : 1)
