// The signals that a block has printed: it may be sent when they have other
// values, because another block took longer, or the client.
import type { PrintedSignals } from '../render/renderer.js'

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
