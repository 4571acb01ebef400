// All streams of one key with equal viewers: one context and one render of each
// block for all of them, whenever something has changed.
import { Backoff } from '../channel/backoff.js'
import type { EventRecord } from '../dialects/record.js'
import { errorBox } from '../message/error-box.js'
import type { FragmentContext } from '../message/fragment.js'
import { Printed } from '../render/printed.js'
import type { PrintedSignals } from '../render/renderer.js'
import type { MaybePromise } from '../util/promise.js'
import { Changed } from './change.js'
import type { Made } from './deferred.js'
import type { Follower, FollowerGroup, Outcome } from './follower.js'
import type { LiveBlock, Plan } from './plan.js'
import type { UpdateFacts, UpdateResult } from './telemetry.js'
import { Update } from './update.js'

/** The parts of its key and view that a group needs. */
export interface GroupHost {
  /** Milliseconds in which changes are collected. */
  readonly delay: number
  readonly debug: boolean
  /** Of the newest change. */
  position (): string
  plan (): MaybePromise<Plan>
  /** Null when there is no such thing. Of the deferred values those are awaited that `isRead` says. */
  context (viewer: string | undefined, signal: AbortSignal, isRead: (name: string) => boolean): Promise<Made | null>
  render (block: LiveBlock, context: FragmentContext, signals: Printed): Promise<string>
  /** The signals for the renders. */
  signals: PrintedSignals
  /** Calls `run`, which never rejects, in the trace of what has changed. */
  update (facts: () => UpdateFacts, run: () => Promise<UpdateResult>): Promise<UpdateResult>
  report (error: unknown, what: string): void
  /** Tells a developer what was sent, and why. */
  sent (changed: Changed, targets: Iterable<string>, followers: number): void
  /** It has no followers any more. */
  emptied (group: Group): void
}

const FIRST_RETRY = 1000

/** The results for the blocks that were due. */
interface Rendered {
  blocks: readonly LiveBlock[]
  records: Map<string, EventRecord>
  /** The errors, by target. */
  failed: Map<string, unknown>
  isGone?: true
}

export class Group implements FollowerGroup {
  readonly viewer: string | undefined
  readonly #host: GroupHost
  readonly #followers = new Set<Follower>()
  // Followers whose missing blocks are not known yet.
  readonly #starting = new Set<Follower>()
  readonly #changed = new Changed()
  // Blocks that are due without a change, by target: those that failed.
  #due = new Set<string>()
  // The last render, by target.
  readonly #records = new Map<string, EventRecord>()
  readonly #printed = new WeakMap<EventRecord, Printed>()
  // The changes while the blocks of the template could not be found.
  readonly #unplanned = new Changed()
  #runs = 0
  #isRunning = false
  #isRetrying = false
  #timer: NodeJS.Timeout | undefined
  #controller: AbortController | undefined
  readonly #backoff = new Backoff(FIRST_RETRY)

  constructor (viewer: string | undefined, host: GroupHost) {
    this.viewer = viewer
    this.#host = host
  }

