// Ids of events that clients cannot send back.
import { HOLE } from '../scan/pattern.js'
import type { Rule } from './rule.js'

export const eventId: Rule = {
  category: 'event-id',
  severity: 'warning',
  summary: 'The id of an event has a character that is not ASCII.',
  check ({ source }, report) {
    for (const { text, ...place } of source.ids) {
      const strange = /[^\x20-\x7e]/u.exec(text.replaceAll(HOLE, ''))?.[0]
      if (strange === undefined) continue
      report({ ...place, message: `The id has "${strange}" in it, and several clients, htmx 4 among them, fail when they send it back. Use ASCII, or encodeURIComponent()` })
    }
  }
}
