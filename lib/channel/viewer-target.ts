// Between a reader and its stream, where events are rendered for a viewer. What
// is asynchronous about it happens here: all that follows waits for its turn.
import { FST_CHIRP_BEHIND } from '../errors.js'
import type { Entry } from '../message/entry.js'
import { isPromise, type MaybePromise } from '../util/promise.js'
import type { Batch } from './batch.js'
import type { Following, ReaderTarget } from './target.js'
import type { Views } from './views.js'

interface Step {
  size: number
  /** Resolves to what is to be done, once that can be done. Never rejects. */
  ready: Promise<() => void>
}

export class ViewerTarget implements ReaderTarget, Following {
  readonly #target: ReaderTarget
  readonly #views: Views
  readonly #viewer: string | undefined
  #reader: Following | undefined
  // The steps that wait for a render, or behind one.
  #steps: Step[] = []
  #size = 0
  #wake: (() => void) | undefined
  // The newest event, when there was nothing of it to send.
  #unsent: string | undefined
  /** Whether nothing more is wanted of it, or comes. */
  isDetached = false

  /** @param attach makes its reader. */
  constructor (target: ReaderTarget, views: Views, viewer: string | undefined, attach: (target: ReaderTarget) => Following) {
    this.#target = target
    this.#views = views
    this.#viewer = viewer
    this.#reader = attach(this)
    // It may have fallen behind, or been closed, at once.
    if (this.isDetached) this.#reader.detach()
  }

  get window (): number {
    return this.#target.window
  }

  get isBlocked (): boolean {
    return this.#size > Math.min(this.window, this.#views.host.maxBuffer / 2) || this.#target.isBlocked
  }

  flush (): void {
    this.#target.flush()
  }

  async whenDrained (): Promise<void> {
    if (this.#steps.length > 0) await new Promise<void>(resolve => { this.#wake = resolve })
    this.#target.flush()
    if (this.#target.isBlocked) await this.#target.whenDrained()
  }

  pass (entries: readonly Entry[], batch?: Batch): void {
    if (batch === undefined) this.#when(this.#views.see(entries, this.#viewer), entries, seen => this.#send(entries, seen))
    else this.#when(this.#views.seeBatch(batch, this.#viewer), entries, seen => this.#send(entries, seen.entries, seen))
  }

  tell (position: string): void {
    this.#inTurn(() => this.#target.tell(position))
  }

  gap (requested: string, position: string): void {
    this.#inTurn(() => {
      this.#unsent = undefined
      this.#target.gap(requested, position)
    })
  }

  live (): void {
    this.#inTurn(() => this.#target.live?.())
  }

  ended (): void {
    this.#inTurn(() => {
      this.isDetached = true
      this.#target.ended()
    })
  }

  failed (error: unknown): void {
    this.#inTurn(() => {
      this.isDetached = true
      this.#target.failed(error)
    })
  }

  cursor (): string | undefined {
    // The client must not go on after what it has yet to get.
    if (this.#steps.length > 0) return undefined
    const unsent = this.#unsent
    this.#unsent = undefined
    return this.#reader!.cursor() ?? unsent
  }

  detach (): void {
    this.isDetached = true
    this.#steps = []
    this.#size = 0
    this.#reader?.detach()
    this.#wake?.()
  }

  #send (entries: readonly Entry[], seen: readonly Entry[], batch?: Batch): void {
    const { position } = entries[entries.length - 1]!
    // Values have no place that a cursor could name.
    this.#unsent = seen[seen.length - 1]?.position === position || this.#views.host.keepsLatest ? undefined : position
    if (seen.length > 0) this.#target.pass(seen, batch)
  }

  #inTurn (use: () => void): void {
    this.#when(undefined, [], use)
  }

  /** Uses a value as soon as it is there and everything before has been used. `entries` are what waits. */
  #when<T> (value: MaybePromise<T>, entries: readonly Entry[], use: (value: T) => void): void {
    if (this.#steps.length === 0 && !isPromise(value)) return use(value as T)
    const size = entries.reduce((sum, entry) => sum + entry.size, 0)
    const { host: { name, maxBuffer } } = this.#views
    if (this.#steps.length > 0 && this.#size + size > maxBuffer) {
      // Dropped, as a connection that does not take its bytes: what it asks for then is in the log.
      this.detach()
      return this.#target.failed(new FST_CHIRP_BEHIND(name, maxBuffer))
    }
    this.#size += size
    const ready = (async () => {
      const settled = await value
      return () => use(settled)
    })()
    if (this.#steps.push({ size, ready }) === 1) this.#run()
  }

  async #run (): Promise<void> {
    try {
      for (let step; (step = this.#steps[0]) !== undefined;) {
        const use = await step.ready
        // It may have been detached meanwhile.
        if (this.#steps[0] !== step) break
        // Still in the list, so that what this brings about gets behind it.
        use()
        if (this.#steps.shift() === step) this.#size -= step.size
      }
    } catch (error) {
      this.detach()
      this.#target.failed(error)
    }
    this.#wake?.()
  }
}
