// The members that are present, by key: one for any number of open tabs.
import { EventEmitter } from 'node:events'
import { FST_CHIRP_OPTION } from '../errors.js'
import { kAttach, type Attachment, type Feed, type Outlet } from '../stream/feed.js'
import { describe } from '../util/describe.js'
import { isSignal } from '../util/kind.js'
import { MAX_TIME, refuseUnknown } from '../util/options.js'
import { isPromise } from '../util/promise.js'
import { messageOf } from '../util/thrown.js'
import { Members, type Member, type Membership, type MembershipEvent } from './members.js'
import { SharedMembers, type OpenRoster, type Presence as Held } from './shared-members.js'
import { onAbort } from './signals.js'

/** Events of {@link Presence}: a member joined with a first tab, or left with the last. With an engine, one process alone emits each. */
export interface PresenceEvents<Info = unknown> {
  /** The first tab of a member has opened. */
  join: [member: Member<Info>]
  /** The last tab of a member has closed, and none has opened within `grace`. */
  leave: [member: Member<Info>]
}

/** Options of `channel.presence()`. */
export interface PresenceOptions {
  /**
   * Milliseconds for which a member without a tab is still present: one that is
   * back by then never left. Default: 0, a member leaves at once. Off: `0`.
   */
  grace?: number | undefined
}

/** Options of {@link Presence.track}. */
export interface TrackOptions<Info = unknown> {
  /** Public data of the member. With an engine that joins processes plain data, at most 16384 characters of JSON. Default: none. */
  info?: Info | undefined
}

/** Options of {@link Presence.join}. */
export interface JoinOptions<Info = unknown> extends TrackOptions<Info> {
  /** Leaves when it aborts; the signal of a stream does when the stream is over. Default: none. */
  signal?: AbortSignal | undefined
}

/** The parts of its channel that presence needs. */
export interface PresenceHost {
  /** Where other processes may have members of the channel too. */
  open: OpenRoster<Held<unknown>> | undefined
  /** Whether the app ends its streams. */
  isClosing (): boolean
  /** Hears of listeners that fail. */
  failed (error: unknown, event: string): void
}

// The limit of the data that every process keeps of a member.
const MAX_INFO = 16384

/** Members of a channel: of this process, or of all processes with an engine that supports it. A listener that fails is logged and counted. */
export class Presence<Info = unknown> extends EventEmitter<PresenceEvents<Info>> {
  readonly #grace: number
  readonly #members: Membership<Info>
  readonly #failed: PresenceHost['failed']
  readonly #isShared: boolean
  // Streams that hold a membership.
  readonly #tracking = new Set<Outlet>()
  #isClosed = false

