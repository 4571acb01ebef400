// The public types of streams that are not classes.
import type { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { FastifyBaseLogger, FastifyInstance, FastifyRequest } from 'fastify'
import type { DialectOption } from '../dialects/list.js'
import type { Feed } from './feed.js'

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
  /**
   * Compresses the stream with gzip where the client's `Accept-Encoding` has it. Each write is compressed by itself and
   * leaves at once; what many streams get is compressed once for all of them. Not for streams in which secrets stand
   * near text that somebody else chose: docs/operate/compression.md. Default: `false`.
   */
  compress?: boolean | undefined
  /**
   * What the stream can be named by, such as the id of its user: `app.eventStreams.close(key)` ends every stream with
   * that key. A string of 1 to 256 characters, or a list of at most 50. Default: none. Off: omit.
   */
  key?: string | readonly string[] | undefined
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
  /** The app closed, or was drained. */
  | 'shutdown'
  /** `app.eventStreams.close()` named it. */
  | 'closed'
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
  /** Bytes of frames handed to connections, heartbeats included; of compressed streams the compressed bytes. */
  readonly bytes: number
  /** Connections dropped because they did not keep up. */
  readonly dropped: number
  /** Values and sources that failed. */
  readonly errors: number
  /** Blocks that live views rendered for streams. */
  readonly renders: number
  /** Parts of pages that are still to be sent. */
  readonly partsPending: number
  /** Parts of pages that failed, or whose deferred value did. */
  readonly partsFailed: number
}

/** The streams of one app, `app.eventStreams`: their counters, and how they are ended. JSON and copies of it have the counters. */
export interface EventStreams extends EventStreamStats {
  /**
   * Whether this process takes new streams: false from `drain()` or `app.close()` on, and while the engine is out of reach.
   * For the health check of a load balancer.
   */
  readonly ready: boolean
  /**
   * Ends every stream that was opened with this key: its client gets `chirp:closed` and a `retry` of 5 to 15 seconds.
   * Resolves to how many were here, in this registration of the plugin. With the option `engine` all registrations that
   * have this engine, in all processes, close theirs. It need not be awaited: what fails is logged. A promise that you
   * make of it is yours to catch.
   *
   * @throws FST_CHIRP_OPTION (as a rejection) for what is no key.
   * @throws FST_CHIRP_ENGINE (as a rejection) when the others could not be told. The streams that were here are closed.
   */
  close (key: string): Promise<number>
  /**
   * Takes no new streams, whose clients get `chirp:closing`, and ends those that are open one after the other, spread over
   * so many milliseconds. Resolves when the last one has ended. `0` ends all at once. The app goes on otherwise.
   *
   * @throws FST_CHIRP_OPTION (as a rejection) for what is no such time.
   */
  drain (milliseconds: number): Promise<void>
}

/** One stream, as messages of diagnostics channels tell of it: the same object in all messages of a stream. */
export interface ObservedStream {
  /** The app, or the scope of it, that the plugin is registered in. */
  readonly app: FastifyInstance
  /** The route's pattern, such as `/news/:topic`; undefined for a 404 handler. */
  readonly route: string | undefined
  /** The id of the request. */
  readonly requestId: string
  /** The name of its dialect, such as `htmx4`. */
  readonly dialect: string
  /** The version of HTTP: `1.0`, `1.1` or `2`. Undefined where it was first asked for after the end. */
  readonly protocol: string | undefined
  /** Events handed to the connection so far. */
  readonly events: number
  /** Bytes of frames handed to the connection so far, compressed where the stream is; 0 when the stream has closed, and its last message has them. */
  readonly bytes: number
  /** Bytes that wait in this process for the client to take them. */
  readonly waiting: number
}

/** Message of the diagnostics channel `fastify-chirp:stream:open`. Like all that have it, its `stream` is no enumerable field. */
export interface StreamOpenMessage {
  readonly stream: ObservedStream
  request: FastifyRequest
  /** The route's pattern, such as `/news/:topic`. */
  route: string | undefined
  requestId: string
  lastEventId: string
}

/** Message of the diagnostics channel `fastify-chirp:stream:close`. */
export interface StreamCloseMessage {
  readonly stream: ObservedStream
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
  /** Undefined for an error of a channel, as are the route and the request's id. */
  readonly stream?: ObservedStream
  route?: string | undefined
  requestId?: string | undefined
  error: unknown
}

/** Why a request for a stream was sent away: too many are open, or the app takes no new ones. */
export type RejectReason = 'busy' | 'shutdown' | 'closed'

/** Message of the diagnostics channel `fastify-chirp:stream:reject`: the client was told to come back later. */
export interface StreamRejectMessage {
  /** The app, or the scope of it, that the plugin is registered in. No enumerable field. */
  readonly app: FastifyInstance
  route: string | undefined
  requestId: string
  reason: RejectReason
}

/**
 * How a stream that follows channels, jobs or live views began: without a cursor, with all that came after its cursor,
 * or with a gap.
 */
export type ResumeResult = 'fresh' | 'replayed' | 'gap'

/** Message of the diagnostics channel `fastify-chirp:resume`: the stream has caught up, and from now on gets what is new. */
export interface ResumeMessage {
  readonly stream: ObservedStream
  route: string | undefined
  requestId: string
  lastEventId: string
  result: ResumeResult
  /** How many events it got until then. */
  events: number
  /** Milliseconds since it opened. */
  duration: number
  /** The traces that published what was replayed, at most 128. */
  traceparents: string[]
}

/** Names the client that a request comes from, for `maxStreamsPerClient`. */
export type ClientKey = (request: FastifyRequest) => string
