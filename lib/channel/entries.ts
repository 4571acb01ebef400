// What engines give is plain data. The same object, heard or read, is the same
// event: one Entry in this process, encoded once for all readers.
import { Entry } from '../message/entry.js'
import { isUnrendered } from '../message/unrendered.js'
import type { Page, StoredEvent } from './engine.js'
import { ViewerEntry } from './viewer-entry.js'

/** What was read from an engine, as events that can be encoded. */
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
