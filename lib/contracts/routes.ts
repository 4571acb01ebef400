// The routes of an app, and which of them a path reaches: decided by find-my-way,
// which Fastify routes with, under the app's own options.
import type { FastifyInstance } from 'fastify'
import createRouter, { type HTTPMethod } from 'find-my-way'
import { createExternal } from './external.js'
import { isLivePage, opensStream } from './handler.js'
import type { Pause } from './pause.js'
import { hasRewriteUrl } from './private.js'
import type { AddedRoute } from './registered.js'
import type { RouteFacts } from './types.js'
import { routesOf, type PrintedRoute } from './unseen.js'

/** All routes that can be looked into, and a way to ask for those that a path reaches. */
export class RouteTable {
  readonly routes: RouteFacts[] = []
  readonly #app: FastifyInstance
  readonly #router
  readonly #external
  readonly #rewrites: boolean

  /** `external` are patterns of paths that something else answers. */
  static async create (app: FastifyInstance, added: readonly AddedRoute[], external: readonly string[], pause: Pause): Promise<RouteTable> {
    const table = new RouteTable(app, external)
    // Which version or host a browser will ask for is not known: the first that has a pattern stands for all, at best one without constraints.
    for (const route of [...added.filter(({ isConstrained }) => !isConstrained), ...added.filter(({ isConstrained }) => isConstrained)]) {
      table.#add(route)
      await pause()
    }
    return table
  }

  private constructor (app: FastifyInstance, external: readonly string[]) {
    this.#app = app
    this.#router = createRouter(routerOptions(app))
    this.#rewrites = hasRewriteUrl(app)
    this.#external = createExternal(external)
  }

  match (method: string, path: string): RouteFacts | undefined {
    const found = this.#router.find(method as HTTPMethod, path)
    const stored = found?.store as Stored | null | undefined
    const real = this.#find(method, path)
    if (stored && (real === null ? stored.isConstrained : isSame(found?.params, real.params))) return stored.facts
    // A route that the plugin did not see being added, perhaps one that is nearer to the path.
    const isThere = real !== null || this.#rewrites || this.#external.find('GET', path) !== null
    if (!isThere) return undefined
    const url = patternOf(path, real?.params)
    return { method, url, referenced: false, events: undefined, isStream: undefined, isStatic: isServed(method, url) }
  }

  /** Routes that the app has and the plugin did not see being added. */
  get unseen (): PrintedRoute[] {
    const seen = routesOf(this.#router.prettyPrint())
    return [...routesOf(this.#app.printRoutes())].filter(([key]) => !seen.has(key)).map(([, route]) => route)
  }

  // Fastify's own answer has no name to it. For an address that it refuses it has no query either.
  #find (method: string, path: string): { params: Params } | null {
    const found = this.#app.findRoute({ method: method as HTTPMethod, url: path })
    return found === null || found.searchParams === undefined ? null : found
  }

  matchAny (path: string): RouteFacts[] {
    return this.#app.supportedMethods.map(method => this.match(method, path)).filter(facts => facts !== undefined)
  }

  #add ({ methods, url, referenced, isMarked, events, handler, isSocket, isPrefix, isConstrained }: AddedRoute): void {
    const opens = (): boolean | undefined => events !== undefined || (isMarked ? isMarkedStream(handler) : opensStream(handler))
    const isStream = isSocket ? false : opens()
    const isPage = isLivePage(handler)
    for (const method of methods) {
      const facts = { method, url, referenced, events, isStream, isStatic: isStatic(method, url, handler), ...(isPage && { isLivePage: isPage }) }
      this.routes.push(facts)
      this.#on(method, url, { facts, isConstrained })
      // Fastify adds a second route for the slash, without a word.
      if (isPrefix) this.#on(method, `${url}/`, { facts, isConstrained })
    }
  }

  #on (method: string, url: string, stored: Stored): void {
    try {
      this.#router.on(method as HTTPMethod, url, HANDLER, stored)
    } catch {
      // The pattern is there, under other constraints; or a browser knows no such method.
    }
  }
}

// There a handler may be a generator, or return what is streamed.
function isMarkedStream (handler: Function): boolean | undefined {
  if (/GeneratorFunction/.test(Object.prototype.toString.call(handler))) return true
  return opensStream(handler) || undefined
}

type Params = Record<string, string | undefined>

interface Stored {
  facts: RouteFacts
  isConstrained: boolean
}

// There has to be one, and it is never called.
const HANDLER = Function.prototype as () => void

// Fastify 5.0 has them at the top.
function routerOptions ({ initialConfig }: FastifyInstance): object {
  const { caseSensitive, ignoreTrailingSlash, ignoreDuplicateSlashes, maxParamLength, allowUnsafeRegex, useSemicolonDelimiter } =
    { ...initialConfig, ...initialConfig.routerOptions }
  return { caseSensitive, ignoreTrailingSlash, ignoreDuplicateSlashes, maxParamLength, allowUnsafeRegex, useSemicolonDelimiter }
}

function isSame (params: object | undefined, others: object): boolean {
  return JSON.stringify(params) === JSON.stringify(others)
}

// Of a route that is not ours only a wildcard can be told, by what it stands for.
function patternOf (path: string, params: Params = {}): string {
  const { '*': rest } = params
  return rest !== undefined && path.endsWith(rest) ? `${path.slice(0, path.length - rest.length)}*` : path
}

// One file of @fastify/static without a wildcard tells by its handler.
function isStatic (method: string, url: string, handler: Function): boolean {
  return isServed(method, url) || (isRead(method) && String(handler).includes('pumpSendToReply'))
}

// A wildcard, or a name such as /favicon.ico.
function isServed (method: string, url: string): boolean {
  return isRead(method) && (url.endsWith('*') || /\.[a-z0-9]+$/i.test(url))
}

function isRead (method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}
