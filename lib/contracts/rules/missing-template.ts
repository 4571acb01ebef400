// Templates that a template names and that do not exist.
import { resolveName } from '../scan/library.js'
import { isKnown } from '../scan/pattern.js'
import { suggest } from '../../util/closest.js'
import type { Rule } from './rule.js'

export const missingTemplate: Rule = {
  category: 'missing-template',
  severity: 'error',
  summary: 'extends, include or import names a template that does not exist.',
  check ({ library }, report) {
    for (const template of library.templates.values()) {
      for (const { kind, names, offset, ignoreMissing } of template.references) {
        for (const written of names) {
          const name = resolveName(template.name, written)
          if (ignoreMissing || !isKnown(written) || library.exists(name)) continue
          report({
            template: template.name,
            ...template.position(offset),
            message: `There is no template "${name}" to ${kind.replace(/s$/, '')}.${suggest(name, library.templates.keys())} Correct the name, or add the template`
          })
        }
      }
    }
  }
}
