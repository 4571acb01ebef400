// The parts of the app that a stream needs.
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Dialect } from '../dialects/dialect.js'
import type { Renderer } from '../render/renderer.js'
import type { Context } from './context.js'
import type { Registry } from './registry.js'
import type { Settings, StreamSettings } from './settings.js'
import type { Warnings } from './warnings.js'

export interface StreamEnvironment {
  /** The scope that the plugin is registered in. */
  app: FastifyInstance
  settings: Settings
  registry: Registry
  renderer: Renderer
  /** Only in debug. */
  warnings: Warnings | undefined
}

/** The facts about its request that a stream needs. */
export interface Opening {
  settings: StreamSettings
  dialect: Dialect
  /** The key that it is counted under. */
  client: string | undefined
  context: Context
  /** Of an HTTP/1.1 request. */
  socket: Socket | undefined
}
