// Keys of streams, by which an app can end those of one user or room.
import { FST_CHIRP_OPTION } from '../errors.js'
import { describe } from '../util/describe.js'
import { isList } from '../util/kind.js'
import { named } from '../util/options.js'

const LONGEST = 256
const MOST = 50

/** Streams by key. One without a key is not in it. */
export class Keys<T> {
  readonly #streams = new Map<string, Set<T>>()

  add (stream: T, keys: readonly string[]): void {
    for (const key of keys) {
      const streams = this.#streams.get(key)
      if (streams === undefined) this.#streams.set(key, new Set([stream]))
      else streams.add(stream)
    }
  }

  remove (stream: T, keys: readonly string[]): void {
    for (const key of keys) {
      const streams = this.#streams.get(key)!
      streams.delete(stream)
      if (streams.size === 0) this.#streams.delete(key)
    }
  }

  /** The streams of now; an action on one of them may remove others. */
  of (key: string): T[] {
    return [...this.#streams.get(key) ?? []]
  }
}

/**
 * The option `key` of a stream as a list without doubles.
 *
 * @throws FST_CHIRP_OPTION
 */
export function streamKeys (value: unknown, where?: string): readonly string[] {
  const keys = isList(value) ? value : [value]
  if (keys.length > MOST) throw new FST_CHIRP_OPTION(`${named('key', where)} takes at most ${MOST} keys, not ${keys.length}. Name streams by what you will close them by`)
  return [...new Set(keys.map(key => checkKey(named('key', where), key)))]
}

/** @throws FST_CHIRP_OPTION for a value that is not a key of a stream. */
export function checkKey (where: string, key: unknown): string {
  if (typeof key === 'string' && key !== '' && key.length <= LONGEST) return key
  const given = typeof key === 'string' && key !== '' ? `a string of ${key.length}` : describe(key)
  throw new FST_CHIRP_OPTION(`${where} must be a string of 1 to ${LONGEST} characters, such as String(user.id), not ${given}`)
}
