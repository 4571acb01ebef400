// Filters that do not exist.
import { missingNeeds } from './needs.js'
import type { Rule } from './rule.js'

export const unknownFilter: Rule = {
  category: 'unknown-filter',
  severity: 'error',
  summary: 'A template uses a filter that its environment does not have.',
  check (model, report) {
    for (const finding of missingNeeds(model, 'filter')) report(finding)
  }
}
