// Several channels in one stream: what they publish in one tick goes out in one
// write, which is put together once for all streams of the same channels.
import type { Dialect } from '../dialects/dialect.js'
import type { SharedFrames } from '../sse/frame.js'
import type { FeedTarget } from '../stream/feed.js'
import { joinFrames } from './batch.js'

export class TickTarget implements FeedTarget {
  readonly #target: FeedTarget
  #held: SharedFrames | undefined
  #events = 0

  constructor (target: FeedTarget) {
    this.#target = target
  }

  get dialect (): Dialect {
    return this.#target.dialect
  }

  get isBlocked (): boolean {
    return this.#target.isBlocked
  }

  share (frames: SharedFrames, events: number): void {
    if (this.#held === undefined) process.nextTick(release, this)
    this.#held = this.#held === undefined ? frames : joinFrames(this.#held, frames)
    this.#events += events
  }

  send (frames: string, events: number): void {
    this.release()
    this.#target.send(frames, events)
  }

  flush (): void {
    this.release()
    this.#target.flush()
  }

  whenDrained (): Promise<void> {
    return this.#target.whenDrained()
  }

  ended (): void {
    this.release()
    this.#target.ended()
  }

  failed (error: unknown): void {
    this.release()
    this.#target.failed(error)
  }

  /** Passes on what was held back. */
  release (): void {
    const frames = this.#held
    if (frames === undefined) return
    const events = this.#events
    this.#held = undefined
    this.#events = 0
    this.#target.share(frames, events)
  }
}

function release (target: TickTarget): void {
  target.release()
}
