// What a stream needs of the app that it belongs to.
import type { Renderer } from '../render/renderer.js'
import type { Registry } from './registry.js'
import type { Settings } from './settings.js'
import type { Warnings } from './warnings.js'

export interface StreamEnvironment {
  settings: Settings
  registry: Registry
  renderer: Renderer
  /** Only in debug. */
  warnings: Warnings | undefined
}