  get followers (): Follower[] {
    return [...this.#followers]
  }

  join (follower: Follower): void {
    this.#followers.add(follower)
    this.#starting.add(follower)
  }

  started (follower: Follower, changed: Changed): void {
    if (!this.#starting.delete(follower)) return
    // A render that is under way may be older than its page.
    follower.firstRun = this.#runs + 1
    if (!changed.isEmpty) this.changed(changed.take())
  }

  leave (follower: Follower): void {
    this.#starting.delete(follower)
    if (!this.#followers.delete(follower) || this.#followers.size > 0) return
    clearTimeout(this.#timer)
    this.#controller?.abort()
    this.#host.emptied(this)
  }

  changed (changed: Changed): void {
    for (const follower of this.#starting) follower.changed.addAll(changed)
    this.#changed.addAll(changed)
    if (this.#isRunning || (this.#timer !== undefined && !this.#isRetrying)) return
    this.#sleep(this.#host.delay, false)
  }

  newest (targets: ReadonlySet<string>, position: string): Update {
    return new Update([...targets].map(target => this.#renewed(this.#records.get(target)!)), position)
  }

  #sleep (delay: number, isRetrying: boolean): void {
    clearTimeout(this.#timer)
    this.#isRetrying = isRetrying
    this.#timer = setTimeout(() => { this.#run() }, delay).unref()
  }

  /** Never rejects. */
  async #run (): Promise<void> {
    this.#timer = undefined
    this.#isRunning = true
    this.#runs++
    const changed = this.#changed.take()
    changed.addAll(this.#unplanned.take())
    await this.#host.update(() => {
      const { paths, traceparents } = changed
      return { paths: paths && [...paths], streams: this.#followers.size, traceparents }
    }, async () => this.#update(changed))
  }

  /** Never rejects. */
  async #update (changed: Changed): Promise<UpdateResult> {
    const position = this.#host.position()
    const due = this.#due
    this.#due = new Set()
    this.#controller = new AbortController()
    const { blocks, records, failed, isGone } = await this.#render(changed, due, this.#controller)
    this.#isRunning = false
    this.#controller = undefined
    const result = { blocks: blocks.map(({ block }) => block), sent: 0, errors: [...new Set(failed.values())] }
    if (this.#followers.size === 0) return result
    this.#due = new Set(failed.keys())
    if (isGone === true) this.#gone()
    else result.sent = this.#deliver(records, failed.size === 0 ? position : '', changed)
    this.#goOn()
    return result
  }

  #goOn (): void {
    if (this.#due.size === 0) this.#backoff.reset()
    if (this.#followers.size === 0) return
    if (!this.#changed.isEmpty) this.#sleep(this.#host.delay, false)
    else if (this.#due.size > 0) this.#sleep(this.#backoff.next(), true)
  }

  /** Renders what is due. Never rejects. */
  async #render (changed: Changed, due: ReadonlySet<string>, controller: AbortController): Promise<Rendered> {
    const { signal } = controller
    const host = this.#host
    const records = new Map<string, EventRecord>()
    const failed = new Map<string, unknown>()
    const add = ({ target, swap }: LiveBlock, data: string, printed?: Printed): void => {
      const record = { target, swap, data }
      records.set(target, record)
      if (printed !== undefined) this.#printed.set(record, printed)
    }
    const fails = (block: LiveBlock, error: unknown): void => {
      failed.set(block.target, error)
      if (host.debug) add(block, errorBox(block.block, error))
    }
    const report = (error: unknown, what: string): void => { if (!signal.aborted) host.report(error, what) }
    let plan: Plan
    try {
      plan = await host.plan()
    } catch (error) {
      report(error, 'what its blocks are')
      this.#unplanned.addAll(changed)
      // Not empty, so that it is tried again.
      return { blocks: [], records, failed: new Map([...due, ''].map(target => [target, error])) }
    }
    const targets = new Set([...due, ...plan.affected(changed.paths)])
    const blocks = plan.blocks.filter(({ target }) => targets.has(target))
    if (blocks.length === 0) return { blocks, records, failed }
    try {
      const made = await host.context(this.viewer, signal, name => blocks.some(block => plan.looksAt(block, name)))
      if (made === null) return { blocks, records, failed, isGone: true }
      const { context } = made
      for (const [name, error] of made.failed) report(error, `the deferred value ${JSON.stringify(name)}`)
      await Promise.all(blocks.map(async block => {
        for (const [name, error] of made.failed) if (plan.looksAt(block, name)) return fails(block, error)
        try {
          const printed = new Printed(host.signals)
          add(block, (await host.render(block, context, printed)).trim(), printed)
        } catch (error) {
          report(error, `block ${JSON.stringify(block.block)}`)
          fails(block, error)
        }
      }))
    } catch (error) {
      report(error, 'the context')
      // It may still be at work.
      controller.abort()
      for (const block of blocks) fails(block, error)
    }
    return { blocks, records, failed }
  }

  #renewed (record: EventRecord): EventRecord {
    const printed = this.#printed.get(record)
    const data = printed?.renewed(record.data!)
    if (printed === undefined || data === record.data) return record
    const renewed = { ...record, data }
    this.#printed.set(renewed, printed)
    return renewed
  }

  /** Gives the number of blocks whose HTML has changed. */
  #deliver (made: ReadonlyMap<string, EventRecord>, position: string, reason: Changed): number {
    const records = new Map([...made].map(([target, record]) => [target, this.#renewed(record)]))
    const rendered = new Set(records.keys())
    const changed = new Set([...rendered].filter(target => this.#records.get(target)?.data !== records.get(target)!.data))
    for (const [target, record] of records) this.#records.set(target, record)
    const updates = new Map<string, Update>()
    const shared = this.newest(changed, position)
    const outcome: Outcome = {
      rendered,
      changed,
      position,
      update: targets => {
        if (targets === changed) return shared
        const key = [...targets].join('\n')
        const update = updates.get(key) ?? this.newest(targets, position)
        updates.set(key, update)
        return update
      }
    }
    const followers = this.followers.filter(({ firstRun }) => firstRun <= this.#runs)
    if (this.#host.debug && rendered.size > 0) this.#host.sent(reason, changed, followers.length)
    for (const follower of followers) {
      try {
        // One that left may have taken others with it.
        if (!follower.isOver) follower.take(outcome)
      } catch (error) {
        // The end of its own stream, and of no other.
        follower.failed(error)
      }
    }
    return changed.size
  }

  #gone (): void {
    this.#records.clear()
    for (const follower of this.followers) if (follower.firstRun <= this.#runs) follower.gone()
  }
}
