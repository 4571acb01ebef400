// A live view: a page whose blocks follow their data.
import type { FastifyRequest } from 'fastify'
import { liveTopic } from '../channel/topics.js'
import { viewerKey } from '../channel/viewer.js'
import { FST_CHIRP_BLOCK_NOT_FOUND, FST_CHIRP_CHANNEL_CLOSED, FST_CHIRP_CONTEXT_TIMEOUT, FST_CHIRP_FORBIDDEN, FST_CHIRP_NO_TEMPLATES, FST_CHIRP_OPTION } from '../errors.js'
import type { FragmentContext } from '../message/fragment.js'
import type { TemplateReads } from '../render/reads.js'
import { record } from '../render/recording.js'
import type { PrintedSignals } from '../render/renderer.js'
import { tryLog } from '../util/log.js'
import { whenDone, within, type MaybePromise } from '../util/promise.js'
import { toRecord, type Change } from './change.js'
import { awaitDeferred, hearPromises } from './deferred.js'
import type { LiveEnvironment } from './environment.js'
import { factsOf, type ViewFacts } from './facts.js'
import type { GroupHost } from './group.js'
import { HISTORY, LiveKey } from './key.js'
import { Keys } from './keys.js'
import { checkLiveKey, checkMade, checkPaths, type LiveViewSettings } from './options.js'
import { Plan, type Explanation, type LiveBlock } from './plan.js'
import { LiveSource, type SourceHost } from './source.js'
import { isChangeTraced, isUpdateTraced, traceChange, traceUpdate, type ViewAbout } from './telemetry.js'

// Where an engine keeps the changes, this process need not.
const LINGER = 300_000
const LINGER_SHARED = 5000
const MANY_VIEWERS = 1000
// Milliseconds for a context that streams wait for. A page waits as long as the app lets it.
const CONTEXT_LIMIT = 30_000

/** A live view, made by `app.liveView()`. */
export class LiveView {
  /** The name that it was made with. */
  readonly name: string
  readonly #app: LiveEnvironment
  readonly #settings: LiveViewSettings
  readonly #about: ViewAbout
  readonly #keys: Keys
  readonly #plans = new WeakMap<TemplateReads, Plan>()
  readonly #told = new Set<string>()
  readonly #sourceHost: SourceHost
  #isClosed = false

