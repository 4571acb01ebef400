// What the plugin adds to Fastify's own types.
import type { Channel } from './channel/channel.js'
import type { JobSourceFunction } from './channel/job-run.js'
import type { Job, JobOptions } from './channel/job.js'
import type { ChannelOptions } from './channel/options.js'
import type { ContractOptions } from './contracts/options.js'
import type { ContractReport } from './contracts/types.js'
import type { LiveViewOptions } from './live/options.js'
import type { SignalFeed } from './live/signals/feed.js'
import type { DerivedOptions, SignalOptions, SignalsOptions } from './live/signals/options.js'
import type { Dependency, Derived, Signal, ValuesOf } from './live/signals/signal.js'
import type { LiveView } from './live/view.js'
import type { Fragment, FragmentContext } from './message/fragment.js'
import type { LivePageOptions } from './pages/live.js'
import type { PageContext, PageOptions } from './pages/options.js'
import type { EventStreams, EventStreamSource, StreamOptions, StreamSource, StreamSourceFunction } from './stream/types.js'

declare module 'fastify' {
  interface FastifyReply {
    /**
     * Keeps the connection open and sends every value of `source` as one
     * Server-Sent Event. Return what it returns from the handler.
     *
     * @throws FST_CHIRP_SOURCE when nothing can be streamed from `source`.
     * @throws FST_CHIRP_OPTION when an option is unknown or has a bad value.
     * @throws FST_CHIRP_ALREADY_SENT when this reply was already sent.
     * @throws FST_CHIRP_NOT_ACCEPTABLE (406) when the client refuses `text/event-stream`.
     */
    eventStream (source: EventStreamSource | StreamSourceFunction, options?: StreamOptions): FastifyReply
    /**
     * Answers with one block of a template as HTML.
     *
     * @throws FST_CHIRP_* when the block cannot be rendered.
     */
    fragment (template: string, block: string, context?: FragmentContext): FastifyReply
    /**
     * Answers with a whole page, or only with `options.block` of it to an htmx
     * request that is neither boosted nor a history restore. With `options.live` the address of the page has its
     * stream too, and in the template `sse_connect()` prints where it goes on: what happens in between is replayed.
     * `context` may be a function, sync or async, which is called when the page is asked for.
     *
     * @throws FST_CHIRP_* when it cannot be rendered.
     * @throws FST_CHIRP_OPTION when an option is unknown or has a bad value.
     * @throws FST_CHIRP_LIVE when `live` or `cursor` cannot say where the stream goes on.
     */
    page<Context extends FragmentContext> (template: string, context?: PageContext<Context>, options?: PageOptions<Context>): FastifyReply
    /**
     * Answers with the page of one key of a live view, and on the same address with its stream, as {@link page} does
     * with `live`. A request that `authorize` refuses gets 403, and a key whose `context` is null 404.
     *
     * @throws FST_CHIRP_OPTION for what is no view or no key, and for a bad option.
     */
    live (view: LiveView, key: string | number, options?: LivePageOptions): FastifyReply
  }

