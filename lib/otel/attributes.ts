// The attributes of metrics and spans. Their values are few: none comes from a client.
// https://opentelemetry.io/docs/specs/semconv/
import type { Attributes } from '@opentelemetry/api'
import type { UpdateMessage } from '../live/telemetry.js'

// A class or a code, and no message.
const NAME = /^[A-Za-z_][\w.]{0,63}$/

/** The class of an error: its code where it has one, else its name. */
export function errorType (error: unknown): string {
  try {
    const { code, name } = error as { code?: unknown, name?: unknown }
    for (const type of [code, name]) if (typeof type === 'string' && NAME.test(type)) return type
  } catch {
    // A thrown value may be anything.
  }
  return '_OTHER'
}

/** Attributes of a stream, without those that are not known. */
export function streamAttributes ({ route, protocol, dialect }: { route: string | undefined, protocol: string | undefined, dialect: string }): Attributes {
  return { ...routeAttributes(route), ...(protocol !== undefined && { 'network.protocol.version': protocol }), 'sse.dialect': dialect }
}

export function routeAttributes (route: string | undefined): Attributes {
  return route === undefined ? {} : { 'http.route': route }
}

const ABSENT = /^FST_CHIRP_(?:TEMPLATE_NAME|TEMPLATE_NOT_FOUND|BLOCK_NOT_FOUND)$/

/** The name that a render counts under. The name of a missing template may come from anywhere, and would be a new one each time. */
export function renderResult (message: { template: string, block: string | undefined, error?: unknown }): Attributes {
  if (!('error' in message)) return renderAttributes(message)
  const type = errorType(message.error)
  return { ...(!ABSENT.test(type) && renderAttributes(message)), 'error.type': type }
}

export function renderAttributes ({ template, block }: { template: string, block: string | undefined }): Attributes {
  return { 'sse.template': template, ...(block !== undefined && { 'sse.block': block }) }
}

/** Attributes of a change of a live view. Its key may be private, and paths are many. */
export function changeAttributes ({ view, paths }: { view: string, paths: readonly string[] | undefined }): Attributes {
  return { 'sse.live.view': view, ...(Array.isArray(paths) && { 'sse.live.paths': paths.length }) }
}

export function updateAttributes ({ streams, result }: Pick<UpdateMessage, 'streams' | 'result'>): Attributes {
  return { 'sse.live.streams': streams, 'sse.live.blocks': result!.blocks.length, 'sse.live.sent': result!.sent }
}

/**
 * The kind of a channel: there may be one channel for each user or document, and their names are private.
 * `room:42` is `room:*`, and `user7/inbox` is `user*\/*`.
 */
export function channelTemplate (name: string): string {
  const [kind, ...rest] = name.split(/([:/.])/)
  return kind!.replaceAll(/\d+/g, '*') + rest.map((part, n) => n % 2 === 0 ? part : '*').join('')
}
