// Which routes a path of a template can reach.
import type { RouteFacts, Snapshot } from '../types.js'
import { HOLE, isKnown, overlap, pathTokens, routeTokens } from './pattern.js'

/** The routes that a path can reach. */
export interface Reach {
  /** With the method that was asked for. */
  routes: readonly RouteFacts[]
  /** Whatever the method. */
  any: readonly RouteFacts[]
}

interface Prepared { route: RouteFacts, tokens: ReturnType<typeof routeTokens>, prefix: string }

/** Asks the app's router for paths that are known, and compares the others with the patterns of routes. */
export class RouteIndex {
  readonly #snapshot: Snapshot
  readonly #own: Set<RouteFacts>
  readonly #known = new Map<string, Reach>()
  #prepared: Prepared[] | undefined

  constructor (snapshot: Snapshot) {
    this.#snapshot = snapshot
    this.#own = new Set(snapshot.routes)
  }

  /** Without a method: one that cannot be told. */
  reach (path: string, method: string | undefined): Reach {
    const key = `${method ?? ''} ${path}`
    let reach = this.#known.get(key)
    if (reach === undefined) this.#known.set(key, reach = isKnown(path) ? this.#exact(path, method) : this.#similar(path, method))
    return reach
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

  #similar (path: string, method: string | undefined): Reach {
    const tokens = pathTokens(path)
    const prefix = prefixOf(tokens)
    this.#prepared ??= this.#snapshot.routes.map(route => {
      const tokens = routeTokens(route.url)
      return { route, tokens, prefix: prefixOf(tokens) }
    })
    const any = this.#prepared
      .filter(other => (prefix.startsWith(other.prefix) || other.prefix.startsWith(prefix)) && overlap(tokens, other.tokens))
      .map(({ route }) => route)
    // There may be routes that are not in the list.
    if (any.length === 0) return this.#exact(path.replaceAll(HOLE, '1'), method)
    return { routes: method === undefined ? any : any.filter(route => route.method === method), any }
  }
}

function prefixOf (tokens: ReadonlyArray<string | number>): string {
  const end = tokens.findIndex(token => typeof token === 'number')
  return tokens.slice(0, end === -1 ? undefined : end).join('')
}
