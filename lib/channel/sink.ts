// Brings the events of a reader to a stream.
import type { Entry } from '../message/entry.js'
import { MAX_ID_BYTES } from '../sse/field.js'
import { encodeFrame } from '../sse/frame.js'
import { OWN_EVENTS } from '../sse/own.js'
import type { GapNotes, Outlet } from '../stream/feed.js'
import { encodeEntries, type Batch } from './batch.js'
import type { Direct, ReaderTarget } from './target.js'

// Bytes in memory: a page of small events, or few large ones.
const WINDOW = 65536

export class StreamSink implements ReaderTarget {
  protected readonly outlet: Outlet

  constructor (outlet: Outlet) {
    this.outlet = outlet
  }

  get window (): number {
    return WINDOW
  }

  get isBlocked (): boolean {
    return this.outlet.isBlocked
  }

  flush (): void {
    this.outlet.flush()
  }

  whenDrained (): Promise<void> {
    return this.outlet.whenDrained()
  }

  pass (entries: readonly Entry[], batch?: Batch): void {
    const { dialect, ids } = this.outlet
    if (batch === undefined) {
      this.outlet.noteReplayed?.(entries)
      this.outlet.send(encodeEntries(entries, dialect, ids), entries.length)
    } else this.outlet.share(batch.frames(dialect, ids), entries.length)
    ids?.note(entries[entries.length - 1]!.position)
  }

  tell (position: string): void {
    if (this.outlet.ids?.noteStart(position) !== false) this.outlet.send(encodeFrame({ id: idOf(this.outlet, position) }), 0)
  }

  gap (requested: string, position: string): void {
    this.outlet.ids?.note(position)
    this.outlet.send(encodeFrame(gapFields(requested, idOf(this.outlet, position), this.outlet.noteGap?.())), 1)
  }

  live (): void {
    this.outlet.noteLive?.()
  }

  ended (): void {
    this.outlet.ended()
  }

  failed (error: unknown): void {
    this.outlet.failed(error)
  }
}

function idOf ({ ids }: Outlet, position: string): string | undefined {
  return ids === undefined ? position : ids.of(position)
}

/** One that passes on all that there is, so that a batch may go to the connection without it. */
export class DirectSink extends StreamSink {
  get direct (): Direct | undefined {
    const { ids, connection } = this.outlet
    // An outlet of the app may be a proxy of a stream.
    return ids === undefined && connection?.isOf(this.outlet) === true && connection.isIdle ? this.outlet as Direct : undefined
  }
}

/** The event that tells of a gap. What a client asked for may be anything of any length, so it is cut, and stands in JSON alone. */
export function gapFields (requested: string, id: string | undefined, notes?: GapNotes): { event: string, id: string | undefined, data: string } {
  return { event: OWN_EVENTS.gap, id, data: JSON.stringify({ requested: requested.slice(0, MAX_ID_BYTES), resumedFrom: id, ...notes }) }
}
