// reply.eventStream(): from a handler's call to a running stream.
import type { FastifyReply } from 'fastify'
import { detectDialect, dialectVary } from '../dialects/list.js'
import { FST_CHIRP_ALREADY_SENT, FST_CHIRP_NOT_ACCEPTABLE } from '../errors.js'
import { busyFrame, closingFrame } from '../sse/own.js'
import { acceptsEventStream, addVary } from '../transport/negotiation.js'
import { StreamPayload, type Writer } from '../transport/payload.js'
import { isGone } from '../transport/queue.js'
import { tryLog } from '../util/log.js'
import { isPromise } from '../util/promise.js'
import { headerOf } from '../util/request.js'
import { toErrorObject } from '../util/thrown.js'
import { codingFor, CompressedWriter } from './compressed.js'
import { Context } from './context.js'
import type { StreamEnvironment } from './environment.js'
import { discardFeed, isFeed } from './feed.js'
import { toFeed } from './pulled.js'
import { HEARTBEAT, resolveStreamOptions, type StreamSettings } from './settings.js'
import { discardSource } from './source.js'
import { Stream, type Response } from './stream.js'
import { reportReject } from './telemetry.js'
import type { EventStreamSource, StreamOptions, StreamSourceFunction } from './types.js'

/** Set on a reply once it has a stream. */
export const kStarted = Symbol('fastify-chirp.started')

