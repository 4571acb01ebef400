// Blocks that go to streams in one write, encoded once for all that read them alike.
import { toShared } from '../channel/batch.js'
import type { Dialect } from '../dialects/dialect.js'
import type { EventRecord } from '../dialects/record.js'
import type { SharedFrames } from '../sse/frame.js'
import type { Ids } from '../stream/feed.js'

export class Update {
  /** Its content. */
  readonly sent: ReadonlyArray<{ readonly record: EventRecord }>
  /** Where a client is that has all of it; empty where it has to get more for that. */
  readonly position: string
  readonly #frames = new Map<string, SharedFrames>()

  constructor (records: readonly EventRecord[], position: string) {
    this.sent = records.map(record => ({ record }))
    this.position = position
  }

  get events (): number {
    return this.sent.length
  }

  frames (dialect: Dialect, ids: Ids | undefined): SharedFrames {
    const key = ids === undefined ? dialect.name : `${dialect.name} ${ids.key()}`
    let frames = this.#frames.get(key)
    if (frames === undefined) {
      frames = toShared(this.#encode(dialect, ids))
      this.#frames.set(key, frames)
    }
    return frames
  }

  // The last one brings the id: a client that has it has all.
  #encode (dialect: Dialect, ids: Ids | undefined): string {
    const { position } = this
    const id = position === '' ? undefined : ids === undefined ? position : ids.of(position)
    const last = this.sent.length - 1
    return this.sent.map(({ record }, n) => dialect.encode(n === last ? { ...record, id } : record)).join('')
  }
}
