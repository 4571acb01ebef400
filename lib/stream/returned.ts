// On a route that is marked as a stream a handler may return its source,
// or be an async generator itself. Fastify would answer with `{}`.
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { hasMethod } from '../util/kind.js'
import { isPromise } from '../util/promise.js'
import { isFeed } from './feed.js'
import type { EventStreamSource, StreamContext, StreamSource } from './types.js'

type Handler = (this: unknown, request: FastifyRequest, reply: FastifyReply) => unknown

/** Makes the handler of `route` stream what it returns, if that is a source. */
export function streamReturned (route: RouteOptions): void {
  const handler = route.handler as Handler
  const streaming = /GeneratorFunction/.test(Object.prototype.toString.call(handler)) ? runGenerator(handler) : runFunction(handler)
  Object.defineProperty(streaming, 'name', { value: handler.name })
  route.handler = streaming as RouteOptions['handler']
}

/** Gives a generator the signal of its stream as request.signal: Fastify's own would not abort, and the generator would never end. */
function runGenerator (handler: Handler): Handler {
  return function (request, reply) {
    let context: StreamContext | undefined
    let controller: AbortController | undefined
    Object.defineProperty(request, 'signal', {
      configurable: true,
      // Parameters are taken apart before there is a stream.
      get: () => context?.signal ?? (controller ??= new AbortController()).signal
    })
    // Nothing of it has run when it is not streamed, so there is nothing to close.
    const source = handler.call(this, request, reply) as StreamSource
    return reply.eventStream(given => {
      context = given
      if (controller !== undefined) given.signal.addEventListener('abort', () => controller!.abort(given.signal.reason))
      return source
    })
  }
}

function runFunction (handler: Handler): Handler {
  return function (request, reply) {
    const returned = handler.call(this, request, reply)
    // A reply is a promise of its own end.
    if (returned === reply) return reply
    return isPromise(returned) ? Promise.resolve(returned).then(value => answer(reply, value)) : answer(reply, returned)
  }
}

function answer (reply: FastifyReply, value: unknown): unknown {
  return isReturnedSource(value) ? reply.eventStream(value) : value
}

/**
 * Whether a handler's value is a source: a channel, or a value that
 * iterates and is neither a list, which is JSON, nor a stream, whose bytes Fastify sends.
 */
export function isReturnedSource (value: unknown): value is EventStreamSource {
  if (typeof value !== 'object' || value === null) return false
  if (isFeed(value)) return true
  if (hasMethod(value, 'pipe') || hasMethod(value, 'getReader')) return false
  return hasMethod(value, Symbol.asyncIterator) || (hasMethod(value, Symbol.iterator) && hasMethod(value, 'next'))
}
