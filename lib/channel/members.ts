// The members of one channel by key. Membership changes here and nowhere else,
// so whatever implements the interface can carry it, such as an engine that
// joins several processes.
import { leaveAfter, stay, type Absent } from './absence.js'

/** A member who is here. */
export interface Member<Info = unknown> {
  /** What names the member, as it was given to `join()` or `track()`. */
  readonly key: string
  /** What was given when the member came first. */
  readonly info: Info
  /** How many times the member is here, such as tabs; 0 after the last one has left, as long as `grace` lasts. */
  readonly count: number
}

/** Who came with a first tab, and who left with the last. */
export type MembershipEvent = 'join' | 'leave'

/** Where memberships are kept. */
export interface Membership<Info> {
  /** How many members are here. */
  readonly size: number
  /** Copies of all members, in the order in which they came. */
  list (): Array<Member<Info>>
  /** The member is here once more. The info of the first time stays. */
  join (key: string, info: Info): void
  /** The member is here once less. */
  leave (key: string): void
  /** Forgets everyone, tells nothing, and takes nobody any more. */
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
   * @param grace for how many ms a member who has left may come back unnoticed
   * @param isClosing whether the app ends its streams: nobody leaves by that, where there is a grace
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
