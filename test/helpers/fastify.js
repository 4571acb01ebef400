// The Fastify that the tests run with, which CI also has as old as package.json allows.
import { createRequire } from 'node:module'

const numbersOf = version => version.split('.').map(Number)
const own = numbersOf(createRequire(import.meta.url)('fastify/package.json').version)

/** Whether it is older than `version`, and lacks what that brought. */
export function isBefore (version) {
  const wanted = numbersOf(version)
  const at = wanted.findIndex((number, index) => number !== own[index])
  return at !== -1 && own[at] < wanted[at]
}

/** Options of the router, which older releases have among all others. */
export const routing = options => isBefore('5.6.0') ? options : { routerOptions: options }
