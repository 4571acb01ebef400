// The interface of template engines for the rest of the plugin. Nunjucks is behind it.
import type { BlockRenderer } from '../message/compose.js'
import type { MaybePromise } from '../util/promise.js'
import type { ReadsAnalysis, TemplateReads } from './reads.js'

/** A reply, as templates see it beneath the context of a render. */
export interface Surrounded {
  server: object
  locals?: unknown
}

/** Hears of the blocks of a template while it is rendered, but for those of templates that it includes. */
export interface BlockWatcher {
  /**
   * A block begins, in a loop or not. What is returned is given its HTML, or why there is none, and gives what stands
   * in its place, or throws; undefined leaves the block as it is.
   */
  enter (block: string, isInLoop: boolean): ((error: unknown, html: string | undefined) => string) | undefined
  /** The page has parts that the client script puts in their places. */
  readonly needsScript: boolean
  /** Hears of the tag by which the script runs where it stands. */
  noteScript (tag: string): void
}

/** The values of signals, as templates print them. */
export interface PrintedSignals {
  /**
   * The HTML of one value.
   *
   * @throws FST_CHIRP_SIGNAL for a name that no signal has.
   */
  html (name: string): string
}

/** Those of one page. */
export interface PageSignals extends PrintedSignals {
  /** A promise that lasts until they are up to date; undefined when they are. */
  ready (): Promise<unknown> | undefined
}

/** The facts about its page that a render knows. */
export interface PageStream {
  /**
   * The address that an element connects to. Only a page with a stream has one: the one of the page without an argument, else the given one, with the
   * page's cursor if it is the address of its stream.
   *
   * @throws Error that says what to do, when there is no such address.
   */
  connect?: ((address?: string) => string) | undefined
  /** Not the block that is rendered alone, but those in it. */
  watcher?: BlockWatcher | undefined
  /** The values of signals on this page. Default: those for everyone. */
  readonly signals?: PrintedSignals | undefined
}

/** A template that is loaded once for several renders: the others are of the same text. */
export interface OpenTemplate {
  reads (): MaybePromise<TemplateReads>
  /** The HTML of a block, or without one of all of it, as of {@link Renderer}. */
  render (block: string | undefined, context: object, page: PageStream): MaybePromise<string>
}

/** Renders templates and single blocks of them to HTML. */
export interface Renderer extends BlockRenderer {
  /** The reads of the blocks of its templates. Undefined where there are no templates. */
  readonly reads: ReadsAnalysis | undefined
  /**
   * The HTML of a whole template. A string when nothing asynchronous was met, else a promise.
   *
   * @throws FST_CHIRP_* or rejects with it.
   */
  renderTemplate (template: string, context: object, page?: PageStream): string | Promise<string>
  renderBlock (template: string, block: string, context: object, page?: PageStream): string | Promise<string>
  /** @throws FST_CHIRP_* or rejects with it, when the template cannot be loaded. */
  open (template: string): MaybePromise<OpenTemplate>
  /** The same for one reply: templates see its `locals` too, as they are now. */
  for (reply: Surrounded): Renderer
  /** To be called when all plugins are there: templates see what they bring, such as the `defaultContext` of @fastify/view. */
  learn (app: object): void
}
