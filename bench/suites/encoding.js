// Text to the bytes of one event. Every result is turned into a Buffer: a
// string that was only concatenated has not been paid for yet.
import { createEventBuffer } from 'better-sse'
import { serializeSSEEvent } from 'fastify-sse-v2/lib/sse.js'
import { OURS, ours, title } from '../lib/contestants.js'
import { table, times, whole } from '../lib/report.js'
import { interleave } from '../lib/rounds.js'
import { timeCalls } from '../lib/timing.js'

const lines = (count, length) => Array.from({ length: count }, (_, i) => `${i} `.padEnd(length, 'lorem ipsum ')).join('\n')

const TEXTS = {
  '205 B, 1 line': lines(1, 205),
  '2 kB, 30 lines': lines(30, 67),
  '64 kB, 800 lines': lines(800, 80)
}

const BASE = 'split(regex), map, join'

const buffer = createEventBuffer()

const PEERS = {
  // As hono does it.
  [BASE]: (text) => `${text.split(/\r\n|\r|\n/).map((line) => `data: ${line}`).join('\n')}\n\n`,
  // It does not export its encoder. A CR gets through it.
  'as in @fastify/sse': (text) => {
    let payload = ''
    for (const line of text.split('\n')) payload += `data: ${line}\n`
    return `${payload}\n`
  },
  // The same way, with more fields to look for.
  'fastify-sse-v2': (text) => serializeSSEEvent({ data: text }),
  // It sends text as JSON, because it gives only the first line a field name.
  'better-sse, as JSON': (text) => buffer.clear().data(text).dispatch().read()
}

export async function encoding ({ rounds, quick }) {
  const encoders = { ...PEERS }
  const frame = await ours('sse/frame.js')
  if (frame !== undefined) encoders[title(OURS)] = frame.encodeData

  const ms = quick ? 10 : 60
  const measure = (name) => Object.values(TEXTS).map((text) => timeCalls(() => Buffer.from(encoders[name](text)).length, ms))
  await interleave(Object.keys(encoders), 1, measure) // warms up
  const results = await interleave(Object.keys(encoders), rounds, measure)

  const sizes = Object.keys(TEXTS)
  return {
    title: 'Encoding one event to a Buffer: ns, and the time to the first row (less is better)',
    table: table(
      ['', ...sizes.flatMap((size) => [size, 'time'])],
      [...results.keys()].map((name) => [name, ...sizes.flatMap((_, i) => [
        whole(results.typical(name, (round) => round[i])),
        times(results.ratio(name, BASE, (round) => round[i]))
      ])])
    ),
    notes: [],
    targets: []
  }
}
