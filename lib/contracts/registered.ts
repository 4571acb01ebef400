// The facts about each registration of the plugin that the checker gets.
import type { FastifyInstance } from 'fastify'
import type { NunjucksRenderer } from '../render/nunjucks/renderer.js'
import type { ContractOptions } from './options.js'
import type { Declared } from './types.js'

/** A route as it was added, before it is analysed. */
export interface AddedRoute {
  methods: readonly string[]
  /** The pattern with all prefixes. */
  url: string
  referenced: boolean
  /** Marked `live: true` or `referenced: true`: what the handler returns may be streamed. */
  isMarked: boolean
  events: readonly string[] | undefined
  handler: Function
  /** Its handler gets a WebSocket, as @fastify/websocket calls it, and no reply. */
  isSocket: boolean
  /** Is the prefix of its plugin itself, which Fastify also serves with a slash at the end. */
  isPrefix: boolean
  /** Is for some versions or hosts only. */
  isConstrained: boolean
}

/** The plugin in one app or one of its parts. */
export interface Registered {
  readonly app: FastifyInstance
  readonly renderer: NunjucksRenderer
  readonly routes: readonly AddedRoute[]
  readonly options: ContractOptions | undefined
  readonly script: string
  readonly declared: Declared
  readonly siblings: readonly Registered[]
  readonly root: FastifyInstance
}
