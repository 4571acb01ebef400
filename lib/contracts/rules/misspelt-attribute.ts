// Attributes that are nearly one of htmx, of its extensions, or of the client script.
import { at } from '../scan/model.js'
import { nearest } from '../../util/closest.js'
import type { Rule } from './rule.js'

/** Of htmx 2 and htmx 4, their SSE and WebSocket extensions, and the client script. */
const PLAIN = [
  'hx-action', 'hx-boost', 'hx-browser-indicator', 'hx-config', 'hx-confirm', 'hx-csp', 'hx-delete', 'hx-disable', 'hx-disabled-elt', 'hx-disinherit',
  'hx-encoding', 'hx-ext', 'hx-get', 'hx-head', 'hx-headers', 'hx-history', 'hx-history-elt', 'hx-ignore', 'hx-include', 'hx-indicator', 'hx-inherit',
  'hx-live', 'hx-method', 'hx-multipart', 'hx-nonce', 'hx-optimistic', 'hx-params', 'hx-patch', 'hx-pending', 'hx-post', 'hx-preload', 'hx-preserve',
  'hx-prompt', 'hx-ptag', 'hx-push-url', 'hx-put', 'hx-query', 'hx-replace-url', 'hx-request', 'hx-select', 'hx-select-oob', 'hx-swap', 'hx-swap-oob',
  'hx-sync', 'hx-target', 'hx-targets', 'hx-trigger', 'hx-validate', 'hx-vals', 'hx-vars'
]
const OWN = [
  'hx-sse:connect', 'hx-sse:close', 'hx-ws:connect', 'hx-ws:send', 'hx-multipart:connect', 'hx-multipart:close',
  'sse-connect', 'sse-swap', 'sse-close', 'ws-connect', 'ws-send', 'chirp-refresh', 'chirp-limit', 'chirp-hidden'
]
const KNOWN = new Set([...PLAIN, ...PLAIN.flatMap(name => [`${name}:inherited`, `${name}:append`, `${name}:inherited:append`]), ...OWN])
/** Prefixes of attributes that end with a name of the app's choice. */
const OPEN = /^hx-(?:on|status|live)[:-]|^hx-target-/

export const misspeltAttribute: Rule = {
  category: 'misspelt-attribute',
  severity: 'warning',
  summary: 'An attribute is nearly one of htmx, and so does nothing.',
  check (model, report) {
    for (const element of model.live) {
      for (const attribute of element.attributes) {
        const { name, written } = attribute
        if (!/^(?:hx|sse|ws|chirp)-/.test(name) || KNOWN.has(name) || OPEN.test(name)) continue
        // Short names are near to many.
        const meant = nearest(name, KNOWN, name.length < 10 ? 1 : 2)
        if (meant !== undefined) report({ ...at(model, element, attribute), message: `There is no attribute ${written}. Did you mean "${meant}"? Correct the name` })
      }
    }
  }
}
