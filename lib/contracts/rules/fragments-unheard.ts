// Fragments in one message, which htmx 2 takes only where something waits for "message".
import { dialectsOf } from './generation.js'
import type { Rule } from './rule.js'

export const fragmentsUnheard: Rule = {
  category: 'fragments-unheard',
  severity: 'warning',
  summary: 'The source sends Fragments, and no element of a page with htmx 2 has sse-swap="message".',
  check (model, report) {
    const { source, streams } = model
    if (source.fragments.length === 0) return
    if (streams.listeners.some(({ attribute, names, isPlain }) => attribute.name === 'sse-swap' && (!isPlain || names.has('message')))) return
    // On htmx 4 they arrive anyway, and of other pages nothing is known.
    const connected = dialectsOf(model).filter(({ page }) => page.places.some(({ elements }) => elements.some(({ dynamic, attributes }) =>
      dynamic || attributes.some(({ name }) => name === 'sse-connect' || name === 'hx-sse:connect'))))
    if (connected.length === 0 || connected.some(({ loaded }) => loaded !== 2)) return
    for (const place of source.fragments) {
      report({ ...place, message: 'On htmx 2 Fragments arrive only where an element waits for "message", and no template has one. Add an element with sse-swap="message" and hx-swap="none" to the connection' })
    }
  }
}
