// Which routes a path of a template can reach.
import { MOST_COMPARISONS } from '../limits.js'
import type { RouteFacts, Snapshot } from '../types.js'
import { Beginnings } from './beginnings.js'
import { HOLE, isKnown, overlap, pathTokens, routeTokens, type Token } from './pattern.js'

/** The routes that a path can reach. */
export interface Reach {
  /** With the method that was asked for. */
  routes: readonly RouteFacts[]
  /** Whatever the method. */
  any: readonly RouteFacts[]
}

/** Methods that no element of a page sends. A route for one of them answers no link. */
const PROTOCOL = new Set(['HEAD', 'OPTIONS', 'TRACE', 'CONNECT'])

/** Whether a page can send a method. */
export function isSendable (method: string): boolean {
  return !PROTOCOL.has(method)
}

interface Prepared { route: RouteFacts, tokens: Token[] }

/** Asks the app's router for paths that are known, and compares the others with the patterns of routes. */
export class RouteIndex {
  readonly #snapshot: Snapshot
  readonly #own: Set<RouteFacts>
  readonly #known = new Map<string, Reach | undefined>()
  #routes: Beginnings<Prepared> | undefined
  #comparisons = 0

  constructor (snapshot: Snapshot) {
    this.#snapshot = snapshot
    this.#own = new Set(snapshot.routes)
  }

  /** Without a method: one that cannot be told. Undefined when there is too much to compare. */
  reach (path: string, method: string | undefined): Reach | undefined {
    const key = `${method ?? ''} ${path}`
    if (!this.#known.has(key)) this.#known.set(key, isKnown(path) ? this.#exact(path, method) : this.#similar(path, method))
    return this.#known.get(key)
  }

  /** There was too much to compare. */
  get isExhausted (): boolean {
    return this.#comparisons > MOST_COMPARISONS
  }

  /** Whether a route is one that the app tells all about. */
  isOwn (route: RouteFacts): boolean {
    return this.#own.has(route)
  }

  #exact (path: string, method: string | undefined): Reach {
    const any = this.#snapshot.matchAny(path).filter(({ method }) => isSendable(method))
    if (method === undefined) return { routes: any, any }
    const route = this.#snapshot.match(method, path)
    return { routes: route === undefined ? [] : [route], any: route === undefined ? any : [...any, route] }
  }

  #similar (path: string, method: string | undefined): Reach | undefined {
    if (this.isExhausted) return undefined
    const tokens = pathTokens(path)
    this.#routes ??= new Beginnings(this.#snapshot.routes.map(route => ({ route, tokens: routeTokens(route.url) })), ({ tokens }) => tokens)
    const near = this.#routes.like(tokens)
    this.#comparisons += near.length
    const like = near.filter(other => overlap(tokens, other.tokens)).map(({ route }) => route)
    const any = like.filter(route => route.method === method || isSendable(route.method))
    // There may be routes that are not in the list.
    if (any.length === 0) return this.#exact(path.replaceAll(HOLE, '1'), method)
    return { routes: method === undefined ? any : any.filter(route => route.method === method), any }
  }
}
