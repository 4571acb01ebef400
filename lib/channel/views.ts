// Renders the events of one channel for its viewers.
import type { EventRecord } from '../dialects/record.js'
import { Entry } from '../message/entry.js'
import type { Fragment } from '../message/fragment.js'
import type { Fragments } from '../message/fragments.js'
import { toValue } from '../message/unrendered.js'
import { isPromise, type MaybePromise } from '../util/promise.js'
import type { Batch } from './batch.js'
import { ViewerEntry, type View } from './viewer-entry.js'

/** The parts of the channel and its app that renders for viewers need. */
export interface ViewsHost {
  /** The channel's name. */
  readonly name: string
  /** Bytes of events that may wait to be rendered for one reader. */
  readonly maxBuffer: number
  readonly keepsLatest: boolean
  toRecord (value: unknown): MaybePromise<EventRecord>
  errorRecord (value: unknown, error: unknown): EventRecord | undefined
  report (error: unknown, message: string): void
}

export class Views {
  readonly host: ViewsHost

  constructor (host: ViewsHost) {
    this.host = host
  }

  /** Events as a viewer sees them; the same list when there is nothing to render. Never rejects. */
  see (entries: readonly Entry[], viewer: string | undefined): MaybePromise<readonly Entry[]> {
    if (!entries.some(isForViewers)) return entries
    const views = entries.map((entry): MaybePromise<View> => isForViewers(entry) ? entry.view(viewer, () => this.#render(entry, viewer)) : entry)
    return views.some(isPromise) ? Promise.all(views).then(seen) : seen(views as View[])
  }

  /** The same for what all readers get in one tick: rendered once for each viewer. */
  seeBatch (batch: Batch, viewer: string | undefined): MaybePromise<Batch> {
    return batch.seenBy(viewer, () => this.see(batch.entries, viewer))
  }

  #render (entry: ViewerEntry, viewer: string | undefined): MaybePromise<View> {
    let value: Fragment | Fragments | undefined
    try {
      value = toValue(entry.record, viewer)
      const record = this.host.toRecord(value)
      return isPromise(record)
        ? (record as Promise<EventRecord>).then(record => viewOf(entry, record), error => this.#failed(entry, value, error))
        : viewOf(entry, record as EventRecord)
    } catch (error) {
      return this.#failed(entry, value, error)
    }
  }

  /** The replacement of a render that failed. It is kept as any other, so the failure is reported once. */
  #failed (entry: Entry, value: Fragment | Fragments | undefined, error: unknown): View {
    const { host } = this
    const box = host.errorRecord(value, error)
    const name = JSON.stringify(host.name)
    host.report(error, box === undefined ? `an event of channel ${name} was not sent to a viewer` : `the error box of an event of channel ${name} was sent to a viewer`)
    return box === undefined ? undefined : new Entry(entry.position, entry.previous, box, entry.audience)
  }
}

function isForViewers (entry: Entry): entry is ViewerEntry {
  return entry instanceof ViewerEntry
}

function viewOf ({ position, previous, record: { id, retry }, audience }: Entry, record: EventRecord): Entry {
  return new Entry(position, previous, { ...record, id, retry }, audience)
}

function seen (views: readonly View[]): Entry[] {
  return views.filter(view => view !== undefined)
}
