// Handlers as the app wrote them. Plugins such as @fastify/websocket put a
// handler of their own around every one, which tells nothing of what it calls.
import type { FastifyInstance, RouteOptions } from 'fastify'

type OnRoute = (this: unknown, route: RouteOptions) => void

const written = new WeakMap<object, Function>()

/**
 * Looks at each route that is added from now on before the hooks of plugins
 * that were registered earlier do. There is no public way to be the first.
 */
export function lookFirst (app: FastifyInstance): void {
  const key = Object.getOwnPropertySymbols(app).find(({ description }) => description === 'fastify.hooks')
  const hooks = key && (app as unknown as Record<symbol, { onRoute?: OnRoute[] }>)[key]
  hooks?.onRoute?.unshift(route => { written.set(route, route.handler) })
}

/** The handler of a route as it was given to Fastify, as far as it was seen. */
export function writtenHandler (route: RouteOptions): Function {
  return written.get(route) ?? route.handler
}
