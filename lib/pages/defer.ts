// Values that a page does not wait for.
import { types } from 'node:util'
import type { FastifyBaseLogger } from 'fastify'
import { isOf } from '../util/kind.js'
import { disregard } from '../util/promise.js'

/** The argument of a function that is given to `defer()`. */
export interface DeferContext {
  /** Aborts when the value is no longer needed: the client has left, it took too long, or the app closes. */
  signal: AbortSignal
  /** The logger of the request. */
  log: FastifyBaseLogger
}

/** The source of a deferred value: a function, a promise, or the value itself. */
export type DeferSource<T = unknown> = ((context: DeferContext) => T | PromiseLike<T>) | PromiseLike<T> | T

let isUsed = false

// What is behind the proxy.
const kSelf = Symbol('fastify-chirp.deferred')

/** A value of the context of `reply.page()` that the page does not wait for. {@link defer} makes it. */
export class Deferred<out T = unknown> {
  readonly #source: DeferSource<T>

  /** @internal */
  constructor (source: DeferSource<T>) {
    isUsed = true
    this.#source = source
    // It may fail before a page is made of it, or where none is.
    disregard(source)
    return new Proxy<this>(this, REFUSING as ProxyHandler<this>)
  }

  /**
   * The result of its source; a function is called for each page.
   *
   * @internal
   */
  open (context: DeferContext): unknown {
    const source: unknown = this.#source
    return typeof source === 'function' ? source(context) : source
  }

  /** Called outside of a page, which is a mistake. */
  toString (): never {
    refuse()
  }
}

// A template that looks into one would find nothing, and show that.
const REFUSING: ProxyHandler<Deferred> = {
  get (deferred, key) {
    if (key === kSelf) return deferred
    const value: unknown = Reflect.get(deferred, key)
    if (typeof value === 'function' && key !== 'constructor') return value.bind(deferred)
    // Others than templates ask for these, of any value.
    return value !== undefined || typeof key === 'symbol' || key === 'then' || key === 'toJSON' ? value : refuse()
  },
  has: () => refuse(),
  ownKeys: () => refuse()
}

function refuse (): never {
  throw new TypeError('a deferred value can be shown by reply.page() only, in its context itself and not in one of its values. Await it here')
}

/**
 * Has `reply.page()` not wait for a value: the page leaves at once, and each block that reads it follows in the same
 * response when it is there. `source` is a function, sync or async, which is called when the page is made, or a
 * promise. In templates `is pending`, `is failed` and `is settled` (it is there) ask for its state.
 *
 * @example
 * reply.page('dash.html', { title, stats: defer(({ signal }) => loadStats(signal)) })
 */
export function defer<T> (source: DeferSource<T>): Deferred<T> {
  return new Deferred(source)
}

/**
 * The deferred values of a context by their names; undefined when there are none. `found` hears of each promise, which
 * no code will wait for.
 */
export function deferredIn (context: object, found: (name: string, promise: Promise<unknown>) => void): Map<string, Deferred> | undefined {
  let deferred: Map<string, Deferred> | undefined
  for (const name of namesIn(context)) {
    const value = valueAt(context, name)
    if (typeof value !== 'object' || value === null) continue
    if (types.isPromise(value)) found(name, value)
    else if (isUsed && types.isProxy(value) && isOf(value, Deferred)) (deferred ??= new Map()).set(name, (value as Deferred & { [kSelf]: Deferred })[kSelf])
  }
  return deferred
}

// A context that refuses to tell fails when it is rendered.
function namesIn (context: object): string[] {
  try {
    return Object.keys(context)
  } catch {
    return []
  }
}

// One that cannot be read fails where a template reads it.
function valueAt (context: object, name: string): unknown {
  try {
    return (context as Record<string, unknown>)[name]
  } catch {
    return undefined
  }
}
