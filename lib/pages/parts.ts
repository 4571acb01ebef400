// A page that leaves before all of its values are there: first the shell, in
// which they are pending, then each block that reads them, in the same response.
import { FST_CHIRP_RENDER } from '../errors.js'
import { errorBox } from '../message/error-box.js'
import type { PageStream } from '../render/renderer.js'
import { notThereIn } from '../render/unsettled.js'
import { attempt, isPromise, type MaybePromise } from '../util/promise.js'
import { elementOf, findPlaces, NOWHERE, outlineOf, type Outline, type Place } from './layout.js'
import type { Outlet } from './outlet.js'
import type { DeferredReaders } from './readers.js'
import type { DeferredValues } from './values.js'
import { Watcher, type Part, type Rendered, type WatchedPage } from './watcher.js'

/** The parts of the app and its reply that a page with parts needs. */
export interface PartsHost {
  readonly debug: boolean
  readonly counters: { partsPending: number, partsFailed: number }
  /** Renders the page with the values as they are; with `block` that block alone. */
  render (block: string | undefined, page: PageStream): MaybePromise<string>
  report (error: unknown, message: string): void
  /** Tells a developer that the page waits for a value. */
  waits (variable: string, why: string): void
}

/** The page as it leaves first. */
interface Shell extends Rendered {
  /** Where parts are added. */
  end: number
  /** What stands in front of them. */
  script: string
}

// Characters of parts that are joined into one write.
const JOIN_LIMIT = 16384

let pages = 0

export class PartsPage implements WatchedPage {
  readonly #host: PartsHost
  readonly #values: DeferredValues
  readonly #readers: DeferredReaders
  readonly #page: PageStream
  readonly #isInOrder: boolean
  // Secret from any author of HTML in the page.
  readonly #prefix = `${(pages = (pages + 1) % 1e6).toString(36)}${Math.trunc(Math.random() * 2 ** 31).toString(36)}-`
  #ids = 0
  #pending = 0
  #isStopped = false

  constructor (host: PartsHost, values: DeferredValues, readers: DeferredReaders, page: PageStream, isInOrder: boolean) {
    this.#host = host
    this.#values = values
    this.#readers = readers
    this.#page = page
    this.#isInOrder = isInOrder
  }

  needsOf (block: string): readonly string[] | undefined {
    return this.#readers.blocks.get(block)
  }

  nextId (): string {
    return this.#prefix + this.#ids++
  }

  failed (block: string, variable: string): string {
    return this.#instead(block, this.#values.errorOf(variable))
  }

