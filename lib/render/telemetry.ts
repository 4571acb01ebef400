// Tells the diagnostics channels of renders.
import diagnostics from 'node:diagnostics_channel'
import { trace, type Traced } from '../util/tracing.js'
import type { MaybePromise } from '../util/promise.js'

/** Message of the tracing channel `fastify-chirp:render`: one for each template or block that is rendered. */
export interface RenderMessage extends Traced<string> {
  /** The app, or the scope of it, that the plugin is registered in. */
  app: object | undefined
  template: string
  /** Undefined for a whole template. */
  block: string | undefined
}

const rendering = diagnostics.tracingChannel<unknown, RenderMessage>('fastify-chirp:render')

export function isRenderTraced (): boolean {
  return rendering.hasSubscribers
}

export function traceRender (message: RenderMessage, render: () => MaybePromise<string>): MaybePromise<string> {
  return trace(rendering, message, render)
}