const CONTENT_TYPE = 'text/event-stream; charset=utf-8'
// One media type, whose charset is none or this one. Browsers refuse others, or read them as another type.
const EVENT_STREAM = /^text\/event-stream(\s*;\s*charset=("?)utf-8\2)?$/i

// HEAD gets the same head as GET, and its source is not opened; nor is it for
// a client that is gone already.
const EMPTY: Writer = { start: dest => { dest.end() } }

/** Implements `reply.eventStream()`; types.ts says what it promises. */
export function startEventStream (
  app: StreamEnvironment, reply: FastifyReply, source: EventStreamSource | StreamSourceFunction, options: StreamOptions | undefined
): FastifyReply {
  const { request } = reply
  const response = reply.raw as unknown as Response
  let settings: StreamSettings
  let client: string | undefined
  try {
    if ((reply as MarkedReply)[kStarted] === true || reply.sent || reply.raw.headersSent) {
      throw new FST_CHIRP_ALREADY_SENT(`${request.method} ${request.url}`)
    }
    settings = resolveStreamOptions(app.settings.stream, options)
    const accept = headerOf(request, 'accept')
    if (!acceptsEventStream(accept)) throw new FST_CHIRP_NOT_ACCEPTABLE(accept!)
    client = app.registry.clientOf(request)
  } catch (error) {
    // Clients choose some of these errors, and must not make sources pile up.
    discard(source)
    throw error
  }
  const socket = request.raw.httpVersionMajor === 1 ? request.raw.socket : undefined
  if (request.method === 'HEAD' || isGone(response, socket)) {
    discard(source)
    const coding = settings.compress ? codingFor(reply) : undefined
    if (coding !== undefined) reply.header('content-encoding', coding)
    return send(reply, settings, new StreamPayload(EMPTY, reply))
  }
  app.warnings?.checkStatus(request, reply.statusCode)
  if (app.registry.isEnding) {
    discard(source)
    reportReject(app, { route: request.routeOptions.url, requestId: request.id }, 'shutdown')
    return send(reply, settings, closingFrame(app.settings.shutdownGrace))
  }
  if (app.registry.isFull(client)) {
    discard(source)
    tryLog(reply.log, 'info', { route: request.routeOptions.url, client }, 'event stream refused: too many are open')
    reportReject(app, { route: request.routeOptions.url, requestId: request.id }, 'busy')
    // With another status than 200 an EventSource gives up for good.
    return send(reply, settings, busyFrame())
  }

  const context = new Context(request, typeof source === 'function')
  const renderer = app.renderer.for(reply)
  const stream = new Stream(renderer === app.renderer ? app : { ...app, renderer }, response, {
    settings,
    dialect: detectDialect(settings.dialect, request),
    client,
    context,
    socket
  })
  try {
    const opened: unknown = typeof source === 'function' ? source(context) : source
    if (isPromise(opened)) {
      const answer = new Answer(reply, settings, stream)
      stream.awaitFeed(answer)
      Promise.resolve(opened).then(answer.opened, answer.failed)
    } else {
      stream.setFeed(toFeed(opened))
      // A source function may have answered by itself.
      if (!reply.sent) send(reply, settings, payloadOf(stream, reply, settings))
    }
  } catch (error) {
    stream.abandon()
    ;(reply as MarkedReply)[kStarted] = false
    throw error
  }
  ;(reply as MarkedReply)[kStarted] = true
  return reply
}

/**
 * The answer of a source function that takes its time. A promise that never
 * settles keeps this object, so it releases the reply once there is nothing to answer.
 */
class Answer {
  #reply: FastifyReply | undefined
  readonly #settings: StreamSettings
  readonly #stream: Stream

  constructor (reply: FastifyReply, settings: StreamSettings, stream: Stream) {
    this.#reply = reply
    this.#settings = settings
    this.#stream = stream
  }

  readonly opened = (source: unknown): void => {
    try {
      this.#stream.setFeed(toFeed(source))
      this.send()
    } catch (error) {
      this.failed(error)
    }
  }

  /** Answers with the error, unless the answer is no longer wanted. */
  readonly failed = (error: unknown): void => {
    const reply = this.#reply
    if (reply === undefined) return this.#stream.failedLate(error)
    this.#reply = undefined
    // One that the app's end has closed keeps its place until the client has its answer.
    if (!this.#stream.isOver) this.#stream.abandon()
    // An error handler may answer with a stream too.
    ;(reply as MarkedReply)[kStarted] = false
    try {
      reply.send(toErrorObject(error))
    } catch {
      // Fastify is about to answer with another error.
      this.#stream.failedLate(error)
    }
  }

  send (): void {
    const reply = this.#reply
    // A handler that failed after all has answered with its error, and an app that closes with its last frame.
    if (reply === undefined || reply.sent) return
    try {
      send(reply, this.#settings, payloadOf(this.#stream, reply, this.#settings))
      this.#reply = undefined
    } catch (error) {
      this.failed(error)
    }
  }
}

interface MarkedReply { [kStarted]?: boolean }

function payloadOf (stream: Stream, reply: FastifyReply, { compress }: StreamSettings): StreamPayload {
  const coding = compress ? codingFor(reply) : undefined
  return new StreamPayload(coding === undefined ? stream : new CompressedWriter(stream, reply, coding), reply)
}

function send (reply: FastifyReply, { dialect, heartbeat, compress }: StreamSettings, payload: StreamPayload | string): FastifyReply {
  (reply as MarkedReply)[kStarted] = true
  // Headers of the app stay, but the media type has to be that of an event stream, in UTF-8.
  const type = reply.getHeader('content-type')
  if (type === undefined || !EVENT_STREAM.test(String(type))) reply.header('content-type', CONTENT_TYPE)
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-cache, no-transform')
  // nginx would hold events back until its buffer is full.
  if (!reply.hasHeader('x-accel-buffering')) reply.header('x-accel-buffering', 'no')
  // For the client script, which takes a longer silence for a wire that is cut.
  if (heartbeat !== HEARTBEAT) reply.header('chirp-heartbeat', heartbeat)
  if (dialect === 'auto') addVary(reply, dialectVary())
  if (compress) addVary(reply, 'Accept-Encoding')
  // @fastify/compress would hold events back, unless this header is there.
  if ('compress' in reply) reply.request.raw.headers['x-no-compression'] ??= 'event stream'
  return reply.send(payload)
}

/** Releases a source that will not be streamed, of any kind. */
export function discard (source: unknown): void {
  try {
    if (isFeed(source)) discardFeed(source, () => {})
    else discardSource(source)
  } catch {
    // It was refused already, or is none at all.
  }
}
