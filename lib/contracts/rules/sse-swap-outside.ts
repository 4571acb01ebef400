// Elements that wait for a stream that they are not connected to.
import { at } from '../scan/model.js'
import type { Rule } from './rule.js'

export const sseSwapOutside: Rule = {
  category: 'sse-swap-outside',
  severity: 'error',
  summary: 'sse-swap, sse-close or hx-trigger="sse:..." is not inside of an element that connects to a stream.',
  check (model, report) {
    for (const { attribute, element, isOpen, isInside, isOutside } of model.streams.listeners) {
      if (!isOutside || isInside || isOpen) continue
      report({
        ...at(model, element, attribute),
        message: `${attribute.written} is outside of every element with sse-connect, so nothing reaches it. Move it into one, or connect here`
      })
    }
  }
}
