// From readings to what the template prints. The template only prints.
import os from 'node:os'
import { bytes, clock, seconds } from '../format.js'
import { rules, topOf, trace } from './chart.js'

/** Milliseconds that the chart shows. */
export const WINDOW = 120000

const CORES = os.cpus().length

/** Needs at least one sample. */
export function describeMachine (samples, counters) {
  const last = samples.at(-1)
  return {
    at: clock(last.at),
    rules: rules(last.at, WINDOW),
    lanes: [
      lane(samples, { id: 'cpu', name: 'Processors', note: `all ${CORES} of the machine`, unit: '%', top: 100, digits: 0, read: sample => sample.cpu }),
      lane(samples, { id: 'heap', name: 'Heap', note: `${bytes(last.rss)} resident`, unit: 'MB', least: 10, digits: 1, read: sample => sample.heap / 1e6 }),
      lane(samples, { id: 'loop', name: 'Event loop', note: 'late at worst', unit: 'ms', least: 10, digits: 1, read: sample => sample.loopDelay })
    ],
    facts: [
      { name: 'Streams open', value: counters.open },
      { name: 'Events sent', value: counters.events },
      { name: 'Bytes sent', value: bytes(counters.bytes) },
      { name: 'Failed', value: counters.errors, isBad: counters.errors > 0 },
      { name: 'Memory taken', value: `${Math.round(last.memory)} %` },
      { name: 'Up for', value: seconds(process.uptime()) }
    ]
  }
}

function lane (samples, { id, name, note, unit, digits, least, read, top }) {
  const points = samples.map(sample => ({ at: sample.at, value: read(sample) }))
  const scale = top ?? topOf(points.map(point => point.value), least)
  return {
    id,
    name,
    note,
    unit,
    value: points.at(-1).value.toFixed(digits),
    top: scale,
    ...trace(points, { window: WINDOW, top: scale })
  }
}
