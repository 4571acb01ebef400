// Puts the parts together: decorators, route marks, and the end of all streams.
import { randomUUID } from 'node:crypto'
import type { Server, Socket } from 'node:net'
import type { FastifyInstance, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import { Channels } from './channel/channels.js'
import { Jobs } from './channel/jobs.js'
import { checkRegistered } from './contracts/options.js'
import { Registration } from './contracts/registration.js'
import { checkAtStart } from './contracts/start.js'
import { noteHandler } from './contracts/wrapped.js'
import { FST_CHIRP_OPTION, FST_CHIRP_REGISTERED } from './errors.js'
import type { LiveViewOptions } from './live/options.js'
import type { DerivedOptions, SignalOptions, SignalsOptions } from './live/signals/options.js'
import { LiveViews } from './live/views.js'
import { Signals } from './live/signals/signals.js'
import { resolveOptions } from './options.js'
import { deferredIn } from './pages/defer.js'
import type { PageEnvironment } from './pages/deferred-page.js'
import { addErrorPages } from './pages/error-page.js'
import { sendLive } from './pages/live.js'
import { hideParameters } from './pages/query.js'
import { renderFragment, sendFragment, sendPage } from './pages/page.js'
import { PendingPages } from './pages/pending.js'
import { createRenderer } from './render/nunjucks/renderer.js'
import { serveScript } from './script.js'
import { nameProblem } from './sse/field.js'
import { Registry } from './stream/registry.js'
import { streamReturned } from './stream/returned.js'
import { kStarted, startEventStream } from './stream/start.js'
import { Warnings } from './stream/warnings.js'
import { KEEP_ALIVE_DELAY } from './transport/destination.js'
import { addFirstOnRoute, isClosedWith503 } from './transport/private.js'
import { takeOverRoute } from './transport/takeover.js'
import type { ChirpOptions, ChirpPlugin } from './types.js'
import { describe } from './util/describe.js'
import { noteClosed, noteRegistered } from './util/lifecycle.js'
import { tryLog } from './util/log.js'

const CLOSED_WITH_503 = 'Fastify answers 503 to each request while it closes, and an EventSource gives up then. With its option return503OnClosing: false, new streams get chirp:closing instead and come back'

async function chirp (app: FastifyInstance, options: ChirpOptions): Promise<void> {
  if (Object.hasOwn(app, 'eventStreams')) throw new FST_CHIRP_REGISTERED()
  const settings = resolveOptions(options)
  await checkRegistered(options.contracts)
  const clientScript = serveScript(app, settings, options.templates !== undefined)
  const report = (error: unknown, message: string): void => { channels.report(error, message) }
  // Signals need the renderer too.
  const printed = { html: (name: string): string => signals.html(name) }
  const renderer = createRenderer({
    templates: options.templates,
    debug: settings.debug,
    dialect: settings.stream.dialect,
    clientScript,
    signals: printed,
    app,
    report
  })
  const registry = new Registry(settings, app.log)
  const warnings = settings.debug ? new Warnings(app.log) : undefined
  const pendingPages = new PendingPages(settings.shutdownGrace)
  const environment: PageEnvironment = { app, settings, renderer, registry, warnings, pendingPages }
  const channels = new Channels(environment, app, options.engine, printed)
  const jobs = new Jobs(settings, channels, app.log)
  const live = {
    renderer,
    counters: registry.counters,
    debug: settings.debug,
    log: app.log,
    report
  }
  const views = new LiveViews({ ...live, app, engine: channels.engine, isShared: channels.isShared, id: randomUUID(), reads: renderer.reads, deferredIn, signals: printed })
  const signals = new Signals({ ...live, channels })
  addFirstOnRoute(app, noteHandler)
  const contracts = new Registration(app, renderer, { contracts: options.contracts, client: settings.client }, {
    signals: () => signals.names,
    views: () => views.facts()
  })

  app.decorate('eventStreams', registry.counters)
  app.decorate('renderFragment', fragment => renderFragment(renderer, fragment))
  app.decorate('channel', (name, options) => channels.get(name, options))
  app.decorate('job', ((id, source, options) => jobs.get(id, source, options)) as FastifyInstance['job'])
  app.decorate('liveView', (name, options) => views.get(name, options as LiveViewOptions))
  app.decorate('signal', ((name, options) => signals.signal(name, options as SignalOptions)) as FastifyInstance['signal'])
  app.decorate('derived', ((name, deps, make, options) => signals.derived(name, deps, make, options as DerivedOptions)) as FastifyInstance['derived'])
  app.decorate('signals', options => signals.feed(options as SignalsOptions))
  app.decorate('checkContracts', options => contracts.check(options))
  // A scope inside of a registered one inherits it; what is a function it replaces.
  if (!app.hasReplyDecorator(kStarted)) app.decorateReply(kStarted, false)
  app.decorateReply('eventStream', function (source, options) {
    return startEventStream(environment, this, source, options)
  })
  app.decorateReply('fragment', function (template, block, context) {
    return sendFragment(renderer, this, template, block, context)
  })
  app.decorateReply('page', function (template, context, options) {
    return sendPage(environment, this, template, context, options)
  })
  app.decorateReply('live', function (view, key, options) {
    return sendLive(environment, this, view, key, options)
  })
  app.addHook('onRoute', route => {
    // The registration around this one was here before.
    if (known.has(route)) return
    known.add(route)
    contracts.add(route)
    markRoute(route)
  })
  // An open stream would keep the server from closing.
  app.addHook('preClose', async () => {
    // The streams first: their clients have to reconnect, and must not take a job for ended.
    await Promise.all([registry.close(), jobs.close(), pendingPages.close()])
  })
  noteRegistered(app.server)
  app.addHook('onClose', () => {
    views.close()
    signals.close()
    noteClosed(app.server)
    return channels.close()
  })
  app.addHook('onReady', async () => renderer.learn(app))
  app.addHook('onReady', async () => {
    await channels.start()
    await jobs.ready()
  })
  app.addHook('onReady', () => signals.start())
  app.addHook('onReady', () => views.start())
  if (settings.debug) {
    if (isClosedWith503(app)) tryLog(app.log, 'debug', {}, CLOSED_WITH_503)
    addErrorPages(app, renderer.library)
    checkAtStart(contracts)
  }
  if (warnings !== undefined) {
    app.addHook('preSerialization', (request, _reply, payload, done) => {
      warnings.checkPayload(request, payload)
      done(null, payload)
    })
  }
  if (app.initialConfig.http2 === true) keepSessionsAlive(app.server)
}

/** The routes that a registration has seen. */
const known = new WeakSet<RouteOptions>()

function markRoute (route: RouteOptions): void {
  const { events, method, url, referenced, live } = route
  for (const [name, mark] of Object.entries({ referenced, live })) {
    if (mark !== undefined && typeof mark !== 'boolean') {
      throw new FST_CHIRP_OPTION(`route option "${name}" of ${url} must be true or false, not ${describe(mark)}`)
    }
  }
  if (events !== undefined && (!Array.isArray(events) || events.some(name => nameProblem('event', name) !== undefined))) {
    throw new FST_CHIRP_OPTION(`route option "events" of ${url} must be a list of event names, such as ['news', 'status']`)
  }
  if (referenced !== true && live !== true) return
  // Custom options do not reach request.routeOptions by themselves.
  route.config = { ...route.config, ...(referenced && { referenced }), ...(live && { live }), ...(events && { events }) }
  // For @fastify/compress, which would hold events back.
  const compressible = route as { compress?: unknown }
  compressible.compress ??= false
  streamReturned(route)
  hideParameters(route)
  if (method !== 'HEAD') takeOverRoute(route)
}

// The sockets of HTTP/2 are out of reach once a session has them.
function keepSessionsAlive (server: Server): void {
  if (!server.listeners('connection').includes(keepAlive)) server.on('connection', keepAlive)
}

function keepAlive (socket: Socket): void {
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY)
}

/** The plugin: `await app.register(chirp, options)`. */
export default fp(chirp, { name: 'fastify-chirp', fastify: '5.x' }) as ChirpPlugin
