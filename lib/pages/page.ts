// HTML without a stream: app.renderFragment(), reply.fragment() and reply.page().
import type { FastifyReply, FastifyRequest } from 'fastify'
import { dialectVary } from '../dialects/list.js'
import { FST_CHIRP_FRAGMENT } from '../errors.js'
import { Fragment, type FragmentContext } from '../message/fragment.js'
import type { PageStream, Renderer } from '../render/renderer.js'
import { goneFrame } from '../sse/own.js'
import { LAST_EVENT_ID } from '../stream/context.js'
import { kAttach, type Feed } from '../stream/feed.js'
import { discard, startEventStream } from '../stream/start.js'
import { reportFailure } from '../stream/telemetry.js'
import { addVary, wantsEventStream } from '../transport/negotiation.js'
import type { StreamPayload } from '../transport/payload.js'
import { describe } from '../util/describe.js'
import { isOf } from '../util/kind.js'
import { hearFailure, isPromise } from '../util/promise.js'
import { hasParameter, headerOf } from '../util/request.js'
import { toErrorObject } from '../util/thrown.js'
import { StreamAddress } from './address.js'
import { cursorOf, positionOf } from './cursor.js'
import { deferredIn } from './defer.js'
import { deferredPage, type PageEnvironment } from './deferred-page.js'
import { checkPage, checkReturned, isGone, refusePromise, type PageContext, type PageOptions } from './options.js'

const PAGE_VARY = 'HX-Request, HX-Request-Type, HX-Boosted, HX-History-Restore-Request'
// The last one is in the address that the page connects to.
const LIVE_VARY = 'Accept, Chirp-Gap'

/** The stream of a page without its source. */
const GONE: Feed = {
  [kAttach] (outlet) {
    outlet.send(goneFrame(), 1)
    outlet.ended()
    return { detach () {} }
  }
}

/** Implements `app.renderFragment()`. */
export async function renderFragment (renderer: Renderer, fragment: Fragment): Promise<string> {
  if (!isOf(fragment, Fragment)) {
    throw new FST_CHIRP_FRAGMENT('a Fragment', `renderFragment() takes a Fragment, not ${describe(fragment)}. Call renderFragment(new Fragment(template, block, context))`)
  }
  return (await renderer.renderBlock(fragment.template, fragment.block, fragment.context)).trim()
}

/** Implements `reply.fragment()`. */
export function sendFragment (renderer: Renderer, reply: FastifyReply, template: string, block: string, context?: FragmentContext): FastifyReply {
  // Made for its checks: a bad name is refused in the same words everywhere.
  const fragment = new Fragment(template, block, context)
  return sendHtml(reply, renderer.for(reply).renderBlock(fragment.template, fragment.block, fragment.context))
}

/** Implements `reply.page()`. */
export function sendPage (
  app: PageEnvironment, reply: FastifyReply, template: string, context: PageContext = {}, options: PageOptions = {}
): FastifyReply {
  try {
    checkPage(app.settings.stream, options)
    refusePromise(context)
  } catch (error) {
    // Reading the options of a Proxy may throw.
    discard(liveOf(options))
    throw error
  }
  const { block } = options
  const live = options.live ?? undefined
  if (isGone(options)) return sendGone(app, reply, options)
  if (live !== undefined) {
    addVary(reply, LIVE_VARY)
    if (app.settings.stream.dialect === 'auto') addVary(reply, dialectVary())
  }
  if (block !== undefined) addVary(reply, PAGE_VARY)
  if (live !== undefined && asksForStream(reply.request)) return startEventStream(app, reply, live, options.stream)

  const part = block !== undefined && wantsBlock(reply.request) ? block : undefined
  const render = (variables: FragmentContext, page?: PageStream): string | Promise<string | StreamPayload> => {
    const deferred = deferredIn(variables, (name, promise) => { hear(app, reply, template, name, promise) })
    if (deferred !== undefined) return deferredPage(app, reply, { template, block: part }, variables, deferred, options, page)
    const renderer = app.renderer.for(reply)
    if (part === undefined) return renderer.renderTemplate(template, variables, page)
    // Made for its checks, as in sendFragment().
    const fragment = new Fragment(template, part, variables)
    return renderer.renderBlock(fragment.template, fragment.block, fragment.context, page)
  }
  if (live !== undefined) return sendHtml(reply, renderLive(reply.request, context, options, render))
  const made = typeof context === 'function' ? (context as () => unknown)() : context
  if (isPromise(made)) return sendHtml(reply, Promise.resolve(made).then(made => render(variablesFrom(context, made))))
  return sendHtml(reply, render(variablesFrom(context, made)))
}

