// The signals that a render has printed: what it gave may be sent when they
// have other values, because a filter took its time, another event, or the client.
import type { PageStream, PrintedSignals } from './renderer.js'

export class Printed implements PrintedSignals {
  readonly #signals: PrintedSignals
  readonly #shown = new Map<string, Set<string>>()

  constructor (signals: PrintedSignals) {
    this.#signals = signals
  }

  html (name: string): string {
    const html = this.#signals.html(name)
    const shown = this.#shown.get(name) ?? new Set()
    this.#shown.set(name, shown.add(html))
    return html
  }

  /** The block with the values of now: what its places showed may have been followed by newer events already. */
  renewed (block: string): string {
    let html = block
    for (const [name, shown] of this.#shown) {
      const inPlace = (value: string): string => ` data-signal="${name}">${value}</span>`
      const before = [...shown]
      const now = inPlace(this.html(name))
      for (const value of before) html = html.replaceAll(inPlace(value), () => now)
    }
    return html
  }
}

/** A render for no page: few of them print signals. */
export class Unpaged implements PageStream {
  readonly #signals: PrintedSignals
  #printed: Printed | undefined

  constructor (signals: PrintedSignals) {
    this.#signals = signals
  }

  get signals (): Printed {
    this.#printed ??= new Printed(this.#signals)
    return this.#printed
  }

  /** What was rendered, with the values of now. */
  renewed (html: string): string {
    return this.#printed?.renewed(html) ?? html
  }

  /** Whether it printed any. */
  get isPrinted (): boolean {
    return this.#printed !== undefined
  }
}
