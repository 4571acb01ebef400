// A shorter way from reply.send() to the response, for routes that are marked
// as streams. Fastify watches a stream payload with two sets of listeners that
// keep the request and the reply in memory for as long as the stream is open,
// and cost a third of the time that it takes to connect. This hook runs after
// all others, writes the head itself, and releases both.
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { StreamPayload } from './payload.js'
import { flattenHead, headersOf, trailersOf, watchOnSend } from './private.js'

type Hooks = NonNullable<RouteOptions['onSend']>
type Hook = (request: FastifyRequest, reply: FastifyReply, payload: unknown, done: (error: null, payload: unknown) => void) => void

/** In a route's config, where a hook finds out whether it is the last one of the route that it runs for. */
const kLast = Symbol('fastify-chirp.last')

interface Place { hook: Hook | undefined }
type Config = { [kLast]?: Place }

const made = new WeakSet<object>()

/**
 * Makes a hook of this plugin the last onSend hook of `route`, whatever others set,
 * push or wrap later: whenever the list is read and another is the last, it
 * gets a new one. A hook that is no longer the last, such as one in a wrapper,
 * steps aside.
 */
export function takeOverRoute (route: RouteOptions): void {
  const place: Place = { hook: undefined }
  route.config = { ...route.config, [kLast]: place } as RouteOptions['config']
  watchOnSend(route, hooks => {
    const list = toList<unknown>(hooks)
    if (place.hook !== undefined && list.at(-1) === place.hook) return hooks
    place.hook = createHook(place)
    return [...list.filter(hook => !made.has(hook as object)), place.hook] as Hooks
  })
}

function createHook (place: Place): Hook {
  const hook: Hook = (request, reply, payload, done) => {
    const isLast = place.hook === hook && (request.routeOptions.config as Config)[kLast] === place
    if (isLast && payload instanceof StreamPayload && hasBody(reply.statusCode) && trailersOf(reply) === null) takeOver(reply, payload)
    else done(null, payload)
  }
  made.add(hook)
  return hook
}

function takeOver (reply: FastifyReply, payload: StreamPayload): void {
  const { raw } = reply
  payload.prepare()
  raw.writeHead(reply.statusCode, headersOf(reply))
  flattenHead(raw)
  payload.pipe(raw)
}

function hasBody (status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304
}

function toList<T> (value: T | T[] | undefined): T[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}
