// What telemetry costs: one event to 1,000 followers of a channel, with nobody who listens, and with metrics and spans of
// fastify-chirp/otel. CPU time in one process, without sockets: node bench/otel.js
import Fastify from 'fastify'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base'
import chirp, { kAttach } from 'fastify-chirp'
import { instrument } from 'fastify-chirp/otel'
import { htmx2 } from '../dist/dialects/htmx2.js'

const FOLLOWERS = 1000
const EVENTS = 3000

async function measure (isInstrumented) {
  const app = Fastify()
  await app.register(chirp)
  await app.ready()
  if (isInstrumented) instrument(app, { meterProvider: new MeterProvider(), tracerProvider: new BasicTracerProvider() })
  const news = app.channel('news', { history: 10 })
  const outlet = { dialect: htmx2, isBlocked: false, send () {}, share () {}, flush () {}, ended () {}, failed () {} }
  for (let n = 0; n < FOLLOWERS; n++) news[kAttach](outlet, '')
  const run = async () => {
    const before = process.cpuUsage()
    for (let n = 0; n < EVENTS; n++) {
      await news.publish('x')
      await new Promise(setImmediate)
    }
    const { user, system } = process.cpuUsage(before)
    return (user + system) / EVENTS
  }
  await run()
  const times = []
  for (let n = 0; n < 5; n++) times.push(await run())
  await app.close()
  return times.sort((a, b) => a - b)[2]
}

for (const [name, isInstrumented] of [['nobody listens', false], ['instrumented', true], ['nobody listens any more', false]]) {
  console.log(`${name}: ${(await measure(isInstrumented)).toFixed(1)} us an event for ${FOLLOWERS} followers`)
}
