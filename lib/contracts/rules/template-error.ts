// Templates that do not parse.
import type { Rule } from './rule.js'

export const templateError: Rule = {
  category: 'template-error',
  severity: 'error',
  summary: 'A template does not parse, or cannot be read.',
  check ({ library }, report) {
    for (const { name, message, line, column } of library.broken.values()) {
      report({ template: name, line, column, message: `This template does not parse: ${message}` })
    }
  }
}
