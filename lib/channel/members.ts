// The members of one channel by key. Membership changes here and nowhere else,
// so whatever implements the interface can carry it, such as an engine that
// joins several processes.
import { leaveAfter, stay, type Absent } from './absence.js'

/** A member that is present. */
export interface Member<Info = unknown> {
  /** The key of the member, as it was given to `join()` or `track()`. */
  readonly key: string
  /** The `info` of the first time that the member came. */
  readonly info: Info
  /** Number of open streams of the member, such as tabs; 0 after the last one has closed, as long as `grace` lasts. */
  readonly count: number
}

/** Members that joined with a first tab, or left with their last. */
export type MembershipEvent = 'join' | 'leave'

/** A store of memberships. */
export interface Membership<Info> {
  /** Number of members that are present. */
  readonly size: number
  /** Copies of all members, in the order in which they came. */
  list (): Array<Member<Info>>
  /** The member has one more stream. The info of the first one stays. */
  join (key: string, info: Info): void
  /** The member has one stream less. */
  leave (key: string): void
  /** Forgets all members without telling, and takes no more. */
  close (): void
}

interface Present<Info> extends Absent {
  key: string
  info: Info
  count: number
}

/** The members that are in this process. */
export class Members<Info> implements Membership<Info> {
  readonly #grace: number
  readonly #isClosing: () => boolean
  readonly #tell: (event: MembershipEvent, member: Member<Info>) => void
  readonly #present = new Map<string, Present<Info>>()
  #isClosed = false

  /**
   * @param grace milliseconds in which a member that left may come back unnoticed
   * @param isClosing whether the app ends its streams: that is not a leave, where there is a grace
   */
  constructor (grace: number, isClosing: () => boolean, tell: (event: MembershipEvent, member: Member<Info>) => void) {
    this.#grace = grace
    this.#isClosing = isClosing
    this.#tell = tell
  }

  get size (): number {
    return this.#present.size
  }

  list (): Array<Member<Info>> {
    return [...this.#present.values()].map(copy)
  }

  join (key: string, info: Info): void {
    if (this.#isClosed) return
    const known = this.#present.get(key)
    if (known !== undefined) {
      known.count++
      return stay(known)
    }
    const member: Present<Info> = { key, info, count: 1 }
    this.#present.set(key, member)
    this.#tell('join', copy(member))
  }

  leave (key: string): void {
    const member = this.#present.get(key)
    // The channel may have been closed since.
    if (member === undefined || --member.count > 0) return
    if (this.#grace === 0) return this.#remove(member)
    leaveAfter(this.#grace, member, () => { if (!this.#isClosing()) this.#remove(member) })
  }

  close (): void {
    this.#isClosed = true
    for (const member of this.#present.values()) stay(member)
    this.#present.clear()
  }

  #remove (member: Present<Info>): void {
    this.#present.delete(member.key)
    this.#tell('leave', copy(member))
  }
}

function copy<Info> ({ key, info, count }: Present<Info>): Member<Info> {
  return { key, info, count }
}
