// The options of signals, checked.
import type { ChannelSource } from '../../channel/producer.js'
import type { AudienceFilter } from '../../channel/audience.js'
import { FST_CHIRP_OPTION, FST_CHIRP_SIGNAL } from '../../errors.js'
import type { Fragment } from '../../message/fragment.js'
import { plainJSON } from '../../sse/plain.js'
import { describe } from '../../util/describe.js'
import { isList } from '../../util/kind.js'
import { disregard, isPromise, type MaybePromise } from '../../util/promise.js'
import { refuseUnknown } from '../../util/options.js'
import { messageOf } from '../../util/thrown.js'

/** Options of `app.derived()`. */
export interface DerivedOptions<T = unknown> {
  /**
   * Renders a value for pages: as text, or as HTML by a {@link Fragment}. Synchronous. Text is
   * escaped. Default: the value as text, an object as its JSON; undefined and null are an empty place.
   */
  render?: ((value: T) => Fragment | string | number | bigint | boolean | null | undefined) | undefined
  /**
   * Whether two values, neither of them undefined, are the same, so that the second one is not sent. Default:
   * `Object.is`, by which each object is a value of its own. Off: `() => false`.
   */
  equals?: ((before: T, after: T) => boolean) | undefined
}

/** Options of `app.signal()`. */
export interface SignalOptions<T = unknown> extends DerivedOptions<T> {
  /**
   * Its value until the first `set()`: plain data, or a function, sync or async, which is called when the app starts.
   * Its failure fails the start. It does not replace a value that the engine holds. Default: undefined.
   */
  initial?: T | (() => MaybePromise<T>) | undefined
  /**
   * Gives values while a stream of this process shows the signal: called for the first stream, once for all, and stopped one second
   * after the last stream has closed. A source that fails is logged, counted, and started again after 0.5, 1, 2 ... 30 s.
   * Default: none. Off: omit.
   */
  source?: ChannelSource<T> | undefined
}

/** Options of `signal.set()`. */
export interface SetOptions<Audience = unknown> {
  /**
   * The audience of the value: plain data that the filters of `app.signals({ filter })` understand. Streams and pages
   * without a filter do not get it, and `signal.value` stays as it is. The value `undefined` takes an earlier one back.
   * Default: it is for everyone.
   */
  audience?: Audience | undefined
}

/** Options of `app.signals()`. */
export interface SignalsOptions<Audience = unknown> {
  /** The signals and derived values that are sent, or their names. Default: all. */
  only?: ReadonlyArray<string | { readonly name: string }> | undefined
  /** Whether this stream gets a value that was set for an audience. Default: such values are left out. */
  filter?: AudienceFilter<Audience> | undefined
}

// No character of it has a meaning in an attribute, a selector in quotes, or a list of event names.
const NAME = /^[\p{L}\p{N}_][\p{L}\p{N}_.:-]{0,199}$/u

/** @throws FST_CHIRP_OPTION for a value that is not the name of a signal. */
export function checkName (call: string, name: unknown): string {
  if (typeof name === 'string' && NAME.test(name)) return name
  throw new FST_CHIRP_OPTION(`${call} takes a name of at most 200 letters, digits, "_", "-", "." and ":", such as 'balance', not ${describe(name)}`)
}

/** @throws FST_CHIRP_OPTION for a bad option. */
export function checkSignal (name: string, options: SignalOptions): void {
  refuseUnknown('of app.signal()', options, ['initial', 'source', 'render', 'equals'])
  const { initial, source } = options
  if (isPromise(initial)) {
    throw new FST_CHIRP_OPTION(`option "initial" of signal "${name}" must be a value or a function that gives it, not ${describe(initial)}. Give a function: () => load()`)
  }
  if (source !== undefined && typeof source !== 'function') {
    throw new FST_CHIRP_OPTION(`option "source" of signal "${name}" must be a function that returns an iterable, such as an async generator, not ${describe(source)}`)
  }
  checkCommon(`signal "${name}"`, options)
}

/**
 * The dependencies of a derived value.
 *
 * @throws FST_CHIRP_OPTION for a list or a function that is none, and for a bad option.
 */
export function checkDerived (name: string, deps: unknown, derive: unknown, options: DerivedOptions): void {
  if (!isList(deps) || deps.length === 0) {
    throw new FST_CHIRP_OPTION(`app.derived('${name}', [balance, 'holdings'], fn) takes a list of signals or names of signals that the value is made of, not ${isList(deps) ? 'an empty one' : describe(deps)}`)
  }
  if (typeof derive !== 'function') throw new FST_CHIRP_OPTION(`app.derived('${name}', deps, fn) takes a function of the values, not ${describe(derive)}`)
  if (isAsync(derive)) throw new FST_CHIRP_OPTION(`derived value "${name}" is made by an async function. It must give the value at once. Asynchronous data belongs into a signal: await load(), then signal.set()`)
  refuseUnknown('of app.derived()', options, ['render', 'equals'])
  checkCommon(`derived value "${name}"`, options)
}

/** @throws FST_CHIRP_OPTION for a bad option. */
export function checkFeed (options: SignalsOptions): void {
  refuseUnknown('of app.signals()', options, ['only', 'filter'])
  const { only, filter } = options
  if (only !== undefined && !isList(only)) throw new FST_CHIRP_OPTION(`option "only" of app.signals() must be a list of signals or names of signals, not ${describe(only)}`)
  if (filter !== undefined && typeof filter !== 'function') throw new FST_CHIRP_OPTION(`option "filter" of app.signals() must be a function of an audience, not ${describe(filter)}`)
}

/** @throws FST_CHIRP_OPTION for a bad option. */
export function audienceOf (options: SetOptions): unknown {
  refuseUnknown('of signal.set()', options, ['audience'])
  const { audience } = options
  if (audience === undefined) return undefined
  try {
    return JSON.parse(plainJSON(audience))
  } catch (cause) {
    throw new FST_CHIRP_OPTION(`option "audience" of signal.set() must be plain data, and ${messageOf(cause)}`, { cause })
  }
}

/**
 * The result of a function of the app that has to be synchronous.
 *
 * @throws FST_CHIRP_SIGNAL for a promise.
 */
export function atOnce<T> (what: string, answer: T): T {
  if (!isPromise(answer)) return answer
  disregard(answer)
  throw new FST_CHIRP_SIGNAL(`${what} gave a promise, and must answer at once. Asynchronous data belongs into a signal: await load(), then signal.set()`)
}

function checkCommon (what: string, options: DerivedOptions): void {
  for (const option of ['render', 'equals'] as const) {
    const given: unknown = options[option]
    if (given === undefined) continue
    if (typeof given !== 'function') throw new FST_CHIRP_OPTION(`option "${option}" of ${what} must be a function, not ${describe(given)}`)
    if (isAsync(given)) throw new FST_CHIRP_OPTION(`option "${option}" of ${what} must answer at once, and an async function cannot. Look up the data that it needs before`)
  }
}

function isAsync (code: unknown): boolean {
  return Object.prototype.toString.call(code) === '[object AsyncFunction]'
}
