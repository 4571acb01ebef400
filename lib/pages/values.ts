// The deferred values of one page: each is pending until it is there or failed.
import type { FastifyBaseLogger } from 'fastify'
import { FST_CHIRP_DEFER } from '../errors.js'
import { layered } from '../render/nunjucks/variables.js'
import { failedValue, pendingValue } from '../render/unsettled.js'
import { isPromise } from '../util/promise.js'
import type { Deferred, DeferContext } from './defer.js'

interface Entry {
  state: 'pending' | 'failed' | 'there'
  error?: unknown
}

const PENDING: Entry = { state: 'pending' }
const THERE: Entry = { state: 'there' }

/** A controller that is made when its signal is asked for, because few ask: it costs as much as all else here. */
class LateAbort {
  #controller: AbortController | undefined
  #isAborted = false

  get signal (): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#isAborted) this.#controller.abort()
    return this.#controller.signal
  }

  abort (): void {
    this.#isAborted = true
    this.#controller?.abort()
  }
}

class Provided implements DeferContext {
  readonly log: FastifyBaseLogger
  readonly #abort: LateAbort

  constructor (abort: LateAbort, log: FastifyBaseLogger) {
    this.#abort = abort
    this.log = log
  }

  get signal (): AbortSignal {
    return this.#abort.signal
  }
}

export class DeferredValues {
  readonly #entries = new Map<string, Entry>()
  readonly #variables: Record<string, unknown>
  readonly #report: (name: string, error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #pending = 0
  #failures = 0
  #pendingNames: ReadonlySet<string> | undefined
  #isStopped = false
  readonly #abort = new LateAbort()
  #waiting: Array<() => void> = []

  /** Starts all of them. `report` is called once for each that fails. */
  constructor (given: ReadonlyMap<string, Deferred>, context: object, log: FastifyBaseLogger, report: (name: string, error: unknown) => void) {
    this.#report = report
    this.#variables = layered(context, undefined) as Record<string, unknown>
    for (const name of given.keys()) {
      this.#pending++
      this.#entries.set(name, PENDING)
      this.#variables[name] = pendingValue(name)
    }
    const provided = new Provided(this.#abort, log)
    for (const [name, deferred] of given) this.#start(name, deferred, provided)
  }

  /** Makes those fail that are pending after some milliseconds. */
  limit (timeout: number): void {
    if (this.#isStopped) return
    this.#timer = setTimeout(() => {
      this.fail(name => new FST_CHIRP_DEFER(`"${name}" was not there within ${timeout} ms. Let its function end when its signal aborts, or give its page a longer "timeout"`))
    }, timeout)
  }

  get names (): Iterable<string> {
    return this.#entries.keys()
  }

  /** Number of pending values. */
  get pending (): number {
    return this.#pending
  }

  /** Whether all are there, and none has failed. */
  get areThere (): boolean {
    return this.#pending === 0 && this.#failures === 0
  }

  /** How many have failed. */
  get failures (): number {
    return this.#failures
  }

  /** Those that are pending at this moment. */
  get pendingNames (): ReadonlySet<string> {
    this.#pendingNames ??= new Set([...this.#entries.keys()].filter(name => this.stateOf(name) === 'pending'))
    return this.#pendingNames
  }

  stateOf (name: string): Entry['state'] {
    return this.#entries.get(name)!.state
  }

  /** Why one failed. */
  errorOf (name: string): unknown {
    return this.#entries.get(name)!.error
  }

  /** The context with the values as they are now; not to be kept. */
  get variables (): object {
    return this.#variables
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
    this.#abort.abort()
  }

  /** The values are no longer needed. */
  stop (): void {
    this.#isStopped = true
    clearTimeout(this.#timer)
    if (this.#pending > 0) this.#abort.abort()
    this.#wake()
  }

  #start (name: string, deferred: Deferred, provided: DeferContext): void {
    try {
      const value = deferred.open(provided)
      // Promises of another kind may settle twice, or at once.
      if (isPromise(value)) Promise.resolve(value).then(value => { this.#set(name, THERE, value) }, error => { this.#failed(name, error) })
      else this.#set(name, THERE, value)
    } catch (error) {
      this.#failed(name, error)
    }
  }

  #failed (name: string, error: unknown): void {
    if (!this.#set(name, { state: 'failed', error }, failedValue(name, error))) return
    this.#failures++
    this.#report(name, error)
  }

  #set (name: string, entry: Entry, value: unknown): boolean {
    // A value after the timeout is too late.
    if (this.stateOf(name) !== 'pending') return false
    this.#entries.set(name, entry)
    this.#variables[name] = value
    this.#pendingNames = undefined
    if (--this.#pending === 0) clearTimeout(this.#timer)
    this.#wake()
    return true
  }

  #wake (): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
