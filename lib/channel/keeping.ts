// Options of channels that say how long values are kept, how often they are sent, and where they come from.
import { FST_CHIRP_OPTION } from '../errors.js'
import { describe } from '../util/describe.js'
import { integer, MAX_TIME } from '../util/options.js'
import type { ChannelSource } from './producer.js'

/** Options of `app.channel()`. */
export interface KeepingOptions<Event = unknown> {
  /**
   * Milliseconds, 1..2147483647, after which an event of the history, or a value of a `latest` channel, is forgotten.
   * A client that comes back later gets `chirp:gap`, unless it has missed nothing. Default: no limit. Off: omit.
   */
  ttl?: number | undefined
  /**
   * Milliseconds, 1..2147483647, of a channel with `latest`: in that time at most one batch is sent, with the newest
   * value of each name. The first is sent at once, and the last one always is. Default: each value is sent. Off: omit.
   */
  every?: number | undefined
  /**
   * Gives events while the channel has a subscribed stream in this process: called for the first stream, once for all,
   * and stopped when the last one has closed. Each event is published before the next one is pulled. A source that fails
   * is logged, counted, and started again after 0.5, 1, 2 ... 30 s. One that ends is started again by the first stream
   * after all have closed. Default: none.
   * Off: omit.
   */
  source?: ChannelSource<Event> | undefined
  /** Milliseconds, 0..2147483647, that the `source` runs on after the last stream has closed. Default: 1000. Off: `0`. */
  linger?: number | undefined
}

export const KEEPING_DEFAULTS = { linger: 1000 }

export const KEEPING_OPTIONS = ['ttl', 'every', 'source', 'linger'] as const

/** @throws FST_CHIRP_OPTION for a bad one. */
export function checkKeeping ({ ttl, every, source, linger }: KeepingOptions, keepsLatest: boolean): void {
  integer('ttl', ttl, 1, MAX_TIME, 'of app.channel()')
  integer('every', every, 1, MAX_TIME, 'of app.channel()')
  integer('linger', linger, 0, MAX_TIME, 'of app.channel()')
  if (every !== undefined && !keepsLatest) throw new FST_CHIRP_OPTION('channel option "every" is for values that replace each other. Set "latest" too, or omit it')
  if (source !== undefined && typeof source !== 'function') {
    throw new FST_CHIRP_OPTION(`channel option "source" must be a function that returns an iterable, such as an async generator, not ${describe(source)}`)
  }
  if (linger !== undefined && source === undefined) throw new FST_CHIRP_OPTION('channel option "linger" has no effect without "source". Set both')
}
