// All access to private parts of Node.js and Fastify, but for those that the
// checker reads (contracts/private.ts). Each access makes
// something faster or quieter, and where the part is gone the ordinary way is taken.
import { ServerResponse, type OutgoingHttpHeaders } from 'node:http'
import type { FastifyInstance, FastifyReply, RouteOptions } from 'fastify'
import { symbolOf } from '../util/symbol.js'
import type { Destination } from './destination.js'

// Only as Node.js has it: code that patches a prototype wants to see
// every write. There is no other copy to compare with, but no other write() has this line in it.
const { write } = ServerResponse.prototype
const isUnpatched = Function.prototype.toString.call(write).includes('write_(this, chunk, encoding, callback, false)')

/**
 * Whether a chunk may go to the socket: an HTTP/1.1 response in chunks, whose
 * head has left, that has its turn, and that has its own write().
 * Without `chunkedEncoding`, `outputSize` or `_httpMessage` all goes through write().
 */
export function isPlain (dest: Destination): boolean {
  const { socket } = dest
  return isUnpatched && dest.write === write && dest.chunkedEncoding === true && dest.outputSize === 0 &&
    socket?.writable === true && socket._httpMessage === (dest as unknown) && dest.headersSent === true
}

/**
 * Node.js puts the head together from some thirty strings and keeps it in that
 * form as long as the response lives; looking into it makes it one, which
 * saves a kilobyte for each connection.
 */
export function flattenHead (response: object): void {
  const { _header: head } = response as { _header?: unknown }
  // V8 leaves out a look whose result goes nowhere.
  if (typeof head === 'string') looked = head.indexOf('\0')
}

// eslint-disable-next-line @typescript-eslint/no-unused-vars
let looked: number | undefined

/**
 * The headers of a reply, without the copy that its getHeaders() makes. What was set on the response itself is not
 * among them: writeHead() adds it. Where they are gone, there is the copy.
 */
export function headersOf (reply: FastifyReply): OutgoingHttpHeaders {
  kHeaders ??= symbolOf(reply, 'fastify.reply.headers')
  return (kHeaders && (reply as unknown as Record<symbol, OutgoingHttpHeaders>)[kHeaders]) ?? reply.getHeaders() as OutgoingHttpHeaders
}

let kHeaders: symbol | undefined

/** The trailers of a reply, for which there is no public way to ask; null when it has none. Undefined where this way is gone. */
export function trailersOf (reply: object): object | null | undefined {
  kTrailers ??= symbolOf(reply, 'fastify.reply.trailers')
  return (reply as Record<symbol, object | null>)[kTrailers!]
}

let kTrailers: symbol | undefined

/** Whether Fastify answers every request with 503 while it closes: its option `return503OnClosing`. False where that cannot be seen. */
export function isClosedWith503 (app: FastifyInstance): boolean {
  const key = symbolOf(app, 'fastify.options')
  const options = key && (app as unknown as Record<symbol, { return503OnClosing?: unknown }>)[key]
  return options !== undefined && options.return503OnClosing !== false
}

/**
 * Adds an `onRoute` hook before those of plugins that were registered earlier.
 * Where the list is gone, the hook is not called.
 */
export function addFirstOnRoute (app: FastifyInstance, hook: (route: RouteOptions) => void): void {
  const key = symbolOf(app, 'fastify.hooks')
  const hooks = key && (app as unknown as Record<symbol, { onRoute?: Array<(route: RouteOptions) => void> }>)[key]
  hooks?.onRoute?.unshift(hook)
}

type Hooks = NonNullable<RouteOptions['onSend']>

/**
 * Has `read` look at the onSend hooks of a route whenever they are read. Fastify
 * reads them once more when all plugins have had their say. Where it reads them
 * in another way, it finds those that were there: the routes of streams have no
 * hook of ours then, and take the long way.
 */
export function watchOnSend (route: RouteOptions, read: (hooks: Hooks | undefined) => Hooks | undefined): void {
  let hooks = route.onSend
  Object.defineProperty(route, 'onSend', {
    enumerable: true,
    configurable: true,
    get: () => {
      hooks = read(hooks)
      return hooks
    },
    set: (others: Hooks | undefined) => { hooks = others }
  })
}

/**
 * Whether a function is not code of the app, such as what rejects a promise. Only
 * its text tells. Where this is gone all are the app's, and a rejection that
 * has no listener ends the process as usual.
 */
export function isNative (value: Function): boolean {
  return Function.prototype.toString.call(value).endsWith('{ [native code] }')
}

// Node.js reports a rejection without a listener here, if it is the domain
// at the moment of the rejection (https://nodejs.org/api/process.html#event-unhandledrejection).
const NOWHERE = { emit: () => true }

/** Rejects without a report where there is no listener. Where that has no effect, Node.js ends the process as usual. */
export function withoutNotice (reject: (error: unknown) => unknown, error: unknown): unknown {
  const { domain } = process as { domain?: unknown }
  Reflect.set(process, 'domain', NOWHERE)
  try {
    return reject(error)
  } finally {
    Reflect.set(process, 'domain', domain)
  }
}
