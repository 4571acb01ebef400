// Templates that do not parse, and what is too large to be checked in full.
import { at, type Model } from '../scan/model.js'
import type { Page } from '../scan/page.js'
import type { Finding, Rule } from './rule.js'

export const templateError: Rule = {
  category: 'template-error',
  severity: 'error',
  summary: 'A template does not parse, or cannot be read.',
  check (model, report) {
    for (const { name, message, line, column } of model.library.broken.values()) {
      report({ template: name, line, column, message: `This template does not parse: ${message}` })
    }
    for (const page of model.pages) if (page.cut !== undefined) report(cutOff(model, page, page.cut))
    if (model.index.isExhausted) {
      report({ severity: 'info', message: 'Some addresses with expressions are not checked: there are too many of them for so many routes. Begin more of them with a literal path' })
    }
  }
}

// Where a part of a page will be put is not known, and so is what is closed around it.
function cutOff (model: Model, { template, isWhole }: Page, { reason, element }: NonNullable<Page['cut']>): Finding {
  return {
    ...(element === undefined ? { template } : at(model, element)),
    severity: isWhole ? 'warning' : 'info',
    message: `The page "${template}" ${reason}, and the rest of it is not checked. Close what is open, or split it`
  }
}
