// The HTML of one value of a signal, made again for another value.
import { FST_CHIRP_SIGNAL, FST_CHIRP_VALUE } from '../../errors.js'
import type { BlockRenderer } from '../../message/compose.js'
import { errorBox } from '../../message/error-box.js'
import { Fragment } from '../../message/fragment.js'
import { stringifyData } from '../../sse/json.js'
import { escapeHtml } from '../../util/escape.js'
import { isOf } from '../../util/kind.js'
import { isPromise, type MaybePromise } from '../../util/promise.js'
import { messageOf } from '../../util/thrown.js'
import type { Box } from './graph.js'
import { atOnce } from './options.js'

/** The parts of the app that places need. */
export interface PlaceHost {
  readonly renderer: BlockRenderer
  readonly counters: { renders: number }
  readonly debug: boolean
  /** Runs code of the app that must not set values. */
  run<T> (code: () => T): T
  report (error: unknown, message: string): void
}

export type Render = ((value: never) => unknown) | undefined

export class Place {
  /** Undefined is everyone. */
  readonly audience: unknown
  /** When its value came, so that the newest one can be told. */
  order = 0
  /** Whether its value waits for a render of the same signal. */
  isQueued = false
  /** Whether everyone got a value after it, so that it is no longer shown. */
  isDropped = false
  /** The value for the audience; without one it is that of everyone. */
  own: Box | undefined
  readonly #name: string
  readonly #render: Render
  readonly #host: PlaceHost
  readonly #everyone: () => Box
  // The value that the HTML is of.
  #shown: Box | undefined
  #html = ''
  #making: { box: Box, html: Promise<string> } | undefined
  #isMaking = false

  constructor (name: string, audience: unknown, render: Render, host: PlaceHost, everyone: () => Box) {
    this.#name = name
    this.audience = audience
    this.#render = render
    this.#host = host
    this.#everyone = everyone
  }

  /** The HTML that can be had at once: of the newest value, or where that is rendered asynchronously, of the one before. */
  get html (): string {
    const html = this.refresh()
    return typeof html === 'string' ? html : this.#html
  }

  /** The HTML of the newest value. Never fails. */
  refresh (): MaybePromise<string> {
    const box = this.own ?? this.#everyone()
    if (this.#shown === box) return this.#html
    if (this.#making?.box === box) return this.#making.html
    const made = this.#make(box)
    if (typeof made === 'string') return this.#show(box, made)
    const html = made.then(html => this.#making?.box === box ? this.#show(box, html) : html)
    this.#making = { box, html }
    return html
  }

  #show (box: Box, html: string): string {
    this.#shown = box
    this.#making = undefined
    this.#html = html
    return html
  }

  #make (box: Box): string | Promise<string> {
    if (this.#isMaking) throw new FST_CHIRP_SIGNAL(`"${this.#name}" is shown by a block that prints signal("${this.#name}") itself. Print the value there, {{ value }}, and signal("${this.#name}") around it`)
    this.#isMaking = true
    const html = this.#attempt(box.value)
    this.#isMaking = false
    return html
  }

  /** Never fails. */
  #attempt (value: unknown): string | Promise<string> {
    try {
      const html = this.#toHtml(value)
      return typeof html === 'string' ? html : html.catch(error => this.#failed(error))
    } catch (error) {
      return this.#failed(error)
    }
  }

  /** In debug the box, else what was there before. */
  #failed (error: unknown): string {
    const { debug, report } = this.#host
    report(error, debug ? `the error box of signal "${this.#name}" was shown instead of its value` : `signal "${this.#name}" shows the value before, because this one was not rendered`)
    return debug ? errorBox(this.#name, error) : this.#html
  }

  #toHtml (value: unknown): string | Promise<string> {
    const render = this.#render as ((value: unknown) => unknown) | undefined
    const shown = value === undefined || render === undefined ? value : this.#host.run(() => atOnce(`option "render" of "${this.#name}"`, render(value)))
    if (!isOf(shown, Fragment)) return toText(this.#name, shown)
    const { renderer, counters } = this.#host
    counters.renders++
    const html = renderer.renderBlock(shown.template, shown.block, shown.context)
    return isPromise(html) ? html.then(html => html.trim()) : html.trim()
  }
}

/** Escaped, so that HTML comes from a Fragment alone. */
function toText (name: string, value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'bigint' || typeof value === 'number') return String(value)
  try {
    return escapeHtml(stringifyData(value))
  } catch (cause) {
    throw new FST_CHIRP_VALUE(`signal "${name}": ${messageOf(cause)}`, { cause })
  }
}
