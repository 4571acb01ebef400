// The live views of one app, by name.
import { FST_CHIRP_OPTION } from '../errors.js'
import type { LiveEnvironment } from './environment.js'
import { checkLiveView, type LiveViewOptions } from './options.js'
import type { ViewFacts } from './facts.js'
import { LiveView } from './view.js'

export class LiveViews {
  readonly #app: LiveEnvironment
  readonly #views = new Map<string, LiveView>()

  constructor (app: LiveEnvironment) {
    this.#app = app
  }

  /** The view of this name. It is made by the call that has its options. */
  get (name: string, options?: LiveViewOptions): LiveView {
    const known = this.#views.get(name)
    if (options === undefined && known !== undefined) return known
    const settings = checkLiveView(name, options)
    if (known !== undefined) throw new FST_CHIRP_OPTION(`there is a live view "${name}" already. Give its options in one place, and its name alone elsewhere`)
    const view = new LiveView(settings, this.#app)
    this.#views.set(name, view)
    return view
  }

  /** The facts about them for the checker. */
  facts (): Promise<ViewFacts[]> {
    return Promise.all([...this.#views.values()].map(view => view.facts()))
  }

  /**
   * Finds the blocks of each view when the app starts, so that a misspelt one is not found by a change in production.
   *
   * @throws FST_CHIRP_OPTION and FST_CHIRP_BLOCK_NOT_FOUND, and errors of loading a template.
   */
  async start (): Promise<void> {
    for (const view of this.#views.values()) await view.plan()
  }

  close (): void {
    for (const view of this.#views.values()) view.close()
  }
}
