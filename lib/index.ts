import './fastify.js'

export { default } from './plugin.js'
export { Channel } from './channel/channel.js'
export { merge } from './channel/merge.js'
export { Fragment } from './html/fragment.js'
export { Fragments } from './html/fragments.js'
export { SSEEvent } from './sse/event.js'
export type { ChannelOptions, PublishOptions } from './channel/channel.js'
export type { Engine, Page, Publication } from './channel/engine.js'
export type { Entry, EventRecord } from './channel/entry.js'
export type { Merged } from './channel/merge.js'
export type { JoinOptions, Member, Presence, PresenceEvents } from './channel/presence.js'
export type { AudienceFilter } from './channel/audience.js'
export type { SubscribeOptions, Subscription } from './channel/subscription.js'
export type { FragmentContext, FragmentOptions } from './html/fragment.js'
export type { FragmentsOptions } from './html/fragments.js'
export type { TemplatesOption } from './html/environment.js'
export type { SSEEventFields } from './sse/event.js'
export type {
  ChirpOptions, ChirpPlugin, ClientKey, CloseReason, DialectOption, EventStreamSource, EventStreamStats, PageOptions, StreamCloseMessage,
  StreamContext, StreamErrorMessage, StreamOpenMessage, StreamOptions, StreamSource, StreamSourceFunction
} from './types.js'
