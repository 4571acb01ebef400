// The app's own metrics, as any backend for OpenTelemetry would get them: read
// while someone looks at them, once for all tabs.
import { setTimeout } from 'node:timers/promises'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { Fragment } from 'fastify-chirp'
import { instrument } from 'fastify-chirp/otel'

export class Metrics {
  channel
  #reader = new Reader()

  constructor (app, { interval }) {
    const meterProvider = new MeterProvider({ readers: [this.#reader] })
    instrument(app, { meterProvider, tracerProvider: false })
    app.addHook('onClose', () => meterProvider.shutdown())
    this.channel = app.channel('metrics', { latest: true, source: ({ signal }) => this.#tables(interval, signal) })
  }

  /** What the block `metrics` needs. */
  async context () {
    const { resourceMetrics } = await this.#reader.collect()
    const metrics = resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)
    return { metrics: metrics.map(({ descriptor, dataPoints }) => ({ ...descriptor, points: dataPoints.map(describe) })) }
  }

  async * #tables (interval, signal) {
    for (;;) {
      yield new Fragment('metrics.html', 'metrics', await this.context(), { target: 'metrics' })
      await setTimeout(interval, undefined, { signal })
    }
  }
}

/** Exports nothing by itself: it is asked. */
class Reader extends MetricReader {
  async onForceFlush () {}

  async onShutdown () {}
}

// A histogram has a count and a sum; all else is a number.
function describe ({ attributes, value }) {
  const isNumber = typeof value === 'number'
  const mean = isNumber || value.count === 0 ? undefined : value.sum / value.count
  return {
    of: Object.values(attributes).join(', '),
    count: isNumber ? value : value.count,
    mean: mean === undefined ? '' : `${(mean * 1000).toFixed(2)} ms on average`
  }
}
