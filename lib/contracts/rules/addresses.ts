// What the rules about addresses share.
import type { Purpose } from '../scan/address.js'
import type { Model, Wire } from '../scan/model.js'
import { show, suggest } from './words.js'

/** Addresses of elements in pages that no route answers, with what to do about it. */
export function unanswered ({ wires, live, snapshot }: Model, purposes: readonly Purpose[]): Array<{ wire: Wire, message: string }> {
  const broken = wires.filter(({ purpose, reach, element }) => purposes.includes(purpose) && reach?.any.length === 0 && live.has(element))
  return broken.map(wire => {
    const { method = '', path = '' } = wire
    const near = suggest(path, snapshot.routes.map(({ url }) => url))
    return { wire, message: `No route answers ${`${method} `.trimStart()}${show(path)}.${near} Mend the address in ${wire.attribute.written}, or add the route.` }
  })
}