/** No code waits for a promise in a context: its failure must not end the process, and has to be logged. */
function hear (app: PageEnvironment, { log, request }: FastifyReply, template: string, name: string, promise: Promise<unknown>): void {
  app.warnings?.checkPromise(template, name)
  hearFailure(promise, error => {
    reportFailure(log, error, `the promise ${JSON.stringify(name)} in the context of ${JSON.stringify(template)} failed`, { route: request.routeOptions.url, requestId: request.id })
  })
}

/** The source of a page does not exist. */
function sendGone (app: PageEnvironment, reply: FastifyReply, { stream }: PageOptions): FastifyReply {
  addVary(reply, LIVE_VARY)
  if (asksForStream(reply.request)) return startEventStream(app, reply, GONE, stream)
  reply.callNotFound()
  return reply
}

/**
 * A page with a stream. The position is taken first: events while the context is made and the page is
 * rendered, or later, are replayed when the page connects.
 */
async function renderLive (
  request: FastifyRequest, context: PageContext, options: PageOptions, render: (variables: FragmentContext, page: PageStream) => string | Promise<string | StreamPayload>
): Promise<string | StreamPayload> {
  const { live } = options
  let position: string
  try {
    position = await positionOf(live!)
  } finally {
    // A merge holds what was opened for a stream.
    discard(live)
  }
  const variables = variablesFrom(context, typeof context === 'function' ? await (context as () => unknown)() : context)
  const cursor = await cursorOf(options, position, variables)
  const { signals } = live!
  await signals?.ready()
  return await render(variables, new StreamAddress(request, cursor, signals))
}

// A context that is not a function was never checked, and may be empty.
function variablesFrom (given: PageContext, made: unknown): FragmentContext {
  if (typeof given === 'function') checkReturned(made)
  return made as FragmentContext
}

function liveOf (options: PageOptions): unknown {
  try {
    return options.live
  } catch {
    return undefined
  }
}

/** Whether a request for a live page is the one of its stream. */
export function asksForStream (request: FastifyRequest): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false
  // htmx 4 accepts HTML for its stream too; the page's own address never has this parameter.
  return hasParameter(request, LAST_EVENT_ID) || wantsEventStream(headerOf(request, 'accept'))
}

// htmx swaps whole pages when it restores history, when a link is boosted, and
// when htmx 4 says so.
function wantsBlock (request: FastifyRequest): boolean {
  return headerOf(request, 'hx-request') === 'true' && headerOf(request, 'hx-boosted') !== 'true' &&
    headerOf(request, 'hx-history-restore-request') !== 'true' && headerOf(request, 'hx-request-type') !== 'full'
}

function sendHtml (reply: FastifyReply, html: string | Promise<string | StreamPayload>): FastifyReply {
  if (!reply.hasHeader('content-type')) reply.type('text/html; charset=utf-8')
  if (typeof html === 'string') return reply.send(html)
  html.then(html => { reply.send(html) }).catch(error => fail(reply, error))
  return reply
}

/** Answers with an error. Behind a promise no code catches an error that Fastify throws, and it must not end the process. */
export function fail (reply: FastifyReply, error: unknown): void {
  try {
    if (reply.sent) reportFailure(reply.log, error, 'a page was not sent: its reply was already sent')
    else reply.send(toErrorObject(error))
  } catch (refusal) {
    // An error is being answered already.
    reportFailure(reply.log, refusal, 'a page was not sent')
  }
}
