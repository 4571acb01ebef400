// The options of a channel.
import { FST_CHIRP_OPTION } from '../errors.js'
import { describe } from '../util/describe.js'
import { refuseUnknown } from '../util/options.js'
import { checkKeeping, KEEPING_DEFAULTS, KEEPING_OPTIONS, type KeepingOptions } from './keeping.js'

/** Options of `app.channel()`. */
export interface ChannelOptions<Event = unknown> extends KeepingOptions<Event> {
  /** Number of events that are kept for clients that come back. Default: 1000. Off: `0`. */
  history?: number | undefined
  /**
   * Keeps the newest value of each event name instead of a history: a client that
   * connects gets all of them, and a slow client skips to the newest. For values
   * that replace each other, such as a dashboard's. Default: `false`.
   */
  latest?: boolean | undefined
  /**
   * Renders fragments for each viewer instead of once: templates read the viewer of
   * `channel.subscribe()` as `viewer`. The context of a
   * fragment is kept as plain data then. Default: `false`.
   */
  viewer?: boolean | undefined
}

export const CHANNEL_DEFAULTS = { history: 1000, latest: false, viewer: false, ...KEEPING_DEFAULTS }

/** @throws FST_CHIRP_OPTION for a bad name or option. */
export function checkChannel (name: unknown, options: ChannelOptions): void {
  if (typeof name !== 'string' || name === '') throw new FST_CHIRP_OPTION(`a channel needs a name, app.channel('news'), not ${describe(name)}`)
  refuseUnknown('of app.channel()', options, ['history', 'latest', 'viewer', ...KEEPING_OPTIONS])
  const { history, latest, viewer } = options
  if (history !== undefined && (!Number.isSafeInteger(history) || history < 0)) {
    throw new FST_CHIRP_OPTION(`channel option "history" must be a whole number of at least 0, not ${describe(history)}`)
  }
  if (latest !== undefined && typeof latest !== 'boolean') throw new FST_CHIRP_OPTION(`channel option "latest" must be true or false, not ${describe(latest)}`)
  if (viewer !== undefined && typeof viewer !== 'boolean') {
    throw new FST_CHIRP_OPTION(`channel option "viewer" must be true or false, not ${describe(viewer)}. Give the viewer to channel.subscribe({ viewer })`)
  }
  if (latest === true && history !== undefined) throw new FST_CHIRP_OPTION('a channel has either "latest" or "history". Omit one of them')
  checkKeeping(options, latest === true)
}
