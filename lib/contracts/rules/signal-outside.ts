// Signals that never change, because their pages have no stream.
import { isConnect } from '../scan/address.js'
import type { Page } from '../scan/page.js'
import type { Rule } from './rule.js'

export const signalOutside: Rule = {
  category: 'signal-outside',
  severity: 'warning',
  summary: 'A page shows a signal and connects to no stream.',
  check ({ library, pages, snapshot: { signals } }, report) {
    const byTemplate = new Map<string, Page[]>()
    for (const page of pages.filter(({ isWhole, cut }) => isWhole && cut === undefined)) {
      const names = new Set([page.template, ...elementsOf(page).map(({ template }) => template)])
      for (const name of names) byTemplate.set(name, [...byTemplate.get(name) ?? [], page])
    }
    for (const template of library.templates.values()) {
      const around = byTemplate.get(template.name) ?? []
      if (around.length === 0 || around.some(mayConnect)) continue
      for (const { call, name, offset } of template.signals) {
        if (!signals.has(name)) continue
        report({ template: template.name, ...template.position(offset), message: `${call}("${name}") is in a page that connects to no stream, so its place never changes. Put it into an element with {{ sse_connect() }}, and answer with reply.page(template, context, { live: app.signals() })` })
      }
    }
  }
}

function mayConnect (page: Page): boolean {
  return elementsOf(page).some(({ attributes, dynamic, slots }) => dynamic || slots.length > 0 || attributes.some(isConnect))
}

function elementsOf ({ places }: Page) {
  return places.flatMap(({ elements }) => elements)
}
