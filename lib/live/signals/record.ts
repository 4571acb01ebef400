// The event that brings a value of a signal to all of its places.
import { signalEvent } from '../../dialects/htmx.js'
import type { EventRecord } from '../../dialects/record.js'

export function recordOf (name: string, html: string): EventRecord {
  return { event: signalEvent(name), key: name, signal: name, data: html }
}
