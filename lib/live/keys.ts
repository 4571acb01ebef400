// The keys of one live view with streams, or with streams a while ago:
// the page of a client that comes back is brought up to date by what has
// changed, as long as that is known.
import { Forgetting } from '../channel/forgetting.js'
import type { LiveKey } from './key.js'

// Keys without streams.
const MOST_IDLE = 10_000

export class Keys {
  readonly #linger: number
  readonly #create: (name: string) => LiveKey
  readonly #forget: (key: LiveKey) => void
  readonly #keys = new Map<string, LiveKey>()
  // The time of their last stream, the oldest first.
  readonly #idle = new Map<LiveKey, number>()
  readonly #forgetting = new Forgetting(() => this.#dropOld())

  /**
   * @param linger milliseconds that a key without streams is kept.
   * @param forget is called with each that is no longer kept.
   */
  constructor (linger: number, create: (name: string) => LiveKey, forget: (key: LiveKey) => void) {
    this.#linger = linger
    this.#create = create
    this.#forget = forget
  }

  find (name: string): LiveKey | undefined {
    return this.#keys.get(name)
  }

  open (name: string): LiveKey {
    let key = this.#keys.get(name)
    if (key === undefined) {
      key = this.#create(name)
      this.#keys.set(name, key)
    }
    if (!key.isFollowed) this.rest(key)
    return key
  }

  joined (key: LiveKey): void {
    this.#idle.delete(key)
  }

  /** It has no stream now. */
  rest (key: LiveKey): void {
    // It may be forgotten already.
    if (this.#keys.get(key.name) !== key) return
    this.#idle.delete(key)
    this.#idle.set(key, Date.now())
    if (this.#idle.size > MOST_IDLE) this.#drop(this.#idle.keys().next().value!)
    this.#forgetting.after(this.#linger)
  }

  /** It does not work: the next caller gets another one. */
  failed (key: LiveKey): void {
    if (this.#keys.get(key.name) === key) this.#keys.delete(key.name)
    this.#idle.delete(key)
  }

  close (): void {
    this.#forgetting.stop()
    const keys = [...this.#keys.values()]
    this.#keys.clear()
    this.#idle.clear()
    for (const key of keys) key.close()
  }

  #drop (key: LiveKey): void {
    this.failed(key)
    key.close()
    this.#forget(key)
  }

  /** Gives the milliseconds until there is more to drop. */
  #dropOld (): number | undefined {
    const end = Date.now() - this.#linger
    for (const [key, since] of this.#idle) {
      if (since > end) return since - end
      this.#drop(key)
    }
    return undefined
  }
}
