// Filters and tests that the environment of a template does not have.
import type { Model } from '../scan/model.js'
import type { Finding } from './rule.js'

/** Uses of filters or tests that are not there. */
export function missingNeeds ({ library, snapshot }: Model, wanted: 'filter' | 'test'): Finding[] {
  return [...library.templates.values()].flatMap(template => template.needs
    .filter(({ kind, name }) => kind === wanted && !snapshot.knows(template.name, kind, name))
    .map(({ name, offset }) => ({
      template: template.name,
      ...template.position(offset),
      message: `There is no ${wanted} "${name}" in the environment of this template. Correct the name, or add it with ${wanted === 'filter' ? 'addFilter' : 'addTest'}()`
    })))
}
