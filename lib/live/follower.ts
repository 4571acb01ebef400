// One stream of a live view: the blocks that it has to get, and those that its client can take now.
import { closedFrame, goneFrame } from '../sse/own.js'
import type { Attachment, Outlet } from '../stream/feed.js'
import type { MaybePromise } from '../util/promise.js'
import { Changed } from './change.js'
import type { Update } from './update.js'

/** The result of one run of a group. */
export interface Outcome {
  /** The targets that it has HTML for. */
  readonly rendered: ReadonlySet<string>
  /** Those of them whose HTML is another one than before. */
  readonly changed: ReadonlySet<string>
  /** Where a client is that has all of it; empty when a block failed. */
  readonly position: string
  /** The HTML for some targets; the same object for the same targets. */
  update (targets: ReadonlySet<string>): Update
}

/** The streams that share renders. */
export interface FollowerGroup {
  /** The newest HTML for some targets. */
  newest (targets: ReadonlySet<string>, position: string): Update
  /** Asks for renders of the blocks that these changes concern, from now on. */
  started (follower: Follower, changed: Changed): void
  leave (follower: Follower): void
}

/** The place of a cursor in a topic. */
export interface Since {
  /** The position that the cursor stands for; undefined when it is unknown. */
  from: string | undefined
  last: string
  /** The changes in between. */
  changed: Changed
}

/** The questions of a follower about its request. */
export interface FollowerHost {
  /** Lets it join the group of its viewer; undefined when it may not. */
  enter (follower: Follower, cursor: string): Promise<Since | undefined>
  isAllowed (): MaybePromise<boolean>
  viewer (): MaybePromise<string | undefined>
  /** Lets it join the group of another viewer. */
  join (follower: Follower, viewer: string | undefined): void
}

export class Follower implements Attachment {
  /** Renders that began before this run may be older than the page of the client. */
  firstRun = Infinity
  /** The changes while its missing blocks are not known yet. */
  readonly changed = new Changed()
  readonly #outlet: Outlet
  readonly #host: FollowerHost
  #group: FollowerGroup | undefined
  #viewer: string | undefined
  // The targets that were sent: of others the client has what its page showed.
  readonly #sent = new Set<string>()
  // Blocks that wait until they can be sent.
  #stale: Set<string> | undefined
  #isDraining = false
  #holds = 0
  // Where the client is when it has all that it was sent, and what it knows of that.
  #reached = ''
  #told = ''
  #isOver = false

  constructor (outlet: Outlet, host: FollowerHost) {
    this.#outlet = outlet
    this.#host = host
  }

  /** Whether nothing is sent any more. */
  get isOver (): boolean {
    return this.#isOver
  }

  /** Finds out what the client has missed. Never rejects. */
  async begin (cursor: string): Promise<void> {
    try {
      const since = await this.#host.enter(this, cursor)
      if (since === undefined) return this.refuse()
      const { from, last, changed } = since
      this.changed.addAll(changed)
      this.#told = from ?? ''
      this.#reached = this.changed.isEmpty ? last : this.#told
      // After its end nothing waits for this.
      this.#group!.started(this, this.changed)
      if (!this.#isOver) this.#outlet.noteLive?.()
    } catch (error) {
      this.failed(error)
    }
  }

  /** It has joined a group. */
  joined (group: FollowerGroup, viewer: string | undefined): void {
    this.#group = group
    this.#viewer = viewer
  }

  /** Sends what a run gave, or leaves it for later. */
  take ({ rendered, changed, position, update }: Outcome): void {
    if (position !== '') this.#reached = position
    const targets = this.#missing(rendered, changed)
    if (targets.size === 0) return
    if (this.#holds > 0 || this.#stale !== undefined || this.#outlet.isBlocked) return this.#postpone(targets)
    this.#send(targets, update(targets))
  }

  /** Asks again whether the request may see it; whether its stream was closed. Sends nothing meanwhile. Never rejects. */
  async recheck (): Promise<boolean> {
    this.#holds++
    try {
      if (!await this.#host.isAllowed()) {
        this.refuse()
        return true
      }
      const viewer = await this.#host.viewer()
      if (viewer !== this.#viewer && !this.#isOver) this.#move(viewer)
    } catch (error) {
      // Whether it may is unknown.
      this.failed(error)
      return true
    } finally {
      this.#holds--
    }
    this.#drain()
    return false
  }

  /** There is no such thing any more. */
  gone (): void {
    if (!this.#leave()) return
    this.#outlet.send(goneFrame(), 1)
    this.#outlet.ended()
  }

  refuse (): void {
    if (!this.#leave()) return
    const frame = closedFrame()
    if (this.#outlet.leave !== undefined) {
      this.#outlet.leave('closed', frame)
      return
    }
    this.#outlet.send(frame, 1)
    this.#outlet.ended()
  }

  failed (error: unknown): void {
    if (this.#leave()) this.#outlet.failed(error)
  }

  ended (): void {
    if (this.#leave()) this.#outlet.ended()
  }

  cursor (): string | undefined {
    if (this.#stale !== undefined || this.#reached === this.#told) return undefined
    this.#told = this.#reached
    return this.#told
  }

  detach (): void {
    this.#leave()
  }

  /** The rendered blocks that it has to get: those that are new, and those that it was never sent. */
  #missing (rendered: ReadonlySet<string>, changed: ReadonlySet<string>): ReadonlySet<string> {
    const targets = [...rendered].filter(target => changed.has(target) || !this.#sent.has(target))
    // The same object, and so the same bytes, for all that get the same.
    return targets.length === changed.size ? changed : new Set(targets)
  }

  #send (targets: ReadonlySet<string>, update: Update): void {
    for (const target of targets) this.#sent.add(target)
    const { dialect, ids } = this.#outlet
    const position = this.#reached
    if (update.position !== '') {
      ids?.note(position)
      this.#told = position
    }
    this.#outlet.share(update.frames(dialect, ids), update.events)
    this.#outlet.noteShown?.(update.sent)
  }

  #postpone (targets: Iterable<string>): void {
    this.#stale ??= new Set()
    for (const target of targets) this.#stale.add(target)
    this.#drain()
  }

  /** Sends the newest HTML of what was left out, as soon as the client can take it. */
  async #drain (): Promise<void> {
    if (this.#isDraining) return
    this.#isDraining = true
    try {
      while (this.#stale !== undefined && this.#holds === 0 && !this.#isOver) {
        if (this.#outlet.isBlocked) {
          await this.#outlet.whenDrained()
          continue
        }
        const targets = this.#stale
        this.#stale = undefined
        this.#send(targets, this.#group!.newest(targets, this.#reached))
      }
    } catch (error) {
      this.failed(error)
    } finally {
      this.#isDraining = false
    }
  }

  /** Drops the blocks that were for the viewer before. */
  #move (viewer: string | undefined): void {
    this.#group!.leave(this)
    this.#sent.clear()
    this.#stale = undefined
    const isStarted = this.firstRun !== Infinity
    this.firstRun = Infinity
    this.#host.join(this, viewer)
    this.changed.add(undefined)
    if (isStarted) this.#group!.started(this, this.changed)
  }

  /** False when it has left before. */
  #leave (): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    this.#stale = undefined
    this.#group?.leave(this)
    return true
  }
}
