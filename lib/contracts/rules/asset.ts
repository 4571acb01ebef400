// Files that no route serves.
import { at } from '../scan/model.js'
import { unanswered } from './addresses.js'
import type { Rule } from './rule.js'

export const asset: Rule = {
  category: 'asset',
  severity: 'warning',
  summary: 'A script, a style sheet or an image comes from a path that no route serves.',
  check (model, report) {
    for (const { wire, message } of unanswered(model, ['asset'])) {
      report({ ...at(model, wire.element, wire.attribute), message: `${message} Nothing is wrong if a proxy serves it` })
    }
  }
}
