export { default } from './plugin.js'
export { Fragment } from './html/fragment.js'
export { SSEEvent } from './sse/event.js'
export type { FragmentContext, FragmentOptions } from './html/fragment.js'
export type { TemplatesOption } from './html/environment.js'
export type { SSEEventFields } from './sse/event.js'
export type {
  ChirpOptions, ChirpPlugin, ClientKey, CloseReason, DialectOption, EventStreamStats, PageOptions, StreamCloseMessage,
  StreamContext, StreamErrorMessage, StreamOpenMessage, StreamOptions, StreamSource, StreamSourceFunction
} from './types.js'