  /** Made by `app.liveView()`. @internal */
  constructor (settings: LiveViewSettings, app: LiveEnvironment) {
    this.name = settings.name
    this.#settings = settings
    this.#app = app
    this.#about = { app: app.app, view: settings.name }
    const { engine, isShared } = app
    this.#keys = new Keys(isShared ? LINGER_SHARED : LINGER, name => this.#createKey(name), key => {
      // Others may need what is kept of it.
      if (!isShared) engine.forget?.(key.topic)
    })
    this.#sourceHost = {
      open: key => this.#open(key),
      isAllowed: (request, key) => this.#isAllowed(request!, key),
      viewerOf: request => this.#viewerOf(request!)
    }
  }

  /**
   * Reports a change of data, after it was saved: the blocks that read it are rendered again. `paths` names parts of the context, such
   * as `comments` or `ticket.lines[].price`; a path covers all that is in it. Default: everything. It need not be
   * awaited: a failure is logged. A promise that you derive from it is yours to catch.
   *
   * @throws FST_CHIRP_OPTION (as a rejection) for a bad key or path.
   * @throws FST_CHIRP_ENGINE (as a rejection) when the engine could not tell the other processes. The streams of this one follow.
   * @throws FST_CHIRP_CHANNEL_CLOSED (as a rejection) when the app has closed.
   */
  changed (key: string | number, paths?: readonly string[]): Promise<void> {
    const changed = isChangeTraced()
      ? traceChange({ ...this.#about, key, paths }, ({ traceparent }) => this.#changed(key, paths, traceparent))
      : this.#changed(key, paths)
    return this.#heard(changed, 'a change')
  }

  /**
   * One key for one request, to be streamed or merged with others. `request` may be left out where the view has neither
   * `viewer` nor `authorize`. A request that `authorize` refuses gets `chirp:closed` as soon as it is streamed.
   *
   * @throws FST_CHIRP_OPTION for a bad key, and without a request that is needed.
   */
  source (key: string | number, request?: FastifyRequest): LiveSource {
    const { viewer, authorize } = this.#settings
    if (request === undefined && (viewer ?? authorize) !== undefined) {
      throw new FST_CHIRP_OPTION(`live view "${this.name}" has the option "viewer" or "authorize", so view.source() needs the request: view.source(key, request)`)
    }
    return new LiveSource(this.#sourceHost, checkLiveKey('view.source()', key), request)
  }

  /**
   * Asks `authorize` again for every stream of a key, in all processes: those that it refuses get `chirp:closed` and
   * end, and a stream with another `viewer` now gets the renders for that one. Resolves to how many were closed here.
   * It need not be awaited, as {@link changed}.
   *
   * @throws FST_CHIRP_OPTION (as a rejection) for a bad key.
   * @throws FST_CHIRP_ENGINE (as a rejection) when the engine could not tell the other processes.
   */
  recheck (key: string | number): Promise<number> {
    return this.#heard(this.#recheck(key), 'that rights have changed')
  }

  /**
   * The paths that a block reads, sorted. A promise where templates are loaded asynchronously.
   *
   * @throws FST_CHIRP_BLOCK_NOT_FOUND for a block that does not follow its data, and what loading the template throws.
   */
  reads (block: string): MaybePromise<string[]> {
    return whenDone(this.plan(), plan => {
      const paths = plan.reads(block)
      if (paths !== undefined) return paths
      throw new FST_CHIRP_BLOCK_NOT_FOUND(`${this.#settings.template}" of live view "${this.name}`, block, plan.blocks.map(({ block }) => `"${block}"`).join(', '))
    })
  }

  /**
   * The blocks that follow a change of these paths, with the expressions that read them. Default: of everything. A
   * promise where templates are loaded asynchronously.
   *
   * @throws FST_CHIRP_OPTION for a value that is not a path, and what loading the template throws.
   */
  explain (paths?: readonly string[]): MaybePromise<Explanation[]> {
    const checked = checkPaths('view.explain()', paths) ?? ['*']
    return whenDone(this.plan(), plan => plan.explain(checked))
  }

  /** @internal */
  get template (): string {
    return this.#settings.template
  }

  /**
   * The source for a request that may see the key, with its viewer.
   *
   * @throws FST_CHIRP_FORBIDDEN (as a rejection).
   * @internal
   */
  async grant (key: string, request: FastifyRequest): Promise<{ source: LiveSource, viewer: string | undefined }> {
    const live = this.#open(key)
    const { rechecks } = live
    if (!await this.#isAllowed(request, key)) throw new FST_CHIRP_FORBIDDEN(this.name)
    const viewer = await this.#viewerOf(request)
    return { source: new LiveSource(this.#sourceHost, key, request, { live, rechecks, viewer }), viewer }
  }

  /** The variables of a page; null when the key does not exist. @internal */
  async context (key: string, viewer: string | undefined, signal: AbortSignal): Promise<FragmentContext | null> {
    // A copy for each call, which may change it.
    const given = { viewer: viewer === undefined ? undefined : JSON.parse(viewer), signal }
    return checkMade(this.name, await this.#settings.context(key, given))
  }

  /** @internal */
  plan (): MaybePromise<Plan> {
    const { reads } = this.#app
    const { template } = this.#settings
    if (reads === undefined) throw new FST_CHIRP_NO_TEMPLATES(template, 'views')
    return whenDone(reads.analyse(template), found => {
      let plan = this.#plans.get(found)
      if (plan === undefined) {
        plan = new Plan(this.#settings, found)
        this.#plans.set(found, plan)
      }
      return plan
    })
  }

  /** @internal */
  facts (): Promise<ViewFacts> {
    return factsOf(this.#settings, async () => this.plan())
  }

  /** @internal */
  close (): void {
    this.#isClosed = true
    this.#keys.close()
  }

  async #changed (key: unknown, paths: unknown, traceparent?: string): Promise<void> {
    const name = checkLiveKey('view.changed()', key)
    const checked = checkPaths('view.changed()', paths)
    if (checked?.length === 0) return
    await this.#tell(name, { paths: checked, traceparent })
  }

  async #recheck (key: unknown): Promise<number> {
    const name = checkLiveKey('view.recheck()', key)
    const { isShared, id } = this.#app
    const closing = this.#keys.find(name)?.recheck()
    if (isShared) await this.#tell(name, { recheck: id })
    return await closing ?? 0
  }

  /** Publishes a change. Without an engine, a key that never had a stream needs no publication. */
  async #tell (name: string, change: Change): Promise<void> {
    const { engine, isShared } = this.#app
    if (this.#isClosed) throw new FST_CHIRP_CHANNEL_CLOSED(this.name)
    const live = this.#keys.find(name)
    if (live === undefined && !isShared) return
    try {
      await engine.publish(liveTopic(this.name, name), { record: toRecord(change), audience: undefined, history: HISTORY })
    } catch (error) {
      live?.hear(change)
      throw error
    }
  }

  #heard<T> (told: Promise<T>, what: string): Promise<T> {
    // A caller that does not await it must not bring the process down.
    told.catch(error => this.#app.report(error, `live view ${JSON.stringify(this.name)} could not tell ${what}`))
    return told
  }

  #open (key: string): LiveKey {
    if (this.#isClosed) throw new FST_CHIRP_CHANNEL_CLOSED(this.name)
    return this.#keys.open(key)
  }

  async #isAllowed (request: FastifyRequest, key: string): Promise<boolean> {
    const { authorize } = this.#settings
    return authorize === undefined || Boolean(await authorize(request, key))
  }

  async #viewerOf (request: FastifyRequest): Promise<string | undefined> {
    const { viewer } = this.#settings
    return viewer === undefined ? undefined : viewerKey(await viewer(request), `option "viewer" of app.liveView('${this.name}')`)
  }

  #createKey (name: string): LiveKey {
    const { engine, id, report } = this.#app
    return new LiveKey(name, liveTopic(this.name, name), {
      engine,
      id,
      report,
      group: key => this.#groupHost(key),
      viewers: count => {
        if (count > MANY_VIEWERS) this.#tellOnce('viewers', `one key of live view ${JSON.stringify(this.name)} has more than ${MANY_VIEWERS} different viewers, and is rendered for each of them. Give in "viewer" only what its templates read, such as a role`)
      },
      joined: key => { this.#keys.joined(key) },
      emptied: key => { this.#keys.rest(key) },
      failed: key => { this.#keys.failed(key) }
    })
  }

  #groupHost (key: LiveKey): Omit<GroupHost, 'position' | 'emptied'> {
    const { debug, log, report, deferredIn, signals } = this.#app
    const name = JSON.stringify(this.name)
    const tell = (what: string, message: string): void => { if (debug) this.#tellOnce(what, message) }
    return {
      delay: this.#settings.delay,
      debug,
      plan: () => this.plan(),
      context: async (viewer, signal, isRead) => {
        const made = await within(CONTEXT_LIMIT, this.context(key.name, viewer, signal), () => new FST_CHIRP_CONTEXT_TIMEOUT(this.name, CONTEXT_LIMIT))
        return made && awaitDeferred(made, deferredIn, isRead, { signal, log, found: hearPromises(name, report, tell) })
      },
      render: async (block, context, signals) => this.#render(block, context, signals),
      signals,
      update: (facts, run) => isUpdateTraced() ? traceUpdate({ ...this.#about, key: key.name, ...facts() }, run) : run(),
      report: (error, what) => { report(error, `${what} of live view ${name} failed. It is tried again`) },
      sent: ({ paths }, targets, followers) => {
        tryLog(log, 'debug', { view: this.name, key: key.name, changed: paths === undefined ? '*' : [...paths], sent: [...targets], streams: followers }, 'blocks of a live view were rendered')
      }
    }
  }

  async #render (block: LiveBlock, context: FragmentContext, signals: PrintedSignals): Promise<string> {
    const { renderer, counters, debug } = this.#app
    const { template } = this.#settings
    counters.renders++
    if (!debug) return await renderer.renderBlock(template, block.block, context, { signals })
    const recording = record(context)
    const html = await renderer.renderBlock(template, block.block, recording.context, { signals })
    for (const path of recording.unknown(block.known)) {
      this.#tellOnce(`${block.block} ${path}`, `block "${block.block}" of live view ${JSON.stringify(this.name)} reads "${path}", which its template does not show. Add it to the options of the view: reads: { ${JSON.stringify(block.block)}: [${JSON.stringify(path)}] }`)
    }
    return html
  }

  #tellOnce (what: string, message: string): void {
    if (this.#told.has(what)) return
    this.#told.add(what)
    tryLog(this.#app.log, 'warn', {}, message)
  }
}
