// Handlers as the app wrote them. Plugins such as @fastify/websocket put a
// handler of their own around every one, which tells nothing of what it calls.
import type { RouteOptions } from 'fastify'

const written = new WeakMap<object, Function>()

/** Notes the handler of a route; called before the hooks of other plugins, where that is possible. */
export function noteHandler (route: RouteOptions): void {
  written.set(route, route.handler)
}

/** The handler of a route as it was given to Fastify, as far as it was seen. */
export function writtenHandler (route: RouteOptions): Function {
  return written.get(route) ?? route.handler
}
