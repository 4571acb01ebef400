// reply.page() with deferred values: the form of the page for each client, and its end.
import type { FastifyReply } from 'fastify'
import type { PageStream } from '../render/renderer.js'
import { AFTER_GAP } from '../stream/context.js'
import type { StreamEnvironment } from '../stream/environment.js'
import { reportFailure } from '../stream/telemetry.js'
import { addVary } from '../transport/negotiation.js'
import type { Destination } from '../transport/destination.js'
import { StreamPayload } from '../transport/payload.js'
import { cutOff, isGone, whenGone } from '../transport/queue.js'
import { headerOf } from '../util/request.js'
import type { Deferred } from './defer.js'
import type { PageOptions } from './options.js'
import { encodingFor, Outlet } from './outlet.js'
import { PartsPage } from './parts.js'
import type { PendingPages } from './pending.js'
import { readersIn } from './readers.js'
import { DeferredValues } from './values.js'

export interface PageEnvironment extends StreamEnvironment {
  pendingPages: PendingPages
}

/** The template or block to render. */
export interface PageSubject {
  template: string
  /** The block that an htmx request gets. */
  block: string | undefined
}

const TIMEOUT = 10000

/**
 * The answer of a page with deferred values: all of it where it must be whole, else a payload that sends it in parts.
 *
 * @throws (as a rejection) what the shell throws, or the option `await`.
 */
export async function deferredPage (
  app: PageEnvironment, reply: FastifyReply, { template, block }: PageSubject, context: object, given: ReadonlyMap<string, Deferred>, options: PageOptions, page: PageStream | undefined
): Promise<string | StreamPayload> {
  const { request, log } = reply
  const renderer = app.renderer.for(reply)
  const { reads } = renderer
  // It says what is missing.
  if (reads === undefined) return renderer.renderTemplate(template, context)
  const { timeout = TIMEOUT, order } = options
  const route = request.routeOptions.url
  const report = (error: unknown, message: string): void => { reportFailure(log, error, message, { route, requestId: request.id }) }
  // Before anything is loaded.
  const isWhole = readsNoParts(reply) || (options.await !== undefined && Boolean(await options.await(request))) || block !== undefined
  addVary(reply, 'HX-Request, Chirp-Gap')
  const values = new DeferredValues(given, context, log, (name, error) => report(error, `the deferred value ${JSON.stringify(name)} failed`))
  const response = reply.raw
  const socket = request.raw.httpVersionMajor === 1 ? request.raw.socket : undefined
  const cut = (): void => { cutOff(response as unknown as Destination, socket) }
  const remove = app.pendingPages.add({ values, destroy: cut })
  let parts: PartsPage | undefined
  let outlet: Outlet | undefined
  // A page that leaves may never be sent: a hook replaces it, or it is a 304.
  const over = (): void => {
    values.stop()
    parts?.stop()
    remove()
    forget()
  }
  const forget = whenGone(response, socket, () => {
    over()
    outlet?.left()
  })
  if (isGone(response as unknown as Destination, socket)) over()
  try {
    // A value that is there without any wait comes with its page.
    if (values.pending > 0) await new Promise<void>(resolve => { process.nextTick(resolve) })
    if (values.pending > 0 && timeout !== false) values.limit(timeout)
    if (isWhole) await values.settled(values.names)
    if (values.areThere && !values.isStopped) {
      const html = await (block === undefined ? renderer.renderTemplate(template, values.variables, page) : renderer.renderBlock(template, block, values.variables, page))
      over()
      return html
    }
    const opened = await renderer.open(template)
    const readers = readersIn(await opened.reads(), [...given.keys()])
    const sent = parts = new PartsPage({
      debug: app.settings.debug,
      counters: app.registry.counters,
      render: (block, page) => opened.render(block, values.variables, page),
      report,
      waits: (variable, why) => { app.warnings?.checkDeferred(template, variable, why) }
    }, values, readers, { connect: page?.connect?.bind(page), signals: page?.signals }, order === 'document')
    const shell = isWhole || values.pending === 0 ? await sent.whole(block) : await sent.shell()
    if (typeof shell === 'string') {
      over()
      return shell
    }
    if (!reply.hasHeader('x-accel-buffering')) reply.header('x-accel-buffering', 'no')
    const encoding = encodingFor(reply)
    const { writeTimeout } = app.settings
    return new StreamPayload({
      prepare: () => { if (encoding !== undefined) reply.header('content-encoding', encoding).removeHeader('content-length') },
      start: (dest, end) => {
        outlet = new Outlet(dest, end, reply, encoding, writeTimeout, cut)
        if (values.isStopped) outlet.left()
        sent.send(shell, outlet).then(over, error => {
          report(error, 'a page was not sent to its end')
          cut()
          over()
        })
      }
    }, reply)
  } catch (error) {
    over()
    throw error
  }
}

/** Neither htmx nor the client script, after a gap, does anything with a part. */
function readsNoParts ({ request }: FastifyReply): boolean {
  return request.method === 'HEAD' || headerOf(request, 'hx-request') === 'true' || headerOf(request, AFTER_GAP) !== undefined
}
