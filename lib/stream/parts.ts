// What a stream is made of.
import type { Socket } from 'node:net'
import type { Dialect } from '../dialects/dialect.js'
import type { Renderer } from '../render/renderer.js'
import type { Context } from './context.js'
import type { Attachment, FeedTarget, PumpTarget } from './feed.js'
import type { Registry } from './registry.js'
import type { Settings, StreamSettings } from './settings.js'
import type { Warnings } from './warnings.js'

/** What a stream needs of the app that it belongs to. */
export interface StreamEnvironment {
  settings: Settings
  registry: Registry
  renderer: Renderer
  /** Only in debug. */
  warnings: Warnings | undefined
}

/** What is fixed when a stream is made. */
export interface StreamParts {
  settings: StreamSettings
  dialect: Dialect
  client: string | undefined
  context: Context
  /** Of an HTTP/1.1 request. */
  socket: Socket | undefined
}

/** Attaches what a stream sends; called when it starts, or to let go of what never did. */
export interface StreamInput {
  attach (target: FeedTarget & PumpTarget): Attachment
  discard (): void
}

/** An answer whose source is still being made. */
export interface PendingAnswer {
  /** Sends the stream as it is. */
  send (): void
  /** Lets go of the reply: the source may never come. */
  release (): void
}
