// Links and requests of htmx that lead to no route.
import { unanswered } from './addresses.js'
import type { Rule } from './rule.js'

export const link: Rule = {
  category: 'link',
  severity: 'error',
  summary: 'A link, a request of htmx or a connection to a stream leads to no route.',
  check (model, report) {
    for (const finding of unanswered(model, ['link', 'request', 'stream'])) report(finding)
  }
}
