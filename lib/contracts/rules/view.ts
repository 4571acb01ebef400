// Templates that reply.view() of @fastify/view renders and that do not exist.
import { posix } from 'node:path'
import { suggest } from '../../util/closest.js'
import type { Rule } from './rule.js'

export const view: Rule = {
  category: 'view',
  severity: 'error',
  summary: 'The source renders a view that does not exist in the environment that it shares.',
  check ({ library, source, snapshot }, report) {
    if (!snapshot.sharesViews) return
    const names = [...library.templates.keys(), ...library.broken.keys()]
    const extensions = new Set(names.map(name => posix.extname(name)))
    for (const { text: name, ...place } of source.views) {
      const extension = posix.extname(name)
      // Another extension is for another engine; without one @fastify/view adds its own.
      const exists = extension === '' ? names.some(known => known.startsWith(`${name}.`)) : !extensions.has(extension)
      if (exists || library.exists(name)) continue
      report({ ...place, message: `There is no template "${name}" in the environment that reply.view() shares.${suggest(name, names)} Correct the name, or add the template` })
    }
  }
}
