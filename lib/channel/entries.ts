// Engines give plain data. The same object, from a listener or a read, is the same
// event: one Entry in this process, encoded once for all readers.
import { Entry } from '../message/entry.js'
import { isUnrendered } from '../message/unrendered.js'
import type { Page, StoredEvent } from './engine.js'
import { ViewerEntry } from './viewer-entry.js'

/** Events that were read from an engine, in a form that can be encoded. */
export interface EntryPage extends Omit<Page, 'entries'> {
  entries: Entry[]
}

// As long as the engine keeps an event, or a reader has it.
const known = new WeakMap<StoredEvent, Entry>()

export function toEntry (event: StoredEvent): Entry {
  let entry = known.get(event)
  if (entry === undefined) {
    const { position, previous, record, audience } = event
    entry = new (isUnrendered(record) ? ViewerEntry : Entry)(position, previous, record, audience)
    known.set(event, entry)
  }
  return entry
}

export function toEntries (page: Page): EntryPage {
  return { ...page, entries: page.entries.map(toEntry) }
}

/** The events of one write: at least one, and not many. */
export function sliceOf (entries: readonly Entry[], start: number, window: number): readonly Entry[] {
  let end = start + 1
  let size = entries[start]!.size
  while (end < entries.length && (size += entries[end]!.size) <= window) end++
  return entries.slice(start, end)
}

/** The events after a position of a page. */
export function pageAfter (after: string, { from, entries, last }: EntryPage, limit: number): EntryPage {
  const start = entries.findIndex(({ previous }) => previous === after)
  return { from, entries: start === -1 ? [] : entries.slice(start, start + limit), last }
}

/** A page without the events after a position, if that is in it. */
export function pageUpTo (position: string | undefined, page: EntryPage): EntryPage {
  if (position === undefined) return page
  if (page.from === position) return { ...page, entries: [] }
  const end = page.entries.findIndex(entry => entry.position === position)
  return end === -1 ? page : { ...page, entries: page.entries.slice(0, end + 1) }
}
