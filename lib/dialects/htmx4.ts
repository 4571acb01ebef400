// htmx 4. A named event is a DOM event and nothing else; HTML comes without a
// name and says itself where it goes.
import { encodeFrame } from '../sse/frame.js'
import { OWN_EVENTS } from '../sse/own.js'
import { PLAIN, type Dialect } from './dialect.js'
import { PARTIALS, place, placeAll, placeSignal, SIGNAL_ATTRIBUTE, SWAPS } from './htmx.js'
import type { EventRecord } from './record.js'

export const htmx4 = {
  name: 'htmx4',
  query: '4',
  detect: header => header('hx-request') === 'true' && (header('hx-request-type') !== undefined || header('hx-source') !== undefined),
  vary: ['HX-Request', 'HX-Request-Type', 'HX-Source'],
  form,
  encode (record) {
    const { event, target, id, retry, swap, data, parts, signal } = record
    if (signal !== undefined) return encodeFrame({ id, retry, data: placeSignal(signal, data!) })
    if (parts !== undefined) return encodeFrame({ id, retry, data: placeAll(parts) })
    if (target !== undefined) return encodeFrame({ id, retry, data: place({ target, swap }, data!) })
    return form(record) === PLAIN ? encodeFrame({ event, id, retry, data }) : encodeFrame({ event: OWN_EVENTS.retry, id, retry, data: '' })
  },
  place,
  attributes: {
    connect: url => [['hx-sse:connect', url]],
    // A message without a target goes to the connecting element by itself.
    swap: target => target === 'message' ? [] : [['id', target]],
    signal: name => [[SIGNAL_ATTRIBUTE, name]],
    close: event => [['hx-sse:close', event]]
  },
  swaps: new Set([...SWAPS, 'innerMorph', 'outerMorph', 'outerSync', 'before', 'after', 'prepend', 'append', 'upsert'])
} as const satisfies Dialect

function form ({ event, target, retry, data, parts, signal }: EventRecord): string {
  if (signal !== undefined) return 'htmx4'
  if (parts !== undefined) return PARTIALS
  // A retry that comes without a name and without data is overlooked here.
  const isOverlooked = retry !== undefined && event === undefined && data === undefined
  return target === undefined && !isOverlooked ? PLAIN : 'htmx4'
}
