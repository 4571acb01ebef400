// Several channels in one stream: what they publish in one tick goes out in one
// write, which is put together once for all streams of the same channels.
import type { SharedFrames } from '../sse/frame.js'
import { Relay } from '../stream/relay.js'
import { joinFrames } from './batch.js'

export class TickOutlet extends Relay {
  #held: SharedFrames | undefined
  #events = 0

  override share (frames: SharedFrames, events: number): void {
    if (this.#held === undefined) process.nextTick(release, this)
    this.#held = this.#held === undefined ? frames : joinFrames(this.#held, frames)
    this.#events += events
  }

  override send (frames: string, events: number): void {
    this.release()
    super.send(frames, events)
  }

  override flush (): void {
    this.release()
    super.flush()
  }

  override ended (): void {
    this.release()
    super.ended()
  }

  override failed (error: unknown): void {
    this.release()
    super.failed(error)
  }

  /** Passes on what was held back. */
  release (): void {
    const frames = this.#held
    if (frames === undefined) return
    const events = this.#events
    this.#held = undefined
    this.#events = 0
    super.share(frames, events)
  }
}

function release (outlet: TickOutlet): void {
  outlet.release()
}
