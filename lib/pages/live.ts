// The page of a live view, and its stream: reply.live().
import type { FastifyReply } from 'fastify'
import { FST_CHIRP_CHANNEL_CLOSED, FST_CHIRP_CLOSING, FST_CHIRP_OPTION } from '../errors.js'
import { checkLiveKey } from '../live/options.js'
import { LiveView } from '../live/view.js'
import { describe } from '../util/describe.js'
import { isOf } from '../util/kind.js'
import type { PageEnvironment } from './deferred-page.js'
import { checkShared, type SharedOptions } from './options.js'
import { asksForStream, fail, sendPage } from './page.js'

/** Options of `reply.live()`. */
export interface LivePageOptions extends SharedOptions {}

/** Implements `reply.live()`. */
export function sendLive (app: PageEnvironment, reply: FastifyReply, view: LiveView, key: string | number, options: LivePageOptions = {}): FastifyReply {
  if (!isOf(view, LiveView)) throw new FST_CHIRP_OPTION(`reply.live() takes a live view, reply.live(app.liveView('ticket'), key), not ${describe(view)}`)
  const name = checkLiveKey('reply.live()', key)
  checkShared('reply.live()', app.settings.stream, options)
  answer(app, reply, view, name, options).catch(error => {
    // What is asked of the app may take longer than the app lives.
    const isClosed = app.registry.isEnding && isOf(error, FST_CHIRP_CHANNEL_CLOSED)
    fail(reply, isClosed ? new FST_CHIRP_CLOSING(view.name) : error)
  })
  return reply
}

async function answer (app: PageEnvironment, reply: FastifyReply, view: LiveView, key: string, options: LivePageOptions): Promise<void> {
  const { request } = reply
  const { source, viewer } = await view.grant(key, request)
  if (asksForStream(request)) {
    sendPage(app, reply, view.template, {}, { ...options, live: source })
    return
  }
  const { signal } = abortWhenClosed(reply)
  // A change while the context is made is sent when the page connects.
  source.pageCursor = await source.cursor()
  // A failure because the client has left is not a fault of the view.
  const context = signal.aborted ? undefined : await view.context(key, viewer, signal).catch(error => { if (!signal.aborted) throw error })
  if (context === undefined) reply.send('')
  else if (context === null) reply.callNotFound()
  else sendPage(app, reply, view.template, context, { ...options, live: source })
}

function abortWhenClosed ({ raw }: FastifyReply): AbortController {
  const controller = new AbortController()
  raw.once('close', () => controller.abort())
  // It does not close twice.
  if (raw.destroyed) controller.abort()
  return controller
}
