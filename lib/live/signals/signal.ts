// The results of app.signal() and app.derived().
import type { SetOptions } from './options.js'

/** The parts of their app that they need. */
export interface SignalHost {
  valueOf (name: string): unknown
  set (name: string, value: unknown, options: SetOptions): Promise<void>
}

/** One value that many places show, made by `app.signal()`. */
export class Signal<T = unknown> {
  /** The name that it was declared with. */
  readonly name: string
  readonly #host: SignalHost

  /** Made by `app.signal()`. @internal */
  constructor (name: string, host: SignalHost) {
    this.name = name
    this.#host = host
  }

  /**
   * The value of now, for everyone: a copy of what was set, which cannot be changed. An `initial` that is a function
   * gives it when the app starts.
   */
  get value (): T {
    return this.#host.valueOf(this.name) as T
  }

  /**
   * Sets the value: at once in this process, and in all processes when the promise resolves. An equal value is not sent.
   * It need not be awaited: a failure is logged. A promise that you derive from it is yours to catch.
   *
   * @throws FST_CHIRP_VALUE (as a rejection) for a value that is not plain data.
   * @throws FST_CHIRP_OPTION (as a rejection) for a bad option.
   * @throws FST_CHIRP_SIGNAL (as a rejection) inside of a function that derives, compares or renders values.
   * @throws FST_CHIRP_ENGINE (as a rejection) when the engine could not tell the other processes. This one shows the value.
   * @throws FST_CHIRP_CHANNEL_CLOSED (as a rejection) when the app has closed.
   */
  set (value: T | undefined, options: SetOptions = {}): Promise<void> {
    return this.#host.set(this.name, value, options)
  }
}

/** A value that is computed from others, made by `app.derived()`. */
export class Derived<T = unknown> {
  /** The name that it was declared with. */
  readonly name: string
  readonly #host: Pick<SignalHost, 'valueOf'>

  /** Made by `app.derived()`. @internal */
  constructor (name: string, host: Pick<SignalHost, 'valueOf'>) {
    this.name = name
    this.#host = host
  }

  /** The value of now; undefined while one of its dependencies is undefined. */
  get value (): T | undefined {
    return this.#host.valueOf(this.name) as T | undefined
  }
}

/** A dependency of a derived value: a signal, another derived value, or a name. */
export type Dependency = Signal<any> | Derived<any> | string

/** Their values. The type of a name's value is unknown. */
export type ValuesOf<Deps extends readonly Dependency[]> = {
  -readonly [K in keyof Deps]: Deps[K] extends Signal<infer T> | Derived<infer T> ? Exclude<T, undefined> : any
}
