// Where the events of a job are: a channel of its own, and what this process knows of it.
import type { Location } from '../stream/feed.js'
import { whenDone, type MaybePromise } from '../util/promise.js'
import type { Channel } from './channel.js'
import type { JobNote } from './job-board.js'
import type { JobSink } from './job-sink.js'
import { JobTrack } from './job-track.js'

export class JobPlace {
  readonly channel: Channel
  readonly track: JobTrack
  readonly #elsewhere: (() => JobNote) | undefined

  /** @param elsewhere what is known of the run, where another process has it. */
  constructor (channel: Channel, track: JobTrack, elsewhere: (() => JobNote) | undefined) {
    this.channel = channel
    this.track = track
    this.#elsewhere = elsewhere
  }

  get isElsewhere (): boolean {
    return this.#elsewhere !== undefined
  }

  /** Begins to follow, unless it does; a promise until the engine has answered, which may be rejected. */
  follow (): Promise<void> | undefined {
    return this.track.follow(track => {
      if (this.#elsewhere === undefined) this.channel.attach(track, '')
      else this.#findStart(this.#elsewhere(), track).catch(error => { track.failed(error) })
    })
  }

  /** The position of its newest event, after which a stream can go on. */
  async newest (): Promise<string> {
    await this.follow()
    const { track } = this
    if (!this.isElsewhere) return track.newest
    const { last } = await this.channel.locate('')
    return last === track.end?.position ? track.end.last : last
  }

  /** Where a cursor stands, of one that is followed. Without a cursor it is where the first event comes after. */
  locate (cursor: string): MaybePromise<Location> {
    const { track, channel } = this
    const wanted = cursor === '' ? track.first : cursor
    return whenDone(channel.locate(wanted ?? ''), ({ from, last }) => {
      // After the record of the end there is nothing to wait for.
      return { from: wanted === undefined ? undefined : from, last: last === track.end?.position ? track.end.last : last }
    })
  }

  /** Lets a stream begin, of one that is followed. */
  async begin (sink: JobSink, lastEventId: string, isMerged: boolean): Promise<void> {
    const { track, channel } = this
    const cursor = lastEventId === '' ? track.first : lastEventId
    // A merge has asked before.
    if (isMerged && lastEventId !== '') return sink.begin(lastEventId)
    const located = channel.locate(cursor ?? '')
    const { from, last } = located instanceof Promise ? await located : located
    // The client has left, or the channel is closed and nothing is left of the job.
    if (last === '' || sink.isOver) return sink.ended()
    if (cursor !== undefined && from !== undefined) return sink.begin(cursor)
    // Unlike a channel a job has an end, so what is left of it is worth more than what is to come.
    const { oldest } = track
    sink.gap(lastEventId, oldest)
    sink.begin(oldest)
  }

  /** Reads from its first event on, or as far back as the engine still has them. */
  async #findStart ({ first, mark, state }: JobNote, track: JobTrack): Promise<void> {
    for (const position of [first, mark]) {
      if (position === undefined || (await this.channel.locate(position)).from === undefined) continue
      track.begin(position, position === first)
      this.channel.attach(track, position)
      return
    }
    // The record of the end is behind as well.
    track.lose(state === 'claimed' || state === 'running' ? undefined : { state })
    this.channel.attach(track, '')
  }
}