  interface FastifyInstance {
    /** The streams of this app: their counters, read live, and how they are ended. */
    readonly eventStreams: EventStreams
    /**
     * The channel of this name, made when it is first asked for. `Audience` types what `publish()` and filters name readers by, `Event` what
     * can be published; neither is checked at run time.
     *
     * @throws FST_CHIRP_OPTION for a bad name or option, and for options that
     * differ from those that the channel was made with.
     */
    channel<Audience = unknown, Event = unknown> (name: string, options?: ChannelOptions<NoInfer<Event>>): Channel<Audience, Event>
    /** The job of this id, while it runs and as long as it is kept. */
    job (id: string): Job | undefined
    /**
     * Starts work that does not end with its client: `source` runs at once, whether somebody follows or not. Gives the job
     * of this id without starting another where it runs or is kept.
     *
     * @throws FST_CHIRP_OPTION for a bad id or option.
     * @throws FST_CHIRP_SOURCE when nothing can be pulled from `source`.
     * @throws FST_CHIRP_JOB when the app closes.
     */
    job (id: string, source: StreamSource | JobSourceFunction, options?: JobOptions): Job
    /**
     * Makes a live view: a page whose blocks follow their data, as `view.changed()` says what has changed. With the
     * name alone it gives the view that was made. `Viewer` is what the option `viewer` gives; put that before `context`
     * to have its type there.
     *
     * @throws FST_CHIRP_OPTION for a bad name or option, and for a name that is taken.
     */
    liveView<Viewer = unknown> (name: string, options?: LiveViewOptions<Viewer>): LiveView
    /**
     * The signal of this name, made when it is first asked for: one value that many places show, and that follow it.
     * In templates `signal("balance")` prints it.
     *
     * @throws FST_CHIRP_OPTION for a bad name or option, and for options that differ from those that it was made with.
     * @throws FST_CHIRP_SIGNAL for the name of a derived value.
     * @throws FST_CHIRP_VALUE for an `initial` that is no plain data.
     */
    signal<T> (name: string, options: SignalOptions<T> & { initial: T | (() => T | Promise<T>) }): Signal<T>
    signal<T = unknown> (name: string, options?: SignalOptions<T>): Signal<T | undefined>
    /**
     * A value that `make` makes of signals and other derived values, whenever one of them changes; undefined while one
     * of them is undefined. `make` answers at once. What it throws is logged, and the value stays as it is. Names may be
     * declared later, until the app starts.
     *
     * @throws FST_CHIRP_OPTION for a bad name or option.
     * @throws FST_CHIRP_SIGNAL for a name that is taken, for a signal of another registration, and for a circle. An
     * unknown name fails `app.ready()`.
     */
    derived<const Deps extends readonly Dependency[], T> (name: string, deps: Deps, make: (...values: ValuesOf<Deps>) => T, options?: DerivedOptions<NoInfer<T>>): Derived<T>
    /**
     * The newest values of signals, to be streamed: as `live` of `reply.page()`, in `reply.eventStream()` and `merge()`.
     * `Audience` is what `signal.set()` was given.
     *
     * @throws FST_CHIRP_OPTION for a bad option.
     * @throws FST_CHIRP_SIGNAL for a name that nothing has.
     */
    signals<Audience = unknown> (options?: SignalsOptions<Audience>): SignalFeed
    /**
     * The HTML of a fragment, trimmed.
     *
     * @throws FST_CHIRP_* (as a rejection) when it cannot be rendered.
     */
    renderFragment (fragment: Fragment): Promise<string>
    /**
     * Holds the templates and the source of this app against its routes, and
     * resolves with what does not fit. Makes the app ready first, so it must not
     * be awaited inside of a plugin.
     *
     * @throws FST_CHIRP_OPTION (as a rejection) for a bad option, and what
     * starting the app throws.
     */
    checkContracts (options?: ContractOptions): Promise<ContractReport>
  }

  interface RouteShorthandOptions {
    /**
     * Tells the checker that no link leads to this route, and that something else reaches it, such as an `sse-connect` attribute:
     * `app.checkContracts()` does not report it as `orphan` or `unreferenced-stream`. The route also gets all that `live` gives it. Default: false.
     */
    referenced?: boolean | undefined
    /**
     * Gives a route that answers with streams the shorter way to the response, and switches @fastify/compress off for it. Its handler may be
     * an async generator, or return what is streamed. The checker treats the route as any other. A stream works without it. Default: false.
     */
    live?: boolean | undefined
    /** The event names that the stream of this route sends, which `app.checkContracts()` compares with what pages wait for. */
    events?: readonly string[] | undefined
  }

  interface FastifyContextConfig {
    /** The route of the client script, to let it pass where others are asked who they are. */
    chirp?: 'client'
    referenced?: boolean | undefined
    live?: boolean | undefined
    events?: readonly string[] | undefined
  }
}
