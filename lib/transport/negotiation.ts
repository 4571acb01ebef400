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
  for (const [type, ...parameters] of rangesOf(accept)) {
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
  const names = rangesOf(accept).filter(([, ...parameters]) => !parameters.some(isRefusal)).map(([type]) => type)
  return names.includes(EVENT_STREAM) && !HTML.some(type => names.includes(type))
}

/**
 * The coding of `offered`, the one that we like best first, that an Accept-Encoding header likes best; undefined where
 * the answer is to be sent as it is. No header is no wish.
 */
export function acceptedCoding<Coding extends string> (header: string | undefined, offered: readonly Coding[]): Coding | undefined {
  if (header === undefined) return undefined
  const weights = new Map(rangesOf(header).map(([name, ...parameters]) => [name, weightOf(parameters)]))
  const weight = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0
  const best = Math.max(...offered.map(weight))
  // A client that prefers an answer as it is says so.
  if (best === 0 || best < (weights.get('identity') ?? 0)) return undefined
  return offered.find(name => weight(name) === best)
}

/** The ranges of a header in lower case: each with its name first, and then its parameters. */
function rangesOf (header: string): string[][] {
  return header.toLowerCase().split(',').map(range => range.split(';').map(part => part.trim()))
}

/** https://www.rfc-editor.org/rfc/rfc9110#section-12.4.2; what is none is as if it was not there. */
function weightOf (parameters: string[]): number {
  const weight = parameters.map(parameter => /^q=([01](?:\.\d{0,3})?)$/.exec(parameter)?.[1]).find(Boolean)
  return weight === undefined ? 1 : Number(weight)
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