  /** Made by `channel.presence()`. @internal */
  constructor (options: PresenceOptions, host: PresenceHost) {
    super()
    this.#grace = graceOf(options)
    const tell = (event: MembershipEvent, member: Member<Info>): void => this.#tell(event, member)
    this.#isShared = host.open !== undefined
    this.#members = host.open === undefined
      ? new Members(this.#grace, host.isClosing, tell)
      : new SharedMembers(this.#grace, host.isClosing, tell, host.open as OpenRoster<Held<Info>>)
    this.#failed = host.failed
    // There may be one for each page or stream.
    this.setMaxListeners(0)
  }

  /** Number of members that are present. An app that has just started does not know those of other processes at once. */
  get size (): number {
    return this.#members.size
  }

  /** The members that are present, in the order in which they came. A member whose grace runs has `count: 0`. */
  members (): Array<Member<Info>> {
    return this.#members.list()
  }

  /**
   * Adds a member, or counts one more time. Gives a function that takes this back,
   * which does nothing when it is called again.
   *
   * @throws FST_CHIRP_OPTION for a missing key or a bad option, also an `info` that cannot travel to other processes.
   */
  join (key: string, options: JoinOptions<Info> = {}): () => void {
    checkKey('join', key)
    refuseUnknown('of presence.join()', options, ['info', 'signal'])
    const { signal } = options
    const info = this.#infoOf('join', options)
    if (signal !== undefined && !isSignal(signal)) {
      throw new FST_CHIRP_OPTION(`option "signal" of presence.join() must be an AbortSignal, not ${describe(signal)}`)
    }
    if (signal?.aborted === true) return () => {}
    let isHere = true
    const leave = (): void => {
      if (!isHere) return
      isHere = false
      forget?.()
      this.#members.leave(key)
    }
    const forget = signal === undefined ? undefined : onAbort(signal, leave)
    // Without an info it is undefined; the type parameter says whether that may be.
    this.#members.join(key, info)
    return leave
  }

  /**
   * A source without events: the member is present as long as its stream is open, once
   * for each stream. For `merge(channel, presence.track(user.id, { info }))`, or
   * alone for `reply.eventStream()`. It ends only when the channel is closed.
   *
   * @throws FST_CHIRP_OPTION for a missing key or a bad option, also an `info` that cannot travel to other processes.
   */
  track (key: string, options: TrackOptions<Info> = {}): Feed {
    checkKey('track', key)
    refuseUnknown('of presence.track()', options, ['info'])
    const info = this.#infoOf('track', options)
    return { [kAttach]: outlet => this.#track(outlet, key, info) }
  }

  /** @throws FST_CHIRP_OPTION for options that differ from those that it was made with. @internal */
  expect (channel: string, options: PresenceOptions): void {
    const grace = graceOf(options)
    if (options.grace === undefined || grace === this.#grace) return
    throw new FST_CHIRP_OPTION(`the presence of channel "${channel}" was made with another "grace" before. Give its options in one place, and none elsewhere`)
  }

  /** The channel is closed: streams that only hold a membership end, and everyone is forgotten without a `leave`. @internal */
  close (): void {
    this.#isClosed = true
    this.#members.close()
    for (const outlet of [...this.#tracking]) outlet.ended()
    this.#tracking.clear()
  }

  /** The public data of the member: a copy, where it travels. */
  #infoOf (method: string, { info }: TrackOptions<Info>): Info {
    if (isPromise(info)) throw new FST_CHIRP_OPTION(`option "info" of presence.${method}() must be there when it is given, not ${describe(info)}. Await it first`)
    if (!this.#isShared || info === undefined) return info as Info
    let json: string | undefined
    try {
      json = JSON.stringify(info)
    } catch (cause) {
      throw new FST_CHIRP_OPTION(`option "info" of presence.${method}() must be plain data with an engine, and JSON refused it (${messageOf(cause)})`, { cause })
    }
    if (json === undefined) throw new FST_CHIRP_OPTION(`option "info" of presence.${method}() must be plain data with an engine, not ${describe(info)}`)
    if (json.length > MAX_INFO) throw new FST_CHIRP_OPTION(`option "info" of presence.${method}() has ${json.length} characters of JSON, and every process keeps it: at most ${MAX_INFO}. Give an id, and load the rest where it is shown`)
    return JSON.parse(json) as Info
  }

  #track (outlet: Outlet, key: string, info: Info): Attachment {
    if (this.#isClosed) {
      outlet.ended()
      return { detach () {} }
    }
    this.#tracking.add(outlet)
    this.#members.join(key, info)
    return {
      detach: () => {
        this.#tracking.delete(outlet)
        this.#members.leave(key)
      }
    }
  }

  /** Emits. A listener that throws reaches neither the other listeners nor the caller. */
  #tell (event: MembershipEvent, member: Member<Info>): void {
    for (const listener of this.rawListeners(event)) {
      try {
        const result: unknown = listener.call(this, member)
        if (isPromise(result)) result.then(undefined, error => { this.#failed(error, event) })
      } catch (error) {
        this.#failed(error, event)
      }
    }
  }
}

function checkKey (method: string, key: unknown): void {
  if (typeof key === 'string' && key !== '') return
  throw new FST_CHIRP_OPTION(`presence.${method}() needs a key that tells the member from others, ${method}(user.id), not ${describe(key)}`)
}

function graceOf (options: PresenceOptions): number {
  refuseUnknown('of channel.presence()', options, ['grace'])
  const { grace = 0 } = options
  if (Number.isSafeInteger(grace) && grace >= 0 && grace <= MAX_TIME) return grace
  throw new FST_CHIRP_OPTION(`option "grace" of channel.presence() must be whole milliseconds from 0 to ${MAX_TIME}, not ${describe(grace)}`)
}
