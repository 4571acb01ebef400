// Source files that do not parse.
import type { Rule } from './rule.js'

export const sourceError: Rule = {
  category: 'source-error',
  severity: 'info',
  summary: 'A source file of the app does not parse, so what it renders is not checked.',
  check ({ source }, report) {
    for (const { file, message, line, column } of source.broken) {
      report({ file, line, column, message: `This file does not parse, and is left out of the check: ${message}` })
    }
  }
}
