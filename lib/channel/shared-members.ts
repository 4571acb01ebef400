// The members of one channel over all processes that share an engine. Its own members are known to this process at once.
// A first tab and a last tab become known by the engine, and one process alone tells listeners of each.
import { leaveAfter, stay, type Absent } from './absence.js'
import type { Member, Membership, MembershipEvent } from './members.js'
import type { Held, Holders, Roster } from './roster.js'

/** The part of a member that a process holds. */
export interface Presence<Info> {
  /** Left out where there is none. */
  info?: Info
  count: number
}

interface Mine<Info> extends Presence<Info>, Absent {}

/** Makes the roster of a channel. */
export type OpenRoster<T> = (changed: (key: string, before: Holders<T>, isOurs: boolean) => void) => Roster<T>

export class SharedMembers<Info> implements Membership<Info> {
  readonly #grace: number
  readonly #isClosing: () => boolean
  readonly #tell: (event: MembershipEvent, member: Member<Info>) => void
  readonly #roster: Roster<Presence<Info>>
  readonly #mine = new Map<string, Mine<Info>>()
  #isClosed = false

  /**
   * @param grace milliseconds in which a member that left may come back unnoticed
   * @param isClosing whether the app ends its streams: that is not a leave, until the others notice its end
   */
  constructor (grace: number, isClosing: () => boolean, tell: (event: MembershipEvent, member: Member<Info>) => void, open: OpenRoster<Presence<Info>>) {
    this.#grace = grace
    this.#isClosing = isClosing
    this.#tell = tell
    this.#roster = open((key, before, isOurs) => {
      if (this.#isClosed) return
      this.#agree(key)
      if (isOurs) this.#changed(key, before)
    })
  }

  get size (): number {
    return this.#roster.present.size
  }

  list (): Array<Member<Info>> {
    return [...this.#roster.present].map(key => {
      const holders = new Map(this.#roster.holders(key))
      const { owner } = this.#roster
      const mine = this.#mine.get(key)
      if (mine === undefined) holders.delete(owner)
      else holders.set(owner, { data: mine, since: holders.get(owner)?.since ?? Infinity })
      return memberOf(key, holders)
    }).sort((a, b) => a.since - b.since).map(({ member }) => member)
  }

  join (key: string, info: Info): void {
    if (this.#isClosed) return
    const known = this.#mine.get(key)
    if (known !== undefined) {
      known.count++
      stay(known)
      return this.#hold(key, known)
    }
    const others = this.#roster.holders(key)
    const mine: Mine<Info> = { info: others.size > 0 ? memberOf(key, others).member.info : info, count: 1 }
    this.#mine.set(key, mine)
    this.#hold(key, mine)
  }

  leave (key: string): void {
    const mine = this.#mine.get(key)
    // The channel may have been closed since.
    if (mine === undefined) return
    mine.count--
    // The streams of an app that closes come back to another process.
    if (this.#isClosing()) return
    if (mine.count === 0 && this.#grace === 0) return this.#release(key)
    this.#hold(key, mine)
    if (mine.count > 0) return
    leaveAfter(this.#grace, mine, () => { if (!this.#isClosing()) this.#release(key) })
  }

  close (): void {
    this.#isClosed = true
    for (const [key, mine] of this.#mine) {
      stay(mine)
      if (!this.#isClosing()) this.#roster.release(key)
    }
    this.#mine.clear()
    if (this.#isClosing()) this.#roster.close()
    else this.#roster.leave()
  }

  #hold (key: string, { info, count }: Mine<Info>): void {
    this.#roster.hold(key, { info, count } as Presence<Info>)
  }

  #release (key: string): void {
    this.#mine.delete(key)
    this.#roster.release(key)
  }

  /** Members of the same moment take over the info of the first. */
  #agree (key: string): void {
    const mine = this.#mine.get(key)
    const holders = this.#roster.holders(key)
    if (mine === undefined || holders.size < 2) return
    const { info } = memberOf(key, holders).member
    if (JSON.stringify(info) === JSON.stringify(mine.info)) return
    mine.info = info
    this.#hold(key, mine)
  }

  #changed (key: string, before: Holders<Presence<Info>>): void {
    const now = this.#roster.holders(key)
    if (before.size === 0 && now.size > 0) this.#tell('join', memberOf(key, now).member)
    else if (before.size > 0 && now.size === 0) this.#tell('leave', { ...memberOf(key, before).member, count: 0 })
  }
}

/** One member, with the info of the process that has it for the longest time. */
function memberOf<Info> (key: string, holders: Holders<Presence<Info>>): { member: Member<Info>, since: number } {
  let first: Held<Presence<Info>> | undefined
  let count = 0
  for (const held of holders.values()) {
    if (first === undefined || held.since < first.since) first = held
    count += held.data.count
  }
  return { member: { key, info: first!.data.info as Info, count }, since: first!.since }
}
