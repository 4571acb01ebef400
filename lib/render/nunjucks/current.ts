// Whose page is rendered at this moment. Template functions are not told by
// what they are called for: a macro that was imported knows nothing of the page.
import type { PageStream } from '../renderer.js'

export class Current {
  /** What is rendered for no page has none. */
  page: PageStream | undefined

  /** Runs compiled code for a page, whatever is rendered around it, and whatever is rendered before it goes on. */
  within<T> (page: PageStream | undefined, run: () => T): T {
    const around = this.page
    this.page = page
    try {
      return run()
    } finally {
      this.page = around
    }
  }

  /** What a custom tag gets: bodies are compiled code, and it may run them at any time. */
  bind (values: unknown[]): unknown[] {
    const { page } = this
    return values.map(value => typeof value === 'function' ? (...args: unknown[]) => this.within(page, () => value(...args)) : value)
  }
}
