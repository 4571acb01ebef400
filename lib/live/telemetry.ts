// Tells the diagnostics channels of changes, and of the renders that follow them.
import diagnostics from 'node:diagnostics_channel'
import { trace, type Traced } from '../util/tracing.js'

/** Message of the tracing channel `fastify-chirp:change`: one for each `changed()` of a live view. */
export interface ChangeMessage extends Traced<void> {
  /** The app, or the scope of it, that the plugin is registered in. */
  app: object | undefined
  /** The name of the live view. */
  view: string
  key: string | number
  /** The paths as given; undefined is everything. */
  paths: readonly string[] | undefined
  /** Set by a subscriber of `start` (https://www.w3.org/TR/trace-context/). Travels with the change, to all processes. */
  traceparent?: string | undefined
}

/** The result of one update. */
export interface UpdateResult {
  /** The names of the blocks that were rendered, or had to be. */
  blocks: string[]
  /** Number of blocks with other HTML than before, which goes to streams. */
  sent: number
  /** The errors of the context and of blocks. Those blocks are rendered again later. */
  errors: unknown[]
}

/**
 * Message of the tracing channel `fastify-chirp:update`: the open pages of one key with equal viewers follow what has
 * changed. One for each viewer and process.
 */
export interface UpdateMessage extends Traced<UpdateResult> {
  /** The app, or the scope of it, that the plugin is registered in. */
  app: object | undefined
  /** The name of the live view. */
  view: string
  key: string
  /** The changes that were collected; undefined is everything. Empty where it is tried again after an error. */
  paths: string[] | undefined
  /** Number of streams of this viewer. */
  streams: number
  /** The traces of the changes (https://www.w3.org/TR/trace-context/), at most 128, also of other processes. */
  traceparents: string[]
}

const changing = diagnostics.tracingChannel<unknown, ChangeMessage>('fastify-chirp:change')
const updating = diagnostics.tracingChannel<unknown, UpdateMessage>('fastify-chirp:update')

/** The view in messages. */
export interface ViewAbout { readonly app: object | undefined, readonly view: string }

/** The facts about an update before it starts. */
export type UpdateFacts = Pick<UpdateMessage, 'paths' | 'streams' | 'traceparents'>

export function isChangeTraced (): boolean {
  return changing.hasSubscribers
}

/** `change` is given what travels with the change. */
export function traceChange (message: ChangeMessage, change: (mark: ChangeMessage) => Promise<void>): Promise<void> {
  return trace(changing, message, () => change(message)) as Promise<void>
}

export function isUpdateTraced (): boolean {
  return updating.hasSubscribers
}

export function traceUpdate (message: UpdateMessage, update: () => Promise<UpdateResult>): Promise<UpdateResult> {
  return trace(updating, message, update) as Promise<UpdateResult>
}
