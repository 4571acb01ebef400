// The pages of an app with parts still to send. An app that closes does
// not wait for them longer than for its streams.
import { FST_CHIRP_DEFER } from '../errors.js'
import type { DeferredValues } from './values.js'

interface PendingPage {
  values: DeferredValues
  /** Cuts the connection. */
  destroy (): void
}

// The time that a client needs to take the last piece.
const MARGIN = 500

export class PendingPages {
  readonly #grace: number
  readonly #pages = new Set<PendingPage>()
  #onEmpty: Array<() => void> = []
  #isClosing = false

  /** @param grace Milliseconds that values get when the app closes. */
  constructor (grace: number) {
    this.#grace = grace
  }

  /** Returns how it is taken away. */
  add (page: PendingPage): () => void {
    this.#pages.add(page)
    // What was awaited before it has its values can take longer than the app is open.
    if (this.#isClosing) this.close()
    return () => {
      this.#pages.delete(page)
      if (this.#pages.size === 0) for (const resolve of this.#onEmpty.splice(0)) resolve()
    }
  }

  /** Never rejects. */
  async close (): Promise<void> {
    this.#isClosing = true
    if (await this.#isEmptyWithin(this.#grace)) return
    for (const { values } of [...this.#pages]) values.fail(name => new FST_CHIRP_DEFER(`"${name}" was pending when the app closed`))
    if (await this.#isEmptyWithin(MARGIN)) return
    for (const page of [...this.#pages]) page.destroy()
  }

  async #isEmptyWithin (milliseconds: number): Promise<boolean> {
    if (this.#pages.size === 0) return true
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, milliseconds)
      this.#onEmpty.push(() => {
        clearTimeout(timer)
        resolve()
      })
    })
    return this.#pages.size === 0
  }
}
