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
