// Pulls values from a source and sends them, one after the other, at the pace
// of the client.
import { describe } from '../util/describe.js'
import { isPromise } from '../util/promise.js'
import type { Attachment, Outlet } from './feed.js'
import { type OpenSource } from './source.js'

// Values that are pulled before other work gets its turn, however small they are.
const TURN_LIMIT = 2048

export class Pump implements Attachment {
  readonly #source: OpenSource
  readonly #outlet: Outlet
  // Set when nothing more is wanted of the source, or it has nothing more.
  #isOver = false
  #turn = 0

  constructor (source: OpenSource, outlet: Outlet) {
    this.#source = source
    this.#outlet = outlet
  }

  /** Closes the source, once, whether it waits or not. */
  detach (): void {
    if (this.#isOver) return
    this.#isOver = true
    const failed = (error: unknown): void => { this.#outlet.failedLate(error) }
    this.#source.close(failed)?.catch(failed)
  }

  async run (): Promise<void> {
    const outlet = this.#outlet
    try {
      for (;;) {
        const step = this.#source.next()
        const result = isPromise(step) ? await step : step
        if (this.#isOver) return
        if (typeof result !== 'object' || result === null) throw new TypeError(`next() gave ${describe(result)}, not an object with done and value`)
        if (result.done) break
        const frame = outlet.encode(result.value)
        let text: string
        if (typeof frame === 'string') {
          text = frame
        } else {
          text = await frame
          if (this.#isOver) return
        }
        if (outlet.isFull(text) || ++this.#turn >= TURN_LIMIT || outlet.isBlocked) {
          await this.#yieldLoop()
          if (this.#isOver) return
        }
        if (text !== '') outlet.send(text, 1)
      }
    } catch (error) {
      if (this.#isOver) return outlet.failedLate(error)
      this.#isOver = true
      return outlet.failed(error)
    }
    this.#isOver = true
    outlet.ended()
  }

  /** Writes the collected values, gives other work a turn, and waits until the client can take more. */
  async #yieldLoop (): Promise<void> {
    this.#outlet.flush()
    this.#turn = 0
    await new Promise(setImmediate)
    if (this.#outlet.isBlocked) await this.#outlet.whenDrained()
  }
}
