// Templates that do not parse.
import type { Rule } from './rule.js'

export const templateError: Rule = {
  category: 'template-error',
  severity: 'error',
  summary: 'A template that Nunjucks cannot parse.',
  check ({ broken }, report) {
    for (const { name, message, line, column } of broken) {
      report({ template: name, line, column, message: `This template does not parse: ${message}` })
    }
  }
}
