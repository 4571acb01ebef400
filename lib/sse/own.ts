// The reserved events of streams, and their names.
import { encodeFrame } from './frame.js'

/** Each event that is not an app's. */
export const OWN_EVENTS = {
  open: 'chirp:open',
  error: 'chirp:error',
  closing: 'chirp:closing',
  closed: 'chirp:closed',
  gone: 'chirp:gone',
  busy: 'chirp:busy',
  gap: 'chirp:gap',
  retry: 'chirp:retry'
} as const

/** The first frame. */
export function openFrame (retry: number | false): string {
  // Some clients take a comment with a blank line after it for an empty message.
  if (retry === false) return ': open\n'
  // htmx 4 takes a retry only from a block with data.
  return encodeFrame({ event: OWN_EVENTS.open, retry, data: '' })
}

/** Tells a client what went wrong. Never `error`, which EventSource takes for a lost connection. */
export function errorFrame (message: string): string {
  return encodeFrame({ event: OWN_EVENTS.error, data: message })
}

/** The last frame of an app that closes. */
export function closingFrame (shutdownGrace: number): string {
  // Longer than the time that this process still answers with 503, which would
  // make an EventSource give up.
  const drain = shutdownGrace + 1000
  return encodeFrame({ event: OWN_EVENTS.closing, retry: jitter(drain, 2 * drain), data: '' })
}

/** The last frame of a stream that the app has closed. */
export function closedFrame (): string {
  // The app has its reason, so an EventSource need not be back at once.
  return encodeFrame({ event: OWN_EVENTS.closed, retry: jitter(5000, 15000), data: '' })
}

/** The last frame of a stream without a source any more. */
export function goneFrame (): string {
  return encodeFrame({ event: OWN_EVENTS.gone, retry: jitter(5000, 15000), data: '' })
}

/** The only frame for a client over a limit. */
export function busyFrame (): string {
  return encodeFrame({ event: OWN_EVENTS.busy, retry: jitter(5000, 15000), data: '' })
}

// At random, so that clients do not all come back at once.
function jitter (min: number, max: number): number {
  return Math.round(min + Math.random() * (max - min))
}
