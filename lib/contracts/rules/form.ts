// Forms that post to no route, or with a method that browsers do not know.
import { plainValue } from '../scan/address.js'
import { at } from '../scan/model.js'
import { isKnown } from '../scan/pattern.js'
import { unanswered } from './addresses.js'
import type { Rule } from './rule.js'

const METHODS = new Set(['get', 'post', 'dialog', ''])

export const form: Rule = {
  category: 'form',
  severity: 'error',
  summary: 'A form is sent to a path without a route, or with a method that forms do not have.',
  check (model, report) {
    for (const finding of unanswered(model, ['form'])) report(finding)
    for (const element of model.live) {
      for (const attribute of element.attributes) {
        if (attribute.name !== 'formmethod' && !(attribute.name === 'method' && element.name === 'form')) continue
        const method = plainValue(element, attribute.name)
        if (method === undefined || !isKnown(method) || METHODS.has(method)) continue
        report({
          ...at(model, element, attribute),
          severity: 'warning',
          message: `Forms know get and post; ${attribute.written}="${method}" is sent as GET. Use post, or hx-${method} with htmx`
        })
      }
    }
  }
}
