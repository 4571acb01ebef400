// The shared part of the rules about addresses.
import { isTakenOver, type Purpose } from '../scan/address.js'
import { at, type Model } from '../scan/model.js'
import type { Wire } from '../scan/wire.js'
import type { Reach } from '../scan/route-index.js'
import type { RouteFacts } from '../types.js'
import { suggest } from '../../util/closest.js'
import type { Finding } from './rule.js'
import { show } from './words.js'

/** Addresses of elements in pages that no route answers. */
export function unanswered (model: Model, purposes: readonly Purpose[]): Finding[] {
  const { wires, live, snapshot } = model
  const broken = wires.filter(({ purpose, reach, element }) => purposes.includes(purpose) && isUnanswered(reach) && live.has(element))
  return broken.map(wire => {
    const { method = '', path = '' } = wire
    const near = suggest(path, snapshot.routes.map(({ url }) => url))
    return { ...placed(model, wire), message: `No route answers ${`${method} `.trimStart()}${show(path)}.${near} Correct the address in ${wire.attribute.written}, or add the route.` }
  })
}

/** The routes that are there for a path and not for all paths: one for files at the root says nothing of a POST. */
export function particular (routes: readonly RouteFacts[]): RouteFacts[] {
  return routes.filter(({ url }) => url !== '*' && url !== '/*')
}

function isUnanswered (reach: Reach | undefined): boolean {
  return reach !== undefined && reach.routes.length === 0 && particular(reach.any).length === 0
}

/** Where an address is. What htmx sends in its place makes it matter less. */
export function placed (model: Model, wire: Wire): Omit<Finding, 'message'> {
  return { ...at(model, wire.element, wire.attribute), severity: isTakenOver(wire) ? 'warning' : undefined }
}
