// Which routes a path of a template can reach.
import type { RouteFacts, Snapshot } from '../types.js'
import { push } from './lists.js'
import { HOLE, isKnown, overlap, pathTokens, routeTokens } from './pattern.js'
import { lastIndex } from './position.js'

/** The routes that a path can reach. */
export interface Reach {
  /** With the method that was asked for. */
  routes: readonly RouteFacts[]
  /** Whatever the method. */
  any: readonly RouteFacts[]
}

interface Prepared { route: RouteFacts, tokens: ReturnType<typeof routeTokens> }

/** Routes by the text that they begin with, up to the first parameter. */
interface Prefixes { routes: Map<string, Prepared[]>, sorted: string[], lengths: number[] }

/** Paths with holes times routes that begin like them: more are not compared, and nothing is said about them. */
const MOST_COMPARISONS = 200_000

/** Asks the app's router for paths that are known, and compares the others with the patterns of routes. */
export class RouteIndex {
  readonly #snapshot: Snapshot
  readonly #own: Set<RouteFacts>
  readonly #known = new Map<string, Reach | undefined>()
  #prefixes: Prefixes | undefined
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
    const any = this.#snapshot.matchAny(path)
    if (method === undefined) return { routes: any, any }
    const route = this.#snapshot.match(method, path)
    return { routes: route === undefined ? [] : [route], any: route === undefined ? any : [...any, route] }
  }

  #similar (path: string, method: string | undefined): Reach | undefined {
    if (this.isExhausted) return undefined
    const tokens = pathTokens(path)
    const near = this.#beginningLike(prefixOf(tokens))
    this.#comparisons += near.length
    const any = near.filter(other => overlap(tokens, other.tokens)).map(({ route }) => route)
    // There may be routes that are not in the list.
    if (any.length === 0) return this.#exact(path.replaceAll(HOLE, '1'), method)
    return { routes: method === undefined ? any : any.filter(route => route.method === method), any }
  }

  // Those that begin with a part of a text, or go on after it.
  #beginningLike (prefix: string): Prepared[] {
    const { routes, sorted, lengths } = this.#prefixes ??= prepare(this.#snapshot.routes)
    const found: Prepared[][] = []
    for (const length of lengths) if (length < prefix.length) found.push(routes.get(prefix.slice(0, length)) ?? [])
    for (let index = lastIndex(sorted, other => other < prefix) + 1; sorted[index]?.startsWith(prefix); index++) {
      found.push(routes.get(sorted[index] as string) as Prepared[])
    }
    return found.flat()
  }
}

function prepare (all: readonly RouteFacts[]): Prefixes {
  const routes = new Map<string, Prepared[]>()
  for (const route of all) {
    const tokens = routeTokens(route.url)
    push(routes, prefixOf(tokens), { route, tokens })
  }
  const sorted = [...routes.keys()].sort()
  return { routes, sorted, lengths: [...new Set(sorted.map(({ length }) => length))] }
}

function prefixOf (tokens: ReadonlyArray<string | number>): string {
  const end = tokens.findIndex(token => typeof token === 'number')
  return tokens.slice(0, end === -1 ? undefined : end).join('')
}
