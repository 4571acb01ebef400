// Who is here: members by key, one however many tabs they have open.
import { EventEmitter } from 'node:events'

/** A member who is here. */
export interface Member<Info = unknown> {
  readonly key: string
  /** What was given when the member came first. */
  readonly info: Info
  /** How many times the member is here, such as tabs. */
  readonly count: number
}

/** What {@link Presence} tells: who came with a first tab, and who left with the last. */
export interface PresenceEvents {
  join: [member: Member]
  leave: [member: Member]
}

/** Options of {@link Presence.join}. */
export interface JoinOptions {
  /** What others may know of the member. Default: none. */
  info?: unknown
  /** Leaves when it aborts; the signal of a stream does when the stream is over. Default: none. */
  signal?: AbortSignal | undefined
}

/** Members of a channel in this process. */
export class Presence extends EventEmitter<PresenceEvents> {
  readonly #members = new Map<string, { key: string, info: unknown, count: number }>()

  /** How many members are here. */
  get size (): number {
    return this.#members.size
  }

  /** Everyone who is here, in the order in which they came. */
  members (): Member[] {
    return [...this.#members.values()].map(member => ({ ...member }))
  }

  /**
   * Someone is here, or here once more. Gives a function that takes it back,
   * which does nothing when it is called again.
   */
  join (key: string, { info, signal }: JoinOptions = {}): () => void {
    if (signal?.aborted === true) return () => {}
    let member = this.#members.get(key)
    const isNew = member === undefined
    if (member === undefined) {
      member = { key, info, count: 0 }
      this.#members.set(key, member)
    }
    member.count++
    let isHere = true
    const leave = (): void => {
      if (!isHere) return
      isHere = false
      signal?.removeEventListener('abort', leave)
      this.#leave(key)
    }
    signal?.addEventListener('abort', leave, { once: true })
    if (isNew) this.emit('join', { ...member })
    return leave
  }

  #leave (key: string): void {
    const member = this.#members.get(key)!
    member.count--
    if (member.count > 0) return
    this.#members.delete(key)
    this.emit('leave', { ...member })
  }
}
