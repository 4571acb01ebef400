// Notes what a render really reads of its context, to be compared with what is
// known that it reads. For debug: it costs much.
import { formatPath, MEMBER, stepOf, type Steps } from './path.js'
import { touches, type Read } from './reads.js'

/** The variable of a context that brings its recorder along. Templates cannot name it. */
export const RECORDER = 'chirp recorder'

/** The calls by which a renderer reports the variables that templates read. */
export interface Recorder {
  noteName (name: string): void
  /** The render has its answer: what its template goes on to do, and read, comes to nothing. */
  answered (): void
}

/** A context that is being watched. */
export interface Recording {
  /** To be rendered with, instead of the one that it is made of. */
  context: object
  /** The paths that were read. One object in several places is read in all of them, or in one of them. */
  reads (): string[]
  /** Those that `known` does not have. */
  unknown (known: Iterable<Read>): string[]
}

// An object in more places than these is known by the first of them.
const MOST_PLACES = 8

/**
 * Watches a context: plain objects, lists and objects of classes in it, as deep
 * as they go. All else (dates, maps) is one value. A getter shows what it
 * reads, a method of a class counts as a read of its object.
 */
export function record (context: object): Recording {
  return new Watch(context)
}

class Watch implements Recording, Recorder {
  readonly context: object
  /** By the places where the same object is. */
  readonly #reads = new Map<string, readonly Steps[]>()
  readonly #proxies = new WeakMap<object, object>()
  readonly #originals = new WeakMap<object, object>()
  readonly #places = new WeakMap<object, Steps[]>()
  #isOver = false
  readonly #methods = new WeakMap<object, Map<unknown, unknown>>()

  constructor (context: object) {
    this.context = Object.defineProperties({ [RECORDER]: this }, Object.fromEntries(Object.keys(context).map(name => {
      return [name, { enumerable: true, configurable: true, get: () => this.#watch((context as Record<string, unknown>)[name], [[stepOf(name)]]) }]
    })))
  }

  noteName (name: string): void {
    if (name !== RECORDER) this.#note([[stepOf(name)]])
  }

  answered (): void {
    this.#isOver = true
  }

  reads (): string[] {
    return [...new Set([...this.#reads.values()].flatMap(places => places.map(formatPath)))].sort()
  }

  unknown (known: Iterable<Read>): string[] {
    const all = [...known]
    const unknown = [...this.#reads.values()].filter(places => !places.some(steps => all.some(read => touches(steps, read))))
    return [...new Set(unknown.map(([steps]) => formatPath(steps as Steps)))].sort()
  }

  #note (places: readonly Steps[]): void {
    if (this.#isOver) return
    this.#reads.set(places.map(formatPath).join(' '), places)
  }

  #watch (value: unknown, places: readonly Steps[]): unknown {
    if (!isWatchable(value) || this.#originals.has(value)) return value
    this.#placesOf(value, places)
    let proxy = this.#proxies.get(value)
    if (proxy === undefined) {
      proxy = this.#createProxy(value)
      this.#proxies.set(value, proxy)
      this.#originals.set(proxy, value)
    }
    return proxy
  }

  #placesOf (value: object, places: readonly Steps[]): void {
    const known = this.#places.get(value) ?? []
    for (const place of places) {
      // One that is in itself would be in ever deeper places.
      const isInside = known.some(steps => steps.length <= place.length && steps.every((step, index) => step === place[index]))
      if (!isInside && known.length < MOST_PLACES) known.push(place)
    }
    this.#places.set(value, known)
  }

  // The target is a stand-in: a proxy may not hide what is frozen.
  #createProxy (original: object): object {
    const prototype: object | null = Object.getPrototypeOf(original)
    const isPlain = Array.isArray(original) || prototype === null || prototype === Object.prototype
    const places = this.#places.get(original) as Steps[]
    const at = (key: string | symbol): Steps[] => places.map(steps => [...steps, stepOf(key)])
    return new Proxy(Array.isArray(original) ? [] : Object.create(prototype), {
      get: (_, key, receiver) => {
        const value = this.#get(original, key, isPlain ? receiver : undefined, receiver)
        if (typeof key === 'symbol' || (typeof value === 'function' && !Object.hasOwn(original, key) && isPlain)) {
          return isPlain ? value : this.#bind(original, value)
        }
        this.#note(at(key))
        return typeof value === 'function' && !isPlain ? this.#bind(original, value) : this.#watch(value, at(key))
      },
      has: (_, key) => {
        if (typeof key === 'string') this.#note(at(key))
        return Reflect.has(original, key)
      },
      ownKeys: () => {
        this.#note(at(MEMBER))
        return Reflect.ownKeys(original)
      },
      getOwnPropertyDescriptor: (target, key) => {
        const found = Reflect.getOwnPropertyDescriptor(original, key)
        if (found === undefined) return undefined
        const own = Reflect.getOwnPropertyDescriptor(target, key)
        const value = 'value' in found ? this.#watch(found.value, at(key)) : undefined
        return own?.configurable === false
          ? { ...own, value }
          : { value, writable: true, enumerable: found.enumerable === true, configurable: true }
      },
      set: (_, key, value) => Reflect.set(original, key, this.#originals.get(value) ?? value),
      defineProperty: (_, key, descriptor) => Reflect.defineProperty(original, key, descriptor),
      deleteProperty: (_, key) => Reflect.deleteProperty(original, key)
    })
  }

  // A getter that looks at private fields wants the object itself.
  #get (original: object, key: string | symbol, receiver: unknown, proxy: unknown): unknown {
    if (receiver !== undefined) return Reflect.get(original, key, receiver)
    try {
      return Reflect.get(original, key, proxy)
    } catch {
      return Reflect.get(original, key, original)
    }
  }

  #bind (original: object, value: unknown): unknown {
    if (typeof value !== 'function') return value
    const methods = this.#methods.get(original) ?? new Map<unknown, unknown>()
    this.#methods.set(original, methods)
    // A class is not a method, and is the same everywhere.
    if (!methods.has(value)) methods.set(value, value === original.constructor ? value : value.bind(original))
    return methods.get(value)
  }
}

function isWatchable (value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  return Array.isArray(value) || Object.prototype.toString.call(value) === '[object Object]'
}
