// The media types that a client accepts, and the headers that an answer depends on.
// https://www.rfc-editor.org/rfc/rfc9110#section-12.5
import type { FastifyReply } from 'fastify'

const EVENT_STREAM = 'text/event-stream'

/**
 * Whether an Accept header lets us answer with `text/event-stream`. The most
 * specific range that matches decides; no header accepts all.
 */
export function acceptsEventStream (accept: string | undefined): boolean {
  if (accept === undefined || accept === EVENT_STREAM || accept.trim() === '') return true
  let best = -1
  let accepted = false
  for (const range of accept.toLowerCase().split(',')) {
    const [type, ...parameters] = range.split(';').map(part => part.trim())
    const specificity = RANGES.indexOf(type as string)
    if (specificity <= best) continue
    best = specificity
    accepted = !parameters.some(isRefusal)
  }
  return accepted
}

/** Whether a client wants `text/event-stream` by name, and HTML not at all: an EventSource does, and no browser that loads a page. */
export function wantsEventStream (accept: string | undefined): boolean {
  if (accept === undefined) return false
  const names = accept.toLowerCase().split(',').map(range => range.split(';').map(part => part.trim()))
    .filter(([, ...parameters]) => !parameters.some(isRefusal)).map(([type]) => type)
  return names.includes(EVENT_STREAM) && !HTML.some(type => names.includes(type))
}

function isRefusal (parameter: string): boolean {
  return /^q=0(\.0*)?$/.test(parameter)
}

const HTML = ['text/html', 'application/xhtml+xml']

// Least specific first.
const RANGES = ['*/*', 'text/*', EVENT_STREAM]

/** Adds header names to `Vary`, keeping what others have put there. */
export function addVary (reply: FastifyReply, names: string): void {
  const present = reply.getHeader('vary')
  if (present === undefined) {
    reply.header('vary', names)
    return
  }
  const known = String(present).toLowerCase().split(',').map(name => name.trim())
  const added = names.split(', ').filter(name => !known.includes(name.toLowerCase()))
  if (added.length > 0 && !known.includes('*')) reply.header('vary', [present, ...added].join(', '))
}
