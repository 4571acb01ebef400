// reply.eventStream(): from a handler's call to a running stream.
import type { FastifyReply } from 'fastify'
import { FST_CHIRP_ALREADY_SENT, FST_CHIRP_NOT_ACCEPTABLE } from '../errors.js'
import { detectDialect, DIALECT_VARY } from '../html/dialect.js'
import { toErrorObject } from '../html/error-box.js'
import { addVary } from '../html/vary.js'
import { resolveStreamOptions, type StreamSettings } from '../options.js'
import type { EventStreamSource, StreamOptions, StreamSourceFunction } from '../types.js'
import { acceptsEventStream } from './accept.js'
import { Context } from './context.js'
import { busyFrame, closingFrame } from './control.js'
import { isFeed, kAttach } from './feed.js'
import { StreamPayload, type Writer } from './payload.js'
import { Pump } from './pump.js'
import { discardSource, isPromise, openSource } from './source.js'
import type { StreamEnvironment, StreamInput } from './parts.js'
import { Stream, type Response } from './stream.js'

/** Set on a reply once it has a stream. */
export const kStarted = Symbol('fastify-chirp.started')

const MEDIA_TYPE = 'text/event-stream'
const CONTENT_TYPE = `${MEDIA_TYPE}; charset=utf-8`

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
    const { accept } = request.headers
    if (!acceptsEventStream(accept)) throw new FST_CHIRP_NOT_ACCEPTABLE(accept!)
    client = app.registry.clientOf(request)
  } catch (error) {
    // Clients choose some of these errors, and must not make sources pile up.
    discard(source)
    throw error
  }
  if (request.method === 'HEAD' || isGone(response)) {
    discard(source)
    return send(reply, settings, new StreamPayload(EMPTY, reply))
  }
  if (app.registry.isFull(client)) {
    discard(source)
    reply.log.info({ client }, 'event stream refused: too many are open')
    // With another status than 200 EventSource would give up for ever.
    return send(reply, settings, busyFrame())
  }
  if (app.registry.closing) {
    discard(source)
    return send(reply, settings, closingFrame(app.settings.shutdownGrace))
  }

  const context = new Context(request)
  const renderer = app.renderer.for(reply)
  const stream = new Stream(renderer === app.renderer ? app : { ...app, renderer }, response, {
    settings,
    dialect: detectDialect(settings.dialect, request.query, request.headers),
    client,
    context,
    socket: request.raw.httpVersionMajor === 1 ? request.raw.socket : undefined
  })
  const open = (opened: unknown): FastifyReply => {
    stream.setInput(toInput(opened, stream, context.lastEventId))
    // A handler that failed after all has answered with its error, and an app that closes with its last frame.
    if (reply.sent || stream.isOver) return reply
    return send(reply, settings, new StreamPayload(stream, reply))
  }
  try {
    const opened: unknown = typeof source === 'function' ? source(context) : source
    if (!isPromise(opened)) return open(opened)
    stream.refuse = frame => { send(reply, settings, frame) }
    Promise.resolve(opened).then(open).catch(error => {
      stream.abandon()
      // An error handler may answer with a stream.
      ;(reply as MarkedReply)[kStarted] = false
      reply.send(toErrorObject(error))
    })
  } catch (error) {
    stream.abandon()
    throw error
  }
  (reply as MarkedReply)[kStarted] = true
  return reply
}

interface MarkedReply { [kStarted]?: boolean }

function send (reply: FastifyReply, { dialect }: StreamSettings, payload: StreamPayload | string): FastifyReply {
  (reply as MarkedReply)[kStarted] = true
  // What the app has set stays, but only an event stream is an event stream.
  const type = reply.getHeader('content-type')
  if (type === undefined || !String(type).startsWith(MEDIA_TYPE)) reply.header('content-type', CONTENT_TYPE)
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-cache, no-transform')
  // nginx would hold events back until its buffer is full.
  if (!reply.hasHeader('x-accel-buffering')) reply.header('x-accel-buffering', 'no')
  if (dialect === 'auto') addVary(reply, DIALECT_VARY)
  // @fastify/compress would hold events back, and this is how it is told not to.
  if ('compress' in reply) reply.request.raw.headers['x-no-compression'] ??= 'event stream'
  return reply.send(payload)
}

/** What a stream sends: pushed by a channel, or pulled from anything else. */
function toInput (opened: unknown, stream: Stream, lastEventId: string): StreamInput {
  if (isFeed(opened)) return { attach: target => opened[kAttach](target, lastEventId), discard: () => { opened.discard?.() } }
  const source = openSource(opened)
  return {
    attach (target) {
      const pump = new Pump(source, target)
      pump.run()
      return pump
    },
    discard: () => { source.close()?.catch(error => stream.failedLate(error)) }
  }
}

/** Lets go of a source that is not going to be streamed, whatever it is. */
function discard (source: unknown): void {
  try {
    if (isFeed(source)) source.discard?.()
    else discardSource(source)
  } catch {
    // It was refused already, or is none at all.
  }
}

/** Whether the client left before there was a stream; its close event will not come again. */
function isGone (response: Response): boolean {
  return response.destroyed === true || response.stream?.destroyed === true
}
