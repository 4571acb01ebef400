// Which parts of a script ran, in all pages together, by V8's own counts.

/** Collects what pages that were covered tell of the script at `path`. */
export class ScriptCoverage {
  #path
  #source
  #ran = new Set()

  constructor (path) {
    this.#path = path
  }

  async start (page) {
    await page.coverage.startJSCoverage({ resetOnNavigation: false })
  }

  async stop (page) {
    for (const { url, source, functions } of await page.coverage.stopJSCoverage()) {
      // A page that was left at once may have lost it.
      if (source === undefined || new URL(url, 'http://x').pathname !== this.#path) continue
      this.#source = source
      // A range counts for what is in it, unless a smaller one inside knows better.
      const counts = new Array(source.length).fill(0)
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) counts.fill(count, startOffset, endOffset)
      }
      for (const [offset, count] of counts.entries()) if (count > 0) this.#ran.add(offset)
    }
  }

  /** The pieces of the source that never ran, each with the place where it is. */
  missed () {
    const pieces = []
    for (let offset = 0; offset < this.#source.length; offset++) {
      if (this.#ran.has(offset)) continue
      const start = offset
      while (offset < this.#source.length && !this.#ran.has(offset)) offset++
      pieces.push(`${this.#source.slice(Math.max(0, start - 30), start)}>>>${this.#source.slice(start, offset)}<<<`)
    }
    return pieces
  }
}
