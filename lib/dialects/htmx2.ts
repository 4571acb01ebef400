// htmx 2 with its extension for event streams. A named event is swapped by
// `sse-swap="name"`, and the element says how.
import { encodeFrame } from '../sse/frame.js'
import { PLAIN, type Dialect } from './dialect.js'
import { PARTIALS, place, placeAll, SIGNAL_ATTRIBUTE, signalEvent, SWAPS } from './htmx.js'

export const htmx2 = {
  name: 'htmx2',
  query: '2',
  // An EventSource sends no header that tells it from others.
  detect: () => true,
  vary: [],
  form: ({ target, parts }) => parts !== undefined ? PARTIALS : target === undefined ? PLAIN : 'htmx2',
  encode ({ event, target, id, retry, data, parts }) {
    return encodeFrame({ event: target ?? event, id, retry, data: parts === undefined ? data : placeAll(parts) })
  },
  place,
  attributes: {
    connect: url => [['hx-ext', 'sse'], ['sse-connect', url]],
    // The id is where messages of several fragments find the element.
    swap: target => target === 'message' ? [['sse-swap', target]] : [['id', target], ['sse-swap', target]],
    // An element around it may say where and how its own requests are swapped.
    signal: name => [['sse-swap', signalEvent(name)], ['hx-target', 'this'], ['hx-swap', 'innerHTML'], [SIGNAL_ATTRIBUTE, name]],
    close: event => [['sse-close', event]]
  },
  swaps: new Set([...SWAPS, 'morph', 'morph:innerHTML', 'morph:outerHTML'])
} as const satisfies Dialect
