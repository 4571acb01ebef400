// Brings the events of a job to one stream, and ends it when the job has ended.
import type { JobEnd } from '../dialects/record.js'
import type { Entry } from '../message/entry.js'
import { errorFrame } from '../sse/own.js'
import type { Attachment, Outlet } from '../stream/feed.js'
import type { Batch } from './batch.js'
import type { TrackEnd } from './job-track.js'
import { StreamSink } from './sink.js'

/** The job of a sink. */
export interface SinkHost {
  /** Where the events of the job end, once that is known. */
  readonly end: TrackEnd | undefined
  /** The fate of the job: it is over, or nothing more will be known of it. */
  readonly outcome: JobEnd
  attach (sink: JobSink, cursor: string): Attachment
  /** The sink needs nothing more. */
  left (sink: JobSink): void
}

export class JobSink extends StreamSink implements Attachment {
  readonly #host: SinkHost
  readonly #startsMerged: boolean
  #reader: Attachment | undefined
  // The last position that the client was given, or came with.
  #position = ''
  #isOver = false

  constructor (outlet: Outlet, host: SinkHost, lastEventId: string) {
    super(outlet)
    this.#host = host
    this.#startsMerged = outlet.ids !== undefined && lastEventId === ''
  }

  /** Whether nothing more is sent. */
  get isOver (): boolean {
    return this.#isOver
  }

  /** Reads on after a cursor that the job knows. */
  begin (cursor: string): void {
    this.#position = cursor
    this.check()
    if (this.#isOver) return
    this.#reader = this.#host.attach(this, cursor)
    // It may have come to its end at once.
    if (this.#isOver) this.#reader.detach()
  }

  /** Ends the stream if there is nothing more for it. */
  check (): void {
    const { end } = this.#host
    if (end !== undefined && (this.#position === end.last || this.#position === end.position)) this.finish(end)
  }

  /** Ends the stream, and tells it of a failure first. */
  finish ({ state, message = '' }: JobEnd): void {
    if (this.#isOver) return
    if (state === 'failed') this.outlet.send(errorFrame(message), 1)
    this.#leave()
    this.outlet.ended()
  }

  cursor (): string | undefined {
    return this.#reader?.cursor?.()
  }

  detach (): void {
    this.#leave()
  }

  override pass (entries: readonly Entry[], batch?: Batch): void {
    const { position, record: { end } } = entries[entries.length - 1]!
    this.#position = position
    if (end === undefined) super.pass(entries, batch)
    else if (entries.length > 1) super.pass(entries.slice(0, -1))
    if (end === undefined) this.check()
    else this.finish(end)
  }

  override gap (requested: string, position: string): void {
    // In the ids of a merge it has started here.
    if (this.#startsMerged) this.outlet.ids!.noteStart(position)
    super.gap(requested, position)
    this.#position = position
    this.check()
  }

  override ended (): void {
    this.finish(this.#host.outcome)
  }

  override failed (error: unknown): void {
    if (this.#isOver) return
    this.#leave()
    super.failed(error)
  }

  #leave (): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#reader?.detach()
    this.#host.left(this)
  }
}
