// Pages that speak two generations of htmx at once.
import { at } from '../scan/model.js'
import { dialectsOf } from './generation.js'
import type { Rule } from './rule.js'

export const mixedDialects: Rule = {
  category: 'mixed-dialects',
  severity: 'warning',
  summary: 'A page has attributes of htmx 4 and loads htmx 2, or has attributes that no single htmx knows.',
  check (model, report) {
    for (const { loaded, traits, isBoth, page } of dialectsOf(model)) {
      const newer = traits.filter(({ generation }) => generation === 4)
      if (loaded === 2) {
        for (const { element, attribute } of newer) {
          report({ ...at(model, element, attribute), message: `This page loads htmx 2, which does not know ${attribute.written}. Use the attribute of htmx 2, or load htmx 4` })
        }
      } else if (loaded === undefined && page.isWhole) {
        const older = traits.find(({ generation, isSure }) => generation === 2 && isSure)
        const sure = newer.find(({ isSure }) => isSure)
        if (older === undefined || sure === undefined) continue
        report({
          ...at(model, sure.element, sure.attribute),
          message: `${sure.attribute.written} is of htmx 4, and ${older.attribute.written} in the same page of htmx 2${isBoth ? '; both are loaded' : ''}. Use one generation in a page`
        })
      }
    }
  }
}
