// The deferred values of one page: each is pending until it is there or failed.
import type { FastifyBaseLogger } from 'fastify'
import { FST_CHIRP_DEFER } from '../errors.js'
import { layered } from '../render/nunjucks/variables.js'
import { missingValue } from '../render/unsettled.js'
import { isPromise } from '../util/promise.js'
import type { Deferred } from './defer.js'

interface Entry {
  state: 'pending' | 'failed' | 'there'
  /** The value that templates see. */
  value: unknown
  error?: unknown
}

export class DeferredValues {
  readonly #entries = new Map<string, Entry>()
  readonly #controller = new AbortController()
  readonly #report: (name: string, error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #pending = 0
  #isStopped = false
  #waiting: Array<() => void> = []

  /** Starts all of them. `report` is called once for each that fails. */
  constructor (given: ReadonlyMap<string, Deferred>, timeout: number, log: FastifyBaseLogger, report: (name: string, error: unknown) => void) {
    this.#report = report
    const { signal } = this.#controller
    for (const name of given.keys()) {
      this.#pending++
      this.#entries.set(name, { state: 'pending', value: missingValue(name, 'pending') })
    }
    for (const [name, deferred] of given) this.#start(name, () => deferred.open({ signal, log }))
    if (timeout > 0 && this.#pending > 0) {
      this.#timer = setTimeout(() => {
        this.fail(name => new FST_CHIRP_DEFER(`"${name}" was not there within ${timeout} ms. Let its function end when its signal aborts, or set the option "timeout" of reply.page()`))
      }, timeout)
    }
  }

  get names (): Iterable<string> {
    return this.#entries.keys()
  }

  /** Number of pending values. */
  get pending (): number {
    return this.#pending
  }

  stateOf (name: string): Entry['state'] {
    return this.#entries.get(name)!.state
  }

  /** Why one failed. */
  errorOf (name: string): unknown {
    return this.#entries.get(name)!.error
  }

  /** A context in which they are as they are now. */
  over (context: object): object {
    const values: Record<string, unknown> = {}
    for (const [name, { value }] of this.#entries) values[name] = value
    return layered(values, context)
  }

  arePending (names: Iterable<string>): boolean {
    for (const name of names) if (this.stateOf(name) === 'pending') return true
    return false
  }

  /** Whether the values are no longer needed. */
  get isStopped (): boolean {
    return this.#isStopped
  }

  /** Resolves when none of these is pending, or {@link stop} was called. */
  async settled (names: Iterable<string>): Promise<void> {
    const list = [...names]
    while (!this.#isStopped && this.arePending(list)) await this.changed()
  }

  /** Resolves when one more is not pending, or {@link stop} was called. */
  changed (): Promise<void> {
    return new Promise(resolve => { this.#waiting.push(resolve) })
  }

  /** Makes all that are pending fail, and aborts their signal. */
  fail (reason: (name: string) => Error): void {
    for (const [name, { state }] of this.#entries) if (state === 'pending') this.#failed(name, reason(name))
    this.#controller.abort()
  }

  /** The values are no longer needed. */
  stop (): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    if (this.#pending > 0) this.#controller.abort()
    this.#wake()
  }

  #start (name: string, open: () => unknown): void {
    try {
      const value = open()
      // Promises of another kind may settle twice, or at once.
      if (isPromise(value)) Promise.resolve(value).then(value => { this.#set(name, { state: 'there', value }) }, error => { this.#failed(name, error) })
      else this.#set(name, { state: 'there', value })
    } catch (error) {
      this.#failed(name, error)
    }
  }

  #failed (name: string, error: unknown): void {
    if (!this.#set(name, { state: 'failed', value: missingValue(name, 'failed', error), error })) return
    this.#report(name, error)
  }

  #set (name: string, entry: Entry): boolean {
    // A value after the timeout is too late.
    if (this.#entries.get(name)!.state !== 'pending') return false
    this.#entries.set(name, entry)
    if (--this.#pending === 0) clearTimeout(this.#timer)
    this.#wake()
    return true
  }

  #wake (): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
