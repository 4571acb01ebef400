// HTML without a stream: app.renderFragment(), reply.fragment() and reply.page().
import type { FastifyReply, FastifyRequest } from 'fastify'
import { FST_CHIRP_FRAGMENT, FST_CHIRP_OPTION } from '../errors.js'
import { Fragment, type FragmentContext } from '../message/fragment.js'
import type { Renderer } from '../render/renderer.js'
import { reportFailure } from '../stream/telemetry.js'
import { addVary } from '../transport/negotiation.js'
import { describe } from '../util/describe.js'
import { isOf } from '../util/kind.js'
import { headerOf } from '../util/request.js'
import { toErrorObject } from '../util/thrown.js'
import { refuseUnknown } from '../util/options.js'

const PAGE_VARY = 'HX-Request, HX-Request-Type, HX-Boosted, HX-History-Restore-Request'

/** Implements `app.renderFragment()`. */
export async function renderFragment (renderer: Renderer, fragment: Fragment): Promise<string> {
  if (!isOf(fragment, Fragment)) {
    throw new FST_CHIRP_FRAGMENT(`renderFragment() takes a Fragment, not ${describe(fragment)}. Call renderFragment(new Fragment(template, block, context))`)
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
  renderer: Renderer, reply: FastifyReply, template: string, context: FragmentContext = {}, options: PageOptions = {}
): FastifyReply {
  refuseUnknown('of reply.page()', options, ['block'])
  const { block } = options
  if (block !== undefined && (typeof block !== 'string' || block === '')) {
    throw new FST_CHIRP_OPTION(`option "block" of reply.page() must be the name of a block, not ${describe(block)}`)
  }
  if (block === undefined) return sendHtml(reply, renderer.for(reply).renderTemplate(template, context))
  addVary(reply, PAGE_VARY)
  return wantsBlock(reply.request)
    ? sendFragment(renderer, reply, template, block, context)
    : sendHtml(reply, renderer.for(reply).renderTemplate(template, context))
}

// htmx swaps whole pages when it restores history, when a link is boosted, and
// when htmx 4 says so.
function wantsBlock (request: FastifyRequest): boolean {
  return headerOf(request, 'hx-request') === 'true' && headerOf(request, 'hx-boosted') !== 'true' &&
    headerOf(request, 'hx-history-restore-request') !== 'true' && headerOf(request, 'hx-request-type') !== 'full'
}

function sendHtml (reply: FastifyReply, html: string | Promise<string>): FastifyReply {
  if (!reply.hasHeader('content-type')) reply.type('text/html; charset=utf-8')
  if (typeof html === 'string') return reply.send(html)
  html.then(html => { reply.send(html) }).catch(error => fail(reply, error))
  return reply
}

// Behind a promise nobody catches what Fastify throws: it must not end the process.
function fail (reply: FastifyReply, error: unknown): void {
  try {
    if (reply.sent) reportFailure(reply.log, error, 'a page was not sent: its reply was already sent')
    else reply.send(toErrorObject(error))
  } catch (refusal) {
    // An error is being answered already.
    reportFailure(reply.log, refusal, 'a page was not sent')
  }
}

/** Options of `reply.page()`. */
export interface PageOptions {
  /** The block that an htmx request gets instead of the page. Default: none, the page for everyone. */
  block?: string | undefined
}
