// Conditions that a deferred value cannot answer.
import type { Template } from '../scan/template.js'
import type { Rule } from './rule.js'

export const deferredTruth: Rule = {
  category: 'deferred-truth',
  severity: 'warning',
  summary: 'A condition asks whether a deferred value is true, which it is while it is pending.',
  check ({ library, source }, report) {
    const told = new Set<string>()
    for (const { templates, names } of source.deferred) {
      for (const { text } of templates) {
        const page = library.templates.get(text)
        for (const template of page === undefined ? [] : templatesOf(page)) {
          for (const { name, offset } of template.truths) {
            const place = `${template.name} ${offset}`
            if (!names.includes(name) || told.has(place)) continue
            told.add(place)
            report({
              template: template.name,
              ...template.position(offset),
              message: `"${name}" is a deferred value, and counts as true while it is pending. Ask for its state first: {% if ${name} is pending %}...{% elif ${name} %}`
            })
          }
        }
      }
    }

    function templatesOf (page: Template): Set<Template> {
      return new Set([page, ...library.chains(page).flatMap(({ templates }) => templates)])
    }
  }
}
