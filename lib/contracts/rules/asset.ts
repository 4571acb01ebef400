// Files that no route serves.
import { unanswered } from './addresses.js'
import type { Rule } from './rule.js'

export const asset: Rule = {
  category: 'asset',
  severity: 'warning',
  summary: 'A script, a style sheet, an image or another file comes from a path that no route serves.',
  check (model, report) {
    for (const { message, ...place } of unanswered(model, ['asset'])) report({ ...place, message: `${message} Nothing is wrong if a proxy serves it` })
  }
}
