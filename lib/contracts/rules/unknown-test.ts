// Tests that do not exist.
import { missingNeeds } from './needs.js'
import type { Rule } from './rule.js'

export const unknownTest: Rule = {
  category: 'unknown-test',
  severity: 'error',
  summary: 'A template uses a test that its environment does not have.',
  check (model, report) {
    for (const finding of missingNeeds(model, 'test')) report(finding)
  }
}
