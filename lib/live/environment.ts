// The parts of the app that live views need.
import type { FastifyBaseLogger } from 'fastify'
import type { ChannelEngine } from '../channel/engine.js'
import type { ReadsAnalysis } from '../render/reads.js'
import type { PrintedSignals, Renderer } from '../render/renderer.js'
import type { FindDeferred } from './deferred.js'

export interface LiveEnvironment {
  /** In messages of diagnostics channels. */
  readonly app: object
  readonly engine: ChannelEngine
  /** Whether other processes may have the engine too. */
  readonly isShared: boolean
  /** Names this process in what it publishes. */
  readonly id: string
  readonly renderer: Renderer
  readonly reads: ReadsAnalysis | undefined
  readonly counters: { renders: number }
  readonly deferredIn: FindDeferred
  readonly signals: PrintedSignals
  readonly debug: boolean
  readonly log: FastifyBaseLogger
  /** Logs and counts an error. */
  report (error: unknown, message: string): void
}