  /** The page, or a block of it, when all values are there. */
  async whole (block?: string): Promise<string> {
    await this.#values.settled(this.#values.names)
    if (this.#values.isStopped) return ''
    try {
      const html = await this.#host.render(block, this.#under(this.#watch()))
      this.#countFailed()
      return html
    } catch (error) {
      // The block that is rendered alone has no watcher.
      const missing = block === undefined ? undefined : notThereIn(error)
      if (missing === undefined) throw error
      this.#host.counters.partsFailed++
      return this.failed(block!, missing.variable)
    }
  }

  /** The page as it leaves first, and its parts; a string when there are none. */
  async shell (): Promise<string | Shell> {
    const values = this.#values
    for (const [name, { place }] of this.#readers.outside) {
      if (values.stateOf(name) !== 'pending') continue
      this.#host.waits(name, `is read outside of any block, in line ${place.line} of ${place.template}`)
      await values.settled([name])
    }
    for (;;) {
      const shell = await this.#renderShell()
      if (shell !== undefined) return shell.parts.length === 0 ? shell.html : shell
      if (values.isStopped) return ''
    }
  }

  /** Sends the shell, and then each part when its values are there. */
  async send (shell: Shell, outlet: Outlet): Promise<void> {
    if (this.#isInOrder) {
      if (await this.#sendInOrder(shell.html, shell.places, shell.parts, outlet)) outlet.end('')
    } else if (await outlet.write(shell.html.slice(0, shell.end) + shell.script)) {
      const rest = await this.#sendParts(shell.parts, outlet)
      if (rest !== undefined) outlet.end(rest + shell.html.slice(shell.end))
    }
  }

  /** Stops it: no more parts are sent. It may never have been asked to send one. */
  stop (): void {
    this.#isStopped = true
    this.#host.counters.partsPending -= this.#pending
    this.#pending = 0
  }

  // Undefined when a value had to be waited for, and all has to be rendered once more.
  async #renderShell (): Promise<Shell | undefined> {
    const values = this.#values
    const watcher = this.#watch()
    let html: string
    try {
      html = await this.#host.render(undefined, this.#under(watcher))
    } catch (error) {
      const missing = notThereIn(error)
      if (missing?.state !== 'pending') throw error
      this.#host.waits(missing.variable, 'is needed outside of the blocks that are known to read it')
      await values.settled([missing.variable])
      return undefined
    }
    if (watcher === undefined || watcher.parts.size === 0) {
      this.#countFailed()
      return { html, places: [], parts: [], end: html.length, script: '' }
    }
    const outline = this.#isInOrder ? undefined : outlineOf(html)
    const { places, parts } = this.#partsIn(html, watcher, NOWHERE, outline)
    const end = outline === undefined ? html.length : outline.end
    if (end === undefined || parts.length + watcher.dropped.size < watcher.parts.size) {
      const lost = [...watcher.parts.values()].filter(({ id }) => end === undefined || (!watcher.dropped.has(id) && !parts.some(part => part.id === id)))
      for (const { block, needs } of lost) {
        for (const name of needs) {
          if (values.stateOf(name) === 'pending') this.#host.waits(name, `is read by block "${block}", which stands where no part can be placed, such as a title or an attribute`)
        }
      }
      await values.settled(lost.flatMap(({ needs }) => needs))
      return undefined
    }
    this.#countPending(parts.length)
    this.#countFailed()
    const { body } = outline ?? {}
    const { script } = watcher
    if (body === undefined) return { html, places, parts, end, script }
    return { html: `${html.slice(0, body)}<body>${html.slice(body)}`, places, parts, end: end + '<body>'.length, script }
  }

  // Gives the text that is still to be written; undefined when the client has left.
  async #sendParts (parts: readonly Part[], outlet: Outlet): Promise<string | undefined> {
    const waiting = new Map(parts.map(part => [part.id, part]))
    // Parts that are due together leave together, unless they are large.
    let text = ''
    for (;;) {
      if (this.#values.isStopped) return undefined
      const due: Part[] = []
      for (const part of waiting.values()) if (!this.#values.arePending(part.needs)) due.push(part)
      if (due.length === 0) {
        await this.#values.changed()
        // What settles in the same turn of the loop leaves together.
        await new Promise(setImmediate)
      }
      const loops = new Map<string, Watcher>()
      for (const part of due) {
        // It came with the one around it.
        if (!waiting.has(part.id)) continue
        // A block that answers at once is not waited for.
        const rendering = this.#render(part, loops)
        const rendered = isPromise(rendering) ? await rendering : rendering
        if (typeof rendered === 'string') {
          waiting.set(part.id, { ...part, needs: [...part.needs, rendered] })
          continue
        }
        const before = waiting.size
        waiting.delete(part.id)
        for (const { id, within } of waiting.values()) if (within.includes(part.id)) waiting.delete(id)
        for (const inner of rendered.parts) waiting.set(inner.id, inner)
        this.#countPending(waiting.size - before)
        text += elementOf(part.id, rendered.html)
        if (text.length < JOIN_LIMIT) continue
        if (!await outlet.write(text)) return undefined
        text = ''
      }
      if (waiting.size === 0) return text
      if (text !== '' && !await outlet.write(text)) return undefined
      text = ''
    }
  }

  async #sendInOrder (html: string, places: readonly Place[], parts: readonly Part[], outlet: Outlet): Promise<boolean> {
    let at = 0
    for (const { id, start, end } of places) {
      // It is in one that has been sent.
      if (start < at) continue
      let part = parts.find(part => part.id === id)!
      if (!await outlet.write(html.slice(at, start))) return false
      for (;;) {
        await this.#values.settled(part.needs)
        if (this.#values.isStopped) return false
        const rendered = await this.#render(part, new Map())
        if (typeof rendered !== 'string') {
          this.#countPending(rendered.parts.length - 1 - parts.filter(({ within }) => within.includes(id)).length)
          if (!await this.#sendInOrder(rendered.html, rendered.places, rendered.parts, outlet)) return false
          break
        }
        part = { ...part, needs: [...part.needs, rendered] }
      }
      at = end
    }
    return at === html.length || await outlet.write(html.slice(at))
  }

  /** One part, or the name of a value that it needs besides. */
  #render (part: Part, loops: Map<string, Watcher>): MaybePromise<Rendered | string> {
    const { block } = part
    const failed = (error: unknown): Rendered | string => this.#failedPart(block, error)
    const known = loops.get(block)
    const watcher = known ?? (part.isInLoop ? this.#watcher(block) : this.#watch())
    if (part.isInLoop) {
      return attempt(() => known === undefined ? this.#host.render(undefined, this.#under(watcher)) : '', () => {
        loops.set(block, watcher!)
        return this.#rendered(part, watcher!.htmlOf(block, part.index), watcher)
      }, failed)
    }
    return attempt(() => this.#host.render(block, this.#under(watcher)), html => this.#rendered(part, html, watcher), failed)
  }

  #rendered (part: Part, html: string, watcher: Watcher | undefined): Rendered {
    const { block, needs, within, id } = part
    const outline = this.#isInOrder ? undefined : outlineOf(html, true)
    if (outline !== undefined && outline.end === undefined) {
      throw new FST_CHIRP_RENDER(`block "${block}"`, 'it leaves a comment, a tag, a text or a template open, or has the tags of html, head or body in it, so it cannot be a part. Put what reads the deferred value into a block inside of it')
    }
    if (this.#values.failures > 0 && needs.some(name => this.#values.stateOf(name) === 'failed')) this.#host.counters.partsFailed++
    if (watcher === undefined || watcher.parts.size === 0) return { html, places: [], parts: [] }
    return { html, ...this.#partsIn(html, watcher, [...within, id], outline) }
  }

  #failedPart (block: string, error: unknown): Rendered | string {
    const missing = notThereIn(error)
    if (missing?.state === 'pending') return missing.variable
    if (missing === undefined) this.#host.report(error, `block ${JSON.stringify(block)} of a page failed`)
    this.#host.counters.partsFailed++
    return { html: missing === undefined ? this.#instead(block, error) : this.failed(block, missing.variable), places: [], parts: [] }
  }

  #partsIn (html: string, watcher: Watcher, around: readonly string[], outline: Outline | undefined): { places: Place[], parts: Part[] } {
    const places = findPlaces(html, this.#prefix, outline)
    const parts = places.map(({ id, within }) => {
      return { ...watcher.parts.get(id)!, within: [...around, ...within] }
    })
    return { places, parts }
  }

  /** Where all values are there no block is of interest. */
  #watch (): Watcher | undefined {
    return this.#values.areThere ? undefined : this.#watcher()
  }

  #watcher (wanted?: string): Watcher {
    const { pendingNames } = this.#values
    return new Watcher(this, pendingNames, !this.#isInOrder && pendingNames.size > 0, wanted)
  }

  #under (watcher: Watcher | undefined): PageStream {
    return { connect: this.#page.connect, signals: this.#page.signals, watcher }
  }

  #countPending (change: number): void {
    if (this.#isStopped) return
    this.#pending += change
    this.#host.counters.partsPending += change
  }

  #countFailed (): void {
    if (this.#values.failures === 0) return
    for (const needs of this.#readers.blocks.values()) {
      // Those that are pending too are still to be sent.
      if (!this.#values.arePending(needs) && needs.some(name => this.#values.stateOf(name) === 'failed')) this.#host.counters.partsFailed++
    }
  }

  #instead (block: string, error: unknown): string {
    return this.#host.debug ? errorBox(block, error) : ''
  }
}
