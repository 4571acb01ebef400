// What a client accepts, and on which of its headers an answer depends.
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
    accepted = !parameters.some(parameter => /^q=0(\.0*)?$/.test(parameter))
  }
  return accepted
}

// Least specific first.
const RANGES = ['*/*', 'text/*', EVENT_STREAM]

/** Adds header names to `Vary`, keeping what others have put there. */
export function addVary (reply: FastifyReply, names: string): void {
  const present = reply.getHeader('vary')
  if (present === '*') return
  reply.header('vary', present === undefined ? names : `${String(present)}, ${names}`)
}
