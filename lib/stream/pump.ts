// Pulls values from a source and sends them, one after the other, at the pace
// of the client.
import { describe } from '../util/describe.js'
import { isPromise } from '../util/promise.js'
import type { Attachment, PumpTarget } from './feed.js'
import { type OpenSource } from './source.js'

// Values that are pulled before other work gets its turn, however small they are.
const TURN_LIMIT = 2048

export class Pump implements Attachment {
  readonly #source: OpenSource
  readonly #target: PumpTarget
  // Set when nothing more is wanted of the source, or it has nothing more.
  #isOver = false
  #turn = 0

  constructor (source: OpenSource, target: PumpTarget) {
    this.#source = source
    this.#target = target
  }

  cursor (): undefined {}

  /** Closes the source, once, whether it waits or not. */
  detach (): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#source.close()?.catch(error => this.#target.failedLate(error))
  }

  async run (): Promise<void> {
    const target = this.#target
    try {
      for (;;) {
        const step = this.#source.next()
        const result = isPromise(step) ? await step : step
        if (this.#isOver) return
        if (typeof result !== 'object' || result === null) throw new TypeError(`next() gave ${describe(result)}, not an object with done and value`)
        if (result.done) break
        const frame = target.encode(result.value)
        let text: string
        if (typeof frame === 'string') {
          text = frame
        } else {
          text = await frame
          if (this.#isOver) return
        }
        if (target.isFull(text) || ++this.#turn >= TURN_LIMIT || target.isBlocked) {
          await this.#yieldLoop()
          if (this.#isOver) return
        }
        if (text !== '') target.send(text, 1)
      }
    } catch (error) {
      if (this.#isOver) return target.failedLate(error)
      this.#isOver = true
      return target.failed(error)
    }
    this.#isOver = true
    target.ended()
  }

  /** Writes what is there, lets other work have its turn, and waits until the client can take more. */
  async #yieldLoop (): Promise<void> {
    this.#target.flush()
    this.#turn = 0
    await new Promise(setImmediate)
    if (this.#target.isBlocked) await this.#target.whenDrained()
  }
}
