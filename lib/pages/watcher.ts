// Hears of the blocks of a page while it is rendered, and makes a place of each
// that reads a value which is pending.
import { FST_CHIRP_RENDER } from '../errors.js'
import type { BlockWatcher } from '../render/renderer.js'
import { notThereIn } from '../render/unsettled.js'
import { closeComment, NOWHERE, openComment, type Place } from './layout.js'

/** A block that follows when its values are there. */
export interface Part {
  id: string
  block: string
  /** Number of blocks of this name that were rendered before it. */
  index: number
  /** It needs variables of a loop, so it cannot be rendered alone. */
  isInLoop: boolean
  /** The values that it waits for. */
  needs: readonly string[]
  /** The places around it, the outermost first. */
  within: readonly string[]
}

/** The HTML of a page or a part. */
export interface Rendered {
  html: string
  places: Place[]
  /** Those in it that have to wait. */
  parts: Part[]
}

/** The parts of its page that a watcher needs. */
export interface WatchedPage {
  /** The values that a block reads; undefined for none. */
  needsOf (block: string): readonly string[] | undefined
  /** An id that no other part has. */
  nextId (): string
  /** The HTML in the place of a block that needs a value which has failed. */
  failed (block: string, variable: string): string
}

/** The result of one block of a loop. */
type Instance = { html: string } | { error: unknown }

export class Watcher implements BlockWatcher {
  /** The places that were made. */
  readonly parts = new Map<string, Part>()
  /** Places in what was thrown away, because the block around them needs a value that is not there. */
  readonly dropped = new Set<string>()
  readonly needsScript: boolean
  /** A tag of the client script, for the place in front of the parts. */
  script = ''
  readonly #page: WatchedPage
  readonly #pending: ReadonlySet<string>
  readonly #wanted: string | undefined
  readonly #instances: Instance[] = []
  readonly #counts = new Map<string, number>()
  #depth = 0

  /**
   * @param pending What is pending when the render begins.
   * @param wanted A block that all is rendered for; what else fails does not matter.
   */
  constructor (page: WatchedPage, pending: ReadonlySet<string>, needsScript: boolean, wanted?: string) {
    this.#page = page
    this.#pending = pending
    this.needsScript = needsScript
    this.#wanted = wanted
  }

  /** The HTML of one of the blocks that were wanted. */
  htmlOf (block: string, index: number): string {
    const instance = this.#instances[index]
    if (instance === undefined) throw new FST_CHIRP_RENDER(`block "${block}"`, 'the loop around it gave another list than before')
    if ('error' in instance) throw instance.error
    return instance.html
  }

  noteScript (tag: string): void {
    this.script = tag
  }

  enter (block: string, isInLoop: boolean): ((error: unknown, html: string | undefined) => string) | undefined {
    const needs = this.#page.needsOf(block)
    if (needs === undefined && this.#wanted === undefined) return undefined
    const index = this.#counts.get(block) ?? 0
    this.#counts.set(block, index + 1)
    if (block === this.#wanted) return this.#capture(index)
    const before = this.parts.size
    return (error, html = '') => {
      let content = html
      if (error !== undefined) {
        if (this.#wanted !== undefined && this.#depth === 0) return ''
        const missing = notThereIn(error)
        // A read that the analysis did not find is waited for.
        if (missing === undefined || needs === undefined || !(missing.state === 'failed' || needs.includes(missing.variable))) throw error
        for (const id of [...this.parts.keys()].slice(before)) this.dropped.add(id)
        content = missing.state === 'failed' ? this.#page.failed(block, missing.variable) : ''
      }
      return needs?.some(name => this.#pending.has(name)) ? this.#place(block, index, isInLoop, needs, content) : content
    }
  }

  #capture (index: number): (error: unknown, html: string | undefined) => string {
    this.#depth++
    return (error, html = '') => {
      this.#depth--
      this.#instances[index] = error === undefined ? { html } : { error }
      return ''
    }
  }

  #place (block: string, index: number, isInLoop: boolean, needs: readonly string[], content: string): string {
    const id = this.#page.nextId()
    this.parts.set(id, { id, block, index, isInLoop, needs, within: NOWHERE })
    return openComment(id) + content + closeComment(id)
  }
}
