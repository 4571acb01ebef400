// A published event that is rendered for each viewer. Some renders are kept, for
// equal viewers and for clients that come back.
import { Entry } from '../message/entry.js'
import { unrenderedOf } from '../message/unrendered.js'
import { isPromise, type MaybePromise } from '../util/promise.js'

/** Undefined when nothing could be rendered. */
export type View = Entry | undefined

const MOST_KEPT = 64
// An estimate: the length of a block is unknown before its render.
const RENDERED = 2048

export class ViewerEntry extends Entry {
  // By the JSON of the viewer; the last that was used is last.
  readonly #views = new Map<string | undefined, MaybePromise<View>>()

  override get size (): number {
    let size = super.size
    for (const { context } of unrenderedOf(this.record)) size += context.length + RENDERED
    return size
  }

  /** The event as a viewer sees it, rendered once while it is kept. `render` never rejects. */
  view (viewer: string | undefined, render: () => MaybePromise<View>): MaybePromise<View> {
    const views = this.#views
    if (views.has(viewer)) {
      const known = views.get(viewer)
      views.delete(viewer)
      views.set(viewer, known)
      return known
    }
    const view = render()
    views.set(viewer, view)
    if (isPromise(view)) view.then(done => { if (views.get(viewer) === view) views.set(viewer, done) })
    if (views.size > MOST_KEPT) {
      const [oldest] = views.keys()
      views.delete(oldest)
    }
    return view
  }
}
