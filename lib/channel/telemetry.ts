// Tells the diagnostics channels of what is published, and of what goes to streams.
import diagnostics from 'node:diagnostics_channel'
import type { Entry } from '../message/entry.js'
import { trace, type Traced } from '../util/tracing.js'

/** Message of the tracing channel `fastify-chirp:publish`: one for each `publish()` of a channel. */
export interface PublishMessage extends Traced<string> {
  /** The app, or the scope of it, that the plugin is registered in. */
  app: object | undefined
  /** The channel's name. */
  channel: string
  value: unknown
  /** When it was published, in milliseconds since 1970. Travels with the event. */
  published: number
  /** Set by a subscriber of `start` (https://www.w3.org/TR/trace-context/). Travels with the event, to all processes. */
  traceparent?: string | undefined
}

/** Message of the diagnostics channel `fastify-chirp:deliver`: events were handed to all streams of a channel in this process. */
export interface DeliverMessage {
  /** The app, or the scope of it, that the plugin is registered in. */
  app: object | undefined
  /** The channel's name. */
  channel: string
  /** Each event, with what {@link PublishMessage} gave it where it was published. */
  events: Array<{ id: string, published: number | undefined, traceparent: string | undefined }>
  /** Number of streams and other readers of the channel. */
  readers: number
}

const publishing = diagnostics.tracingChannel<unknown, PublishMessage>('fastify-chirp:publish')
const deliverChannel = diagnostics.channel('fastify-chirp:deliver')

/** The fields of a message on the channel. */
export interface ChannelAbout { readonly app: object | undefined, readonly channel: string }

export function isPublishTraced (): boolean {
  return publishing.hasSubscribers
}

/** `publish` is given what travels with the event. */
export function tracePublish (about: ChannelAbout, value: unknown, publish: (mark: PublishMessage) => Promise<string>): Promise<string> {
  const message: PublishMessage = { ...about, value, published: Date.now() }
  return trace(publishing, message, () => publish(message)) as Promise<string>
}

export function reportDelivery (about: ChannelAbout, entries: readonly Entry[], readers: number): void {
  if (!deliverChannel.hasSubscribers || readers === 0) return
  const events = entries.map(({ id, record: { published, traceparent } }) => ({ id, published, traceparent }))
  deliverChannel.publish({ ...about, events, readers } satisfies DeliverMessage)
}
