// The additions of the plugin to Fastify's own types.
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
     * stream too, and in the template `sse_connect()` prints the position that the stream starts from: events in between are replayed.
     * `context` may be a function, sync or async, which is called for each page request.
     *
     * @throws FST_CHIRP_* when it cannot be rendered.
     * @throws FST_CHIRP_OPTION when an option is unknown or has a bad value.
     * @throws FST_CHIRP_LIVE when `live` or `cursor` cannot tell where the stream starts.
     */
    page<Context extends FragmentContext> (template: string, context?: PageContext<Context>, options?: PageOptions<Context>): FastifyReply
    /**
     * Answers with the page of one key of a live view, and on the same address with its stream, as {@link page} does
     * with `live`. A request that `authorize` refuses gets 403, and a key whose `context` is null 404.
     *
     * @throws FST_CHIRP_OPTION for something that is not a view or not a key, and for a bad option.
     */
    live (view: LiveView, key: string | number, options?: LivePageOptions): FastifyReply
  }

  interface FastifyInstance {
    /** The streams of this app: their counters, read live, and how they are ended. */
    readonly eventStreams: EventStreams
    /**
     * The channel of this name, made on first use. `Audience` types the audience of `publish()` and of filters, `Event` the values that
     * can be published. Neither is checked at run time.
     *
     * @throws FST_CHIRP_OPTION for a bad name or option, and for options that
     * differ from those that the channel was made with.
     */
    channel<Audience = unknown, Event = unknown> (name: string, options?: ChannelOptions<NoInfer<Event>>): Channel<Audience, Event>
    /** The job of this id, while it runs and as long as it is kept. */
    job (id: string): Job | undefined
    /**
     * Starts work that does not end with its client: `source` runs at once, with or without a subscribed stream. Gives the job
     * of this id without starting another where it runs or is kept.
     *
     * @throws FST_CHIRP_OPTION for a bad id or option.
     * @throws FST_CHIRP_SOURCE when `source` cannot be iterated.
     * @throws FST_CHIRP_JOB when the app is closing.
     */
    job (id: string, source: StreamSource | JobSourceFunction, options?: JobOptions): Job
    /**
     * Makes a live view: a page whose blocks are rendered again when `view.changed()` reports a change of their data. With the
     * name alone it gives the existing view. `Viewer` is the type of what the option `viewer` returns; put that before `context`
     * to have its type there.
     *
     * @throws FST_CHIRP_OPTION for a bad name or option, and for a name that is taken.
     */
    liveView<Viewer = unknown> (name: string, options?: LiveViewOptions<Viewer>): LiveView
    /**
     * The signal of this name, made on first use: one value that many places show. A new value updates all of them.
     * In templates `signal("balance")` prints it.
     *
     * @throws FST_CHIRP_OPTION for a bad name or option, and for options that differ from those that it was made with.
     * @throws FST_CHIRP_SIGNAL for the name of a derived value.
     * @throws FST_CHIRP_VALUE for an `initial` that is not plain data.
     */
    signal<T> (name: string, options: SignalOptions<T> & { initial: T | (() => T | Promise<T>) }): Signal<T>
    signal<T = unknown> (name: string, options?: SignalOptions<T>): Signal<T | undefined>
    /**
     * A value that `make` computes from signals and other derived values, whenever one of them changes; undefined while one
     * of them is undefined. `make` is synchronous. An error that it throws is logged, and the value stays as it is. Names may be
     * declared later, until the app starts.
     *
     * @throws FST_CHIRP_OPTION for a bad name or option.
     * @throws FST_CHIRP_SIGNAL for a name that is taken, for a signal of another registration, and for a circle. An
     * unknown name fails `app.ready()`.
     */
    derived<const Deps extends readonly Dependency[], T> (name: string, deps: Deps, make: (...values: ValuesOf<Deps>) => T, options?: DerivedOptions<NoInfer<T>>): Derived<T>
    /**
     * The newest values of signals, as a source of a stream: as `live` of `reply.page()`, in `reply.eventStream()` and `merge()`.
     * `Audience` is the type of the audiences that `signal.set()` gets.
     *
     * @throws FST_CHIRP_OPTION for a bad option.
     * @throws FST_CHIRP_SIGNAL for a name without a signal or a derived value.
     */
    signals<Audience = unknown> (options?: SignalsOptions<Audience>): SignalFeed
    /**
     * The HTML of a fragment, trimmed.
     *
     * @throws FST_CHIRP_* (as a rejection) when it cannot be rendered.
     */
    renderFragment (fragment: Fragment): Promise<string>
    /**
     * Compares the templates and the source of this app with its routes, and
     * resolves with a report of its findings. Makes the app ready first, so it must not
     * be awaited inside of a plugin.
     *
     * @throws FST_CHIRP_OPTION (as a rejection) for a bad option, and any error of
     * starting the app.
     */
    checkContracts (options?: ContractOptions): Promise<ContractReport>
  }

  interface RouteShorthandOptions {
    /**
     * Tells the checker that no link leads to this route, because something else reaches it, such as an `sse-connect` attribute:
     * `app.checkContracts()` does not report it as `orphan` or `unreferenced-stream`. The route also gets all that `live` gives it. Default: false.
     */
    referenced?: boolean | undefined
    /**
     * For a route that answers with streams: takes the shorter way to the response, and switches @fastify/compress off for it. Its handler may be
     * an async generator, or return the source of a stream. The checker treats the route as any other. A stream works without it. Default: false.
     */
    live?: boolean | undefined
    /** The event names that the stream of this route sends, which `app.checkContracts()` compares with what pages wait for. */
    events?: readonly string[] | undefined
  }

  interface FastifyContextConfig {
    /** The route of the client script, for hooks that authenticate all other requests. */
    chirp?: 'client'
    referenced?: boolean | undefined
    live?: boolean | undefined
    events?: readonly string[] | undefined
  }
}
