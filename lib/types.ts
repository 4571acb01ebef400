// All public types that are not classes, in one place.
import type { FastifyPluginAsync } from 'fastify'
import type { Engine } from './channel/engine.js'
import type { TemplatesOption } from './render/nunjucks/environment.js'
import type { ClientKey, StreamOptions } from './stream/types.js'

/** The severity of a finding of the checker: `error` will fail in a browser, `warning` may, `info` is worth a look. */
export type Severity = 'error' | 'warning' | 'info'

/** Options of `app.checkContracts()`, and what the plugin's option `contracts` says for every check of the app. */
export interface ContractOptions {
  /**
   * Files and folders of the app's source, relative to the working directory,
   * in which names of templates, blocks and events are looked up. Default: the
   * program's entry file, what the option `contracts` names, and the files that
   * these import by relative paths. Off: `[]`.
   */
  sources?: readonly string[] | undefined
  /** Another severity for findings of a category. Default: that of docs/reference/contracts.md. Off: `'off'`, for each. */
  severities?: Record<string, Severity | 'off'> | undefined
  /**
   * Patterns of paths that something else answers, such as a proxy or a
   * not-found handler that serves a single page app: `['/app/*']`. Links to
   * them are taken for good. Default: none. Off: omit.
   */
  external?: readonly string[] | undefined
}

/** Options of the plugin. A bad one throws FST_CHIRP_OPTION when the plugin is registered. */
export interface ChirpOptions extends Omit<StreamOptions, 'event' | 'key'> {
  /**
   * Where the templates are: a folder, a list of folders, or a
   * `nunjucks.Environment` to share, which must have autoescape on. Symbolic
   * links that lead out of the folders are not followed.
   * Default: none; a Fragment then fails with FST_CHIRP_NO_TEMPLATES. Off: omit.
   */
  templates?: TemplatesOption | undefined
  /**
   * Sends error boxes, error pages and details to the client, warns about risky names, and
   * makes undefined variables an error in templates that this plugin loads.
   * Default: `NODE_ENV !== 'production'`. Off: `false`.
   */
  debug?: boolean | undefined
  /**
   * Bytes that may wait for one connection when more is to be written; a
   * connection with more is dropped. Default: 1 MiB.
   */
  maxBuffer?: number | undefined
  /** Milliseconds that a blocked connection may take to drain before it is dropped. Default: 10000. Off: `false`. */
  writeTimeout?: number | false | undefined
  /** Streams that may be open at once in this app. Default: no limit. Off: omit. */
  maxStreams?: number | undefined
  /** Streams that may be open at once for one client. Default: no limit. Off: omit. */
  maxStreamsPerClient?: number | undefined
  /** Names the client for `maxStreamsPerClient`. Default: `request.ip`. */
  clientKey?: ClientKey | undefined
  /**
   * Path of the folder that the client script is served in, as `client.js`; the
   * prefix of the place where the plugin is registered comes before it.
   * Default: `'/_chirp'`. Off: `false`, which leaves out the template function
   * `chirp_client()` too.
   */
  client?: string | false | undefined
  /**
   * Options for every check of the app's contracts, also the one at start:
   * `sources` to read besides the program's entry file, `severities` and
   * `external`. Default: none. Off: omit.
   */
  contracts?: ContractOptions | undefined
  /**
   * Address that `chirp_client()` loads the script from, when it is not the path
   * that it is served at: behind a proxy that removes a prefix, below a prefix
   * with a parameter, or on another server. The hash is added, as `?v=`.
   * Default: the path as served. Off: omit.
   */
  clientUrl?: string | undefined
  /**
   * Keeps the events of channels and passes them on, such as to other processes;
   * docs/internals/engines.md says how to write one. It is closed with the app.
   * Default: in the memory of this process. Off: omit.
   */
  engine?: Engine | undefined
  /** Milliseconds that clients get to take their last frame when the app closes. Default: 2000. Off: `0`. */
  shutdownGrace?: number | undefined
}

/** The plugin's type. */
export type ChirpPlugin = FastifyPluginAsync<ChirpOptions>
