// Who is here: members by key, one however many tabs they have open.
import { EventEmitter } from 'node:events'
import { FST_CHIRP_OPTION } from '../errors.js'
import { describe } from '../util/describe.js'
import { isSignal } from '../util/kind.js'
import { refuseUnknown } from '../util/options.js'
import { isPromise } from '../util/promise.js'
import { onAbort } from './signals.js'

/** A member who is here. */
export interface Member<Info = unknown> {
  readonly key: string
  /** What was given when the member came first. */
  readonly info: Info
  /** How many times the member is here, such as tabs. */
  readonly count: number
}

/** What {@link Presence} tells: who came with a first tab, and who left with the last. */
export interface PresenceEvents<Info = unknown> {
  join: [member: Member<Info>]
  leave: [member: Member<Info>]
}

/** Options of {@link Presence.join}. */
export interface JoinOptions<Info = unknown> {
  /** What others may know of the member. Default: none. */
  info?: Info | undefined
  /** Leaves when it aborts; the signal of a stream does when the stream is over. Default: none. */
  signal?: AbortSignal | undefined
}

/** Members of a channel in this process. A listener that fails is logged and counted. */
export class Presence<Info = unknown> extends EventEmitter<PresenceEvents<Info>> {
  readonly #members = new Map<string, { key: string, info: Info, count: number }>()
  readonly #failed: (error: unknown, event: string) => void

  /** Made by `channel.presence()`. @internal */
  constructor (failed: (error: unknown, event: string) => void) {
    super()
    this.#failed = failed
    // There may be one for each page or stream.
    this.setMaxListeners(0)
  }

  /** How many members are here. */
  get size (): number {
    return this.#members.size
  }

  /** Everyone who is here, in the order in which they came. */
  members (): Array<Member<Info>> {
    return [...this.#members.values()].map(member => ({ ...member }))
  }

  /**
   * Someone is here, or here once more. Gives a function that takes it back,
   * which does nothing when it is called again.
   *
   * @throws FST_CHIRP_OPTION for a missing key or a bad option.
   */
  join (key: string, options: JoinOptions<Info> = {}): () => void {
    if (typeof key !== 'string' || key === '') throw new FST_CHIRP_OPTION(`presence.join() needs a key that tells the member from others, join(user.id), not ${describe(key)}`)
    refuseUnknown('of presence.join()', options, ['info', 'signal'])
    const { info, signal } = options
    if (signal !== undefined && !isSignal(signal)) {
      throw new FST_CHIRP_OPTION(`option "signal" of presence.join() must be an AbortSignal, not ${describe(signal)}`)
    }
    if (signal?.aborted === true) return () => {}
    let member = this.#members.get(key)
    const isNew = member === undefined
    if (member === undefined) {
      // Without an info it is undefined; whoever types it decides whether that may be.
      member = { key, info: info as Info, count: 0 }
      this.#members.set(key, member)
    }
    member.count++
    let isHere = true
    const leave = (): void => {
      if (!isHere) return
      isHere = false
      forget?.()
      this.#leave(key)
    }
    const forget = signal === undefined ? undefined : onAbort(signal, leave)
    if (isNew) this.#tell('join', member)
    return leave
  }

  #leave (key: string): void {
    const member = this.#members.get(key)!
    member.count--
    if (member.count > 0) return
    this.#members.delete(key)
    this.#tell('leave', member)
  }

  /** Emits, and lets no listener keep the others from hearing of it, or reach who called. */
  #tell (event: keyof PresenceEvents, member: Member<Info>): void {
    const told = { ...member }
    for (const listener of this.rawListeners(event)) {
      try {
        const result: unknown = listener.call(this, told)
        if (isPromise(result)) result.then(undefined, error => { this.#failed(error, event) })
      } catch (error) {
        this.#failed(error, event)
      }
    }
  }
}
