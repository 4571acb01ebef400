// The context and the options of reply.page(), checked.
import type { FastifyRequest } from 'fastify'
import { FST_CHIRP_LIVE, FST_CHIRP_OPTION } from '../errors.js'
import type { FragmentContext } from '../message/fragment.js'
import { isFeed, type Feed } from '../stream/feed.js'
import { resolveStreamOptions, type StreamSettings } from '../stream/settings.js'
import type { StreamOptions } from '../stream/types.js'
import { describe } from '../util/describe.js'
import { hasMethod, isList } from '../util/kind.js'
import { MAX_TIME, refuseUnknown, time } from '../util/options.js'
import { disregard, isPromise, type MaybePromise } from '../util/promise.js'

/** Variables of a page, or a function that returns them when the page is made. */
export type PageContext<Context extends FragmentContext = FragmentContext> = Context | (() => MaybePromise<Context>)

/** The id of an event. Without one the stream starts at the position of `live` at the time of the page request. */
export type PageCursor = string | number | null | undefined

/** Options of `reply.page()`. */
export interface PageOptions<Context extends FragmentContext = FragmentContext> {
  /** The block that an htmx request gets instead of the page. Default: none, the page for everyone. */
  block?: string | undefined
  /**
   * The source of the page's stream, on its own address: a channel, a subscription, a merge, or another feed with a position. A GET
   * that asks for `text/event-stream` and not for HTML, or has a `lastEventId` in its query, is answered with its
   * stream, and the context is not made. Undefined and null mean that the source does not exist (any more), as
   * for `app.job(id)` of a job that is forgotten: a page request is answered as a route that was not found, and a
   * stream gets `chirp:gone` and ends. Default: none, every request gets the page.
   */
  live?: Feed | null | undefined
  /**
   * For events that bring ids: the id of the newest one that the page shows, or a function of the context that returns
   * it, so that the stream does not show it again. Default: the position of `live` before the context was made.
   */
  cursor?: PageCursor | ((context: Context) => MaybePromise<PageCursor>)
  /** Options of the stream. Default: those of the plugin. */
  stream?: StreamOptions | undefined
  /**
   * Milliseconds that deferred values may take before they are failed; `false` is no limit. Default: 10000.
   */
  timeout?: number | false | undefined
  /**
   * `'document'` sends the page from its beginning to its end, and waits before each block for the deferred values
   * that it reads, so it needs no script. Default: each block as soon as it is there, put in its place by the client script.
   */
  order?: 'document' | undefined
  /**
   * Says which requests get the page in one piece when all deferred values are there, such as those of bots. Requests of
   * htmx and HEAD always do. Default: no others.
   */
  await?: ((request: FastifyRequest) => MaybePromise<boolean>) | undefined
}

/** Those that `reply.live()` has too. */
export type SharedOptions = Pick<PageOptions, 'block' | 'stream' | 'timeout' | 'order' | 'await'>

const SHARED = ['block', 'stream', 'timeout', 'order', 'await']

/**
 * Checks the options that `reply.page()` and `reply.live()` have in common; `call` is the one that was given them.
 *
 * @throws FST_CHIRP_OPTION for an option that is unknown or has a bad value.
 */
export function checkShared (call: string, defaults: StreamSettings, options: SharedOptions, others: readonly string[] = []): void {
  refuseUnknown(`of ${call}`, options, [...SHARED, ...others])
  const { block, stream, timeout, order, await: isWhole } = options
  if (block !== undefined && (typeof block !== 'string' || block === '')) {
    throw new FST_CHIRP_OPTION(`option "block" of ${call} must be the name of a block, not ${describe(block)}`)
  }
  time('timeout', timeout, 1, MAX_TIME, `of ${call}`)
  if (order !== undefined && order !== 'document') {
    throw new FST_CHIRP_OPTION(`option "order" of ${call} must be 'document', or omitted for the order in which deferred values are there, not ${describe(order)}`)
  }
  if (isWhole !== undefined && typeof isWhole !== 'function') {
    disregard(isWhole)
    throw new FST_CHIRP_OPTION(`option "await" of ${call} must be a function of the request that gives true or false, not ${describe(isWhole)}`)
  }
  resolveStreamOptions(defaults, stream, `in "stream" of ${call}`)
}

/**
 * Checks the options of one page, against the stream settings of the app.
 *
 * @throws FST_CHIRP_OPTION for an option that is unknown, has a bad value, or needs another one.
 * @throws FST_CHIRP_LIVE when `live` has no position.
 */
export function checkPage (defaults: StreamSettings, options: PageOptions): void {
  checkShared('reply.page()', defaults, options, ['live', 'cursor'])
  const { live, cursor, stream } = options
  if (isPromise(cursor)) {
    throw new FST_CHIRP_OPTION(`option "cursor" of reply.page() must be an id or a function that gives it, not ${describe(cursor)}. Await it, or give a function: () => load()`)
  }
  if (live === undefined || live === null) {
    if (isGone(options)) return
    for (const [name, value] of Object.entries({ cursor, stream })) {
      if (value !== undefined) throw new FST_CHIRP_OPTION(`option "${name}" of reply.page() has no effect without "live". Give both: { live: channel, ${name}: ... }`)
    }
    return
  }
  if (!isFeed(live)) {
    throw new FST_CHIRP_LIVE(`option "live" of reply.page() must be a channel, a subscription, a merge or another feed, not ${describe(live)}. Publish to a channel, or merge() it with one`)
  }
  if (!hasMethod(live, 'cursor') && !hasMethod(live, 'locate')) {
    throw new FST_CHIRP_LIVE('option "live" of reply.page() is a feed that has neither cursor() nor locate(). Add one of them, or merge() the feed with a channel')
  }
}

/** Whether the source of a page does not exist. */
export function isGone (options: PageOptions): boolean {
  return (options.live ?? undefined) === undefined && Object.hasOwn(options, 'live')
}

/** Refuses a promise of a context, which would be a page without variables. */
export function refusePromise (context: PageContext): void {
  if (!isPromise(context)) return
  disregard(context)
  throw new FST_CHIRP_OPTION('the context of reply.page() must be an object of names and values, not a promise. Await it, or give a function: () => load()')
}

/** Refuses a result of a function that is not a context. */
export function checkReturned (context: unknown): asserts context is FragmentContext {
  if (typeof context === 'object' && context !== null && !isList(context)) return
  throw new FST_CHIRP_OPTION(`the context function of reply.page() must return an object of names and values, not ${describe(context)}. An arrow function needs parentheses for that: () => ({ items })`)
}
