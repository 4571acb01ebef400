// The position that the stream of a page starts from.
import { FST_CHIRP_LIVE } from '../errors.js'
import type { FragmentContext } from '../message/fragment.js'
import { idProblem } from '../sse/field.js'
import type { Feed } from '../stream/feed.js'
import { describe } from '../util/describe.js'
import { hasMethod } from '../util/kind.js'
import type { PageOptions } from './options.js'

/** Can take the id of an event of one of its parts for a place of all. */
interface Composed { cursorFrom (id: string, before: string): Promise<string> }

/**
 * The position of a feed, to be asked for before the context of its page is made.
 *
 * @throws FST_CHIRP_LIVE (as a rejection), and what the feed throws.
 */
export async function positionOf (live: Feed): Promise<string> {
  if (live.pageCursor !== undefined) return live.pageCursor
  const position: unknown = await (live.pagePosition?.() ?? live.cursor?.() ?? lastOf(live))
  if (typeof position === 'string' && idProblem(position) === undefined) return position
  throw new FST_CHIRP_LIVE(`option "live" of reply.page() gave ${describe(position)} as its cursor. It must be a string that can be an id, or empty`)
}

async function lastOf (live: Feed): Promise<string> {
  return (await live.locate!('')).last
}

/**
 * The result of the option `cursor`, else `position`.
 *
 * @throws FST_CHIRP_LIVE (as a rejection), and what the app's function throws.
 */
export async function cursorOf ({ cursor, live }: PageOptions, position: string, context: FragmentContext): Promise<string> {
  const id: unknown = typeof cursor === 'function' ? await cursor(context) : cursor
  if (id === undefined || id === null || id === '') return position
  const problem = typeof id === 'bigint' ? 'the id must be a string or an integer, not a bigint' : idProblem(id)
  if (problem !== undefined) throw new FST_CHIRP_LIVE(`option "cursor" of reply.page(): ${problem}`)
  return isComposed(live!) ? await live.cursorFrom(String(id), position) : String(id)
}

function isComposed (feed: Feed): feed is Feed & Composed {
  return hasMethod(feed, 'cursorFrom')
}
