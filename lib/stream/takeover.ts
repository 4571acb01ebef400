// A shorter way from reply.send() to the response, for routes that are marked
// as streams. Fastify watches a stream payload with two sets of listeners that
// keep the request and the reply in memory for as long as the stream is open,
// and cost a third of the time that it takes to connect. This hook runs after
// all others, writes the head itself, and lets both go.
import type { FastifyReply, RouteOptions } from 'fastify'
import { StreamPayload } from './payload.js'

type Hooks = NonNullable<RouteOptions['onSend']>

/** Makes the hook the last onSend hook of `route`, also of those that others set or push later. */
export function takeOverRoute (route: RouteOptions): void {
  let hooks = withTakeOver(route.onSend)
  Object.defineProperty(route, 'onSend', {
    enumerable: true,
    configurable: true,
    get: () => hooks,
    set: (others: Hooks | undefined) => { hooks = withTakeOver(others) }
  })
}

/** A list that ends with the hook, whatever is pushed. */
function withTakeOver (others: Hooks | undefined): Hooks {
  const hooks: unknown[] = toList(others).filter(hook => hook !== takeOver)
  hooks.push(takeOver)
  Object.defineProperty(hooks, 'push', {
    value: (...more: unknown[]) => {
      hooks.splice(hooks.length - 1, 0, ...more)
      return hooks.length
    }
  })
  return hooks as Hooks
}

function takeOver (_request: unknown, reply: FastifyReply, payload: unknown, done: (error: null, payload: unknown) => void): void {
  if (!(payload instanceof StreamPayload) || !hasBody(reply.statusCode) || hasTrailers(reply)) return done(null, payload)
  const { raw } = reply
  raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string>)
  flatten((raw as { _header?: unknown })._header)
  payload.pipe(raw)
}

// Node.js puts the head together from some thirty strings and keeps it in that
// form as long as the response lives; looking into it makes it one, which
// saves a kilobyte for each connection.
function flatten (head: unknown): void {
  if (typeof head === 'string') head.indexOf('\0')
}

function hasBody (status: number): boolean {
  return status >= 200 && status !== 204 && status !== 304
}

// Fastify has no public way to ask. Where this one is gone, streams take the long way.
function hasTrailers (reply: FastifyReply): boolean {
  kTrailers ??= Object.getOwnPropertySymbols(reply).find(({ description }) => description === 'fastify.reply.trailers')
  return (reply as unknown as Record<symbol, unknown>)[kTrailers!] !== null
}

let kTrailers: symbol | undefined

function toList<T> (value: T | T[] | undefined): T[] {
  if (value === undefined) return []
  return Array.isArray(value) ? value : [value]
}
