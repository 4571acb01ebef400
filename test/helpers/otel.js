// Providers of the OpenTelemetry SDK that keep what they are given.
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { context } from '@opentelemetry/api'
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base'

/** What instrument() takes, with `metrics()` and `spans()`. */
export function providers (t) {
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  const spanExporter = new InMemorySpanExporter()
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] })
  t.teardown(async () => {
    await meterProvider.shutdown()
    await tracerProvider.shutdown()
  })
  return {
    options: { meterProvider, tracerProvider },
    /** The newest points of all metrics: by name, a list of attributes with `value`, or `count` and `sum`. */
    async metrics () {
      metricExporter.reset()
      await reader.forceFlush()
      const metrics = {}
      for (const { scopeMetrics } of metricExporter.getMetrics()) {
        for (const { metrics: list } of scopeMetrics) {
          for (const { descriptor, dataPoints } of list) {
            metrics[descriptor.name] = dataPoints.map(({ attributes, value }) => typeof value === 'number' ? { ...attributes, value } : { ...attributes, count: value.count, sum: value.sum })
          }
        }
      }
      return metrics
    },
    spans: name => spanExporter.getFinishedSpans().filter(span => name === undefined || span.name === name)
  }
}

/** Contexts follow promises, as with the SDK of an app. For the whole process. */
export function followContexts (t) {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  t.teardown(() => context.disable())
}
