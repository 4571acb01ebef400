// All public types that are no classes, in one place.
import type { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { FastifyBaseLogger, FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { TemplatesOption } from './html/environment.js'
import type { Feed } from './stream/feed.js'

/** Which generation of htmx a page speaks; `auto` looks at each request. */
export type DialectOption = 'auto' | 'htmx2' | 'htmx4'

/** Names the client that a request comes from, for `maxStreamsPerClient`. */
export type ClientKey = (request: FastifyRequest) => string

/** Options of `reply.eventStream()`. Each one overrides the plugin's option of the same name. */
export interface StreamOptions {
  /**
   * Reconnection time in milliseconds, 0..2147483647, sent first in every
   * stream: clients keep what they were told last. Default: 3000. Off: `false`,
   * which starts the stream with a comment.
   */
  retry?: number | false | undefined
  /**
   * Name of an event that is sent when the source ends by itself, never after
   * a failure or a disconnect; for `sse-close`. Default: none. Off: omit.
   */
  closeEvent?: string | undefined
  /** Milliseconds of silence before a comment is sent, 1000..300000. Default: 15000. Off: `false`. */
  heartbeat?: number | false | undefined
  /**
   * Milliseconds, shortened at random by up to a fifth, after which the stream
   * is ended so that the client reconnects, maybe to another process.
   * Default: off. Off: `false`.
   */
  maxAge?: number | false | undefined
  /** The htmx generation that fragments are written for. Default: `'auto'`. */
  dialect?: DialectOption | undefined
  /** Event name of yielded strings, objects and other plain values. Default: none. Off: omit. */
  event?: string | undefined
}

/** How bad a finding of the checker is: `error` will fail in a browser, `warning` may, `info` is worth a look. */
export type Severity = 'error' | 'warning' | 'info'

/** Options of `app.checkContracts()`, and what the plugin's option `contracts` says for every check of the app. */
export interface ContractOptions {
  /**
   * Files and folders of the app's source, relative to the working directory,
   * in which names of templates, blocks and events are looked up. Default: the
   * program's entry file, what the option `contracts` names, and the files that
   * these import by relative paths. Off: `[]`.
   */
  sources?: readonly string[] | undefined
  /** Another severity for findings of a category. Default: that of docs/contracts.md. Off: `'off'`, for each. */
  severities?: Record<string, Severity | 'off'> | undefined
  /**
   * Patterns of paths that something else answers, such as a proxy or a
   * not-found handler that serves a single page app: `['/app/*']`. Links to
   * them are taken for good. Default: none. Off: omit.
   */
  external?: readonly string[] | undefined
}

/** Options of the plugin. A bad one throws FST_CHIRP_OPTION when the plugin is registered. */
export interface ChirpOptions extends Omit<StreamOptions, 'event'> {
  /**
   * Where the templates are: a folder, a list of folders, or a
   * `nunjucks.Environment` to share, which must have autoescape on. Symbolic
   * links that lead out of the folders are not followed.
   * Default: none; a Fragment then fails with FST_CHIRP_NO_TEMPLATES. Off: omit.
   */
  templates?: TemplatesOption | undefined
  /**
   * Sends error boxes, error pages and details to the client, warns about risky names, and
   * makes undefined variables an error in templates that this plugin loads.
   * Default: `NODE_ENV !== 'production'`. Off: `false`.
   */
  debug?: boolean | undefined
  /**
   * Bytes that may wait for one connection when more is to be written; a
   * connection with more is dropped. Default: 1 MiB.
   */
  maxBuffer?: number | undefined
  /** Milliseconds that a blocked connection may take to drain before it is dropped. Default: 10000. Off: `false`. */
  writeTimeout?: number | false | undefined
  /** Streams that may be open at once in this app. Default: no limit. Off: omit. */
  maxStreams?: number | undefined
  /** Streams that may be open at once for one client. Default: no limit. Off: omit. */
  maxStreamsPerClient?: number | undefined
  /** Names the client for `maxStreamsPerClient`. Default: `request.ip`. */
  clientKey?: ClientKey | undefined
  /**
   * Path of the folder that the client script is served in, as `client.js`; the
   * prefix of the place where the plugin is registered comes before it.
   * Default: `'/_chirp'`. Off: `false`, which leaves out the template function
   * `chirp_client()` too.
   */
  client?: string | false | undefined
  /**
   * What every check of the app's contracts knows, also the one at start:
   * `sources` to read besides the program's entry file, `severities` and
   * `external`. Default: none. Off: omit.
   */
  contracts?: ContractOptions | undefined
  /**
   * Address that `chirp_client()` loads the script from, when it is not the path
   * that it is served at: behind a proxy that removes a prefix, below a prefix
   * with a parameter, or on another server. The hash is added, as `?v=`.
   * Default: the path as served. Off: omit.
   */
  clientUrl?: string | undefined
  /** Milliseconds that clients get to take their last frame when the app closes. Default: 2000. Off: `0`. */
  shutdownGrace?: number | undefined
}

/** What a source function is called with. */
export interface StreamContext {
  /** Aborts when the client leaves, the app closes, a limit ends the stream, and at the latest when the stream is over. */
  readonly signal: AbortSignal
  /** The id of the last event that the client saw: its `Last-Event-ID` header, else its `lastEventId` query parameter, else `''`; as it was sent, whatever a schema says. */
  readonly lastEventId: string
  /** The request that opened the stream. */
  readonly request: FastifyRequest
  /** The request's logger. */
  readonly log: FastifyBaseLogger
}

/** What values are pulled from. */
export type StreamSource = AsyncIterable<unknown> | Iterable<unknown> | Readable | ReadableStream

/** What `reply.eventStream()` takes: something to pull from, or a channel, or several of them merged. */
export type EventStreamSource = StreamSource | Feed

/** A function of the context that returns a source, or a promise of one. */
export type StreamSourceFunction = (context: StreamContext) => EventStreamSource | Promise<EventStreamSource>

/** Why a stream was closed. */
export type CloseReason =
  /** The source ended by itself. */
  | 'end'
  /** The source failed. */
  | 'error'
  /** The client went away. */
  | 'disconnect'
  /** The app closed. */
  | 'shutdown'
  /** The stream reached `maxAge`. */
  | 'maxAge'
  /** More than `maxBuffer` bytes waited for the client. */
  | 'maxBuffer'
  /** The client did not drain within `writeTimeout`. */
  | 'writeTimeout'

/** Counters of one app, read live. */
export interface EventStreamStats {
  /** Streams that are open now. */
  readonly open: number
  /** Streams opened since the app started. */
  readonly total: number
  /** Events handed to connections. */
  readonly events: number
  /** Bytes of frames handed to connections, heartbeats included. */
  readonly bytes: number
  /** Connections dropped because they did not keep up. */
  readonly dropped: number
  /** Values and sources that failed. */
  readonly errors: number
}

/** Options of `reply.page()`. */
export interface PageOptions {
  /** The block that an htmx request gets instead of the page. Default: none, the page for everyone. */
  block?: string | undefined
}

/** Message of the diagnostics channel `fastify-chirp:stream:open`. */
export interface StreamOpenMessage {
  request: FastifyRequest
  /** The route's pattern, such as `/news/:topic`. */
  route: string | undefined
  requestId: string
  lastEventId: string
}

/** Message of the diagnostics channel `fastify-chirp:stream:close`. */
export interface StreamCloseMessage {
  route: string | undefined
  requestId: string
  reason: CloseReason
  /** Milliseconds. */
  duration: number
  events: number
  bytes: number
}

/** Message of the diagnostics channel `fastify-chirp:stream:error`. */
export interface StreamErrorMessage {
  /** Undefined for an error of a channel, as is the request's id. */
  route?: string | undefined
  requestId?: string | undefined
  error: unknown
}

/** The plugin's type. */
export type ChirpPlugin = FastifyPluginAsync<ChirpOptions>
