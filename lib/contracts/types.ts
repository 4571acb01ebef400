// The types of the checker: those of its parts, and those of its report.
import type { AstNode } from '../render/nunjucks/internals.js'
import type { Severity } from '../types.js'

export type { Severity } from '../types.js'

/** One finding. Lines and columns count from one. */
export interface ContractIssue {
  /** How bad it is. */
  severity: Severity
  /** The rule that found it, as in docs/reference/contracts.md. */
  category: string
  /** What is wrong, and how to correct it. */
  message: string
  /** The template that it is about, by the name that the environment knows. */
  template?: string | undefined
  /** The file that line and column are in, relative to the working directory: of the template, or of the app's source. */
  file?: string | undefined
  /** Line in the template or file, from one. */
  line?: number | undefined
  /** Column in that line, from one. */
  column?: number | undefined
  /** Method and pattern of the route that it is about, such as `GET /news/:topic`. */
  route?: string | undefined
}

/** The part of an app that was checked. */
export interface Extent {
  /** Templates that were read. */
  templates: number
  /** Routes, one for each path and method that a page can send. */
  routes: number
  /** Routes whose handler tells what it does. */
  routesRead: number
  /** The other routes: added out of sight of the plugin, or with a handler that does not tell. */
  routesUnread: number
}

/** The report of `app.checkContracts()`. */
export interface ContractReport {
  /** No errors. */
  ok: boolean
  /** Sorted by template or file, line, and column. */
  issues: ContractIssue[]
  /** The number of findings of each severity, and the part of the app that was checked. */
  counts: Record<Severity, number> & Extent
  /** The routes that are out of sight, such as `GET /news/:topic`. */
  unread: string[]
}

/** One registered route. */
export interface RouteFacts {
  method: string
  /** The pattern with all prefixes, such as `/news/:topic`. */
  url: string
  /** Marked `referenced: true`. */
  referenced: boolean
  /** The event names that it declares. */
  events: readonly string[] | undefined
  /** Answers with `reply.eventStream()`; undefined when its handler does not tell. */
  isStream: boolean | undefined
  /** Serves files, such as a route of @fastify/static. */
  isStatic: boolean
  /** Answers with a page that has its stream at the same address, and connects to it. */
  isLivePage?: true
}

/** A template that the app can render. */
export interface TemplateSource {
  /** As the environment knows it, with / between folders. */
  name: string
  source: string
}

/** A live view, as far as it can be told without rendering. */
export interface ViewFacts {
  name: string
  template: string
  /** Why it cannot be shown. */
  problem?: string | undefined
  /** The blocks that it sends, and where to. */
  placements: ReadonlyArray<{ block: string, target: string }>
  /** Paths, and what they are derived from. */
  derive: ReadonlyMap<string, readonly string[]>
  /** Whether a block follows a change of a path; undefined for a value that is not a path. There without a `problem`. */
  follows? (path: string): boolean | undefined
}

/** Declarations of an app that templates name. */
export interface Declared {
  /** The names of its signals and derived values. */
  signals (): Iterable<string>
  views (): Promise<ViewFacts[]>
}

/** The app at one moment, all that the rules may look at. */
export interface Snapshot {
  routes: readonly RouteFacts[]
  /** Routes that were added out of sight of the plugin: their methods and patterns are all that is known. */
  unseen: ReadonlyArray<{ method: string, url: string }>
  /** The route that a request with this path would reach, by find-my-way. `path` has no query. */
  match (method: string, path: string): RouteFacts | undefined
  /** All routes that a request with this path would reach, whatever the method. */
  matchAny (path: string): readonly RouteFacts[]
  /** The templates that can be listed. A loader of the user may know more of them. */
  templates: readonly TemplateSource[]
  /** False when the app renders no templates: nothing is said about names of templates then. */
  hasTemplates: boolean
  /** `reply.view()` of @fastify/view renders the same templates. */
  sharesViews: boolean
  /** Whether the environment of a template has a filter or a test. */
  knows (template: string, kind: 'filter' | 'test', name: string): boolean
  /** The syntax tree of a template, a fresh one. Throws what Nunjucks throws. */
  parse (source: string): AstNode
  /** A template that is not in the list; undefined when there is none of that name. */
  load (name: string): Promise<TemplateSource | undefined>
  /** The names of all signals and derived values. */
  signals: ReadonlySet<string>
  views: readonly ViewFacts[]
  /** Source files of the app, for `new Fragment('t', 'b')`; paths relative to the working directory. */
  sources: readonly SourceFile[]
}

/** A source file of the app. */
export interface SourceFile {
  path: string
  source: string
}
