// The page that is rendered at this moment. Template functions do not get it as an
// argument: an imported macro knows nothing of the page.
import type { PageStream } from '../renderer.js'

export class Current {
  /** A render outside of a page has none. */
  page: PageStream | undefined

  /** Runs compiled code for a page, independent of other renders around it and during it. */
  within<T> (page: PageStream | undefined, run: () => T): T {
    const around = this.page
    this.page = page
    try {
      return run()
    } finally {
      this.page = around
    }
  }

  /** Wraps an argument of a custom tag: bodies are compiled code, and the tag may run them at any time. */
  bind (values: unknown[]): unknown[] {
    const { page } = this
    return values.map(value => typeof value === 'function' ? (...args: unknown[]) => this.within(page, () => value(...args)) : value)
  }
}
