// A topic with a listener in this process. Each event names the one before it: a loss of Pub/Sub is found by
// that, and read from the log before a listener gets later events.
import type { Page, StoredEvent } from '../channel/engine.js'
import { Tail, type Tails } from './tail.js'
import { isAfter, type Told } from './wire.js'

export interface Listener {
  hear (event: StoredEvent): void
  lost: ((from: string, to: string) => void) | undefined
}

/** A page as Redis gives it. */
export interface RedisPage extends Page {
  history: number
  ttl: number
  /** Bytes of each event, about. */
  sizes: number[]
}

export interface FollowerHost {
  tails: Tails
  read (after: string, limit: number): Promise<RedisPage>
  /** Waits before something that failed is tried again; false when that makes no sense any more. */
  pause (attempt: number): Promise<boolean>
}

interface Reading { page?: Promise<Page> }

const PAGE = 100

// More than this is not held in memory while the log is read: it is in the log.
const MAX_QUEUE = 1000

// Unknown cursors that are remembered.
const MAX_UNKNOWN = 100

// Number of reads of a hole before it counts as one.
const MAX_STUCK = 3

// Milliseconds that an event may take from the script that adds it to here.
const PATIENCE = 1000

export class Follower {
  readonly listeners = new Set<Listener>()
  /** Runs when the last listener has left. */
  timer: NodeJS.Timeout | undefined
  /** Whether Redis took the subscription; while there is no connection it cannot tell. */
  subscribing: Promise<void> = Promise.resolve()
  /** Resolves when it is known where it begins. */
  readonly begun: Promise<void>
  #begin!: () => void
  readonly #host: FollowerHost
  // The newest event that was heard; empty until it is known where to begin.
  #last = ''
  // The newest one that this process has published.
  #known = ''
  #history = 0
  #ttl = 0
  #tail: Tail | undefined
  // Events that may have a loss before them; undefined while there is none.
  #queue: Told[] | undefined = []
  #isCut = false
  #catchingUp: Promise<void> | undefined
  #isAgain = false
  #stuck = 0
  // Reads that are under way, and still hold when they answer.
  readonly #reads = new Map<string, Reading>()
  // Cursors that are unknown as long as nothing is published.
  readonly #unknown = new Set<string>()
  readonly #waiting = new Set<() => void>()
  #isDropped = false

  constructor (host: FollowerHost) {
    this.#host = host
    this.begun = new Promise(resolve => { this.#begin = resolve })
  }

  /** Pub/Sub has told something. */
  take (told: Told): void {
    if (this.#queue === undefined && told.event.previous === this.#last) return this.#hearTold(told)
    if (this.#queue === undefined || this.#queue.length >= MAX_QUEUE) this.#queue = []
    this.#queue.push(told)
    if (!this.#isCut && this.#catchingUp === undefined) this.catchUp()
  }

  /** Events from now on are missed. */
  cut (): void {
    this.#isCut = true
    this.#queue = []
  }

  /** There is a subscription, complete from now on. */
  resume (): Promise<void> {
    this.#isCut = false
    return this.catchUp()
  }

  /** Reads on from where it was. */
  catchUp (): Promise<void> {
    this.#isAgain = true
    this.#queue ??= []
    this.#catchingUp ??= this.#catchUp()
    return this.#catchingUp
  }

  /** This process has published an event: what is read from now on has it. */
  published (position: string): void {
    if (this.#known === '' || !isAfter(this.#known, position)) this.#known = position
    this.#forgetReads()
  }

  /** From here if possible, else from Redis, and then once for all equal reads. */
  async read (after: string, limit: number): Promise<Page> {
    const page = this.#readHere(after, limit)
    if (page !== undefined) return page
    if (this.#last === '') return await this.#host.read(after, limit)
    const key = `${limit} ${after}`
    let reading = this.#reads.get(key)
    if (reading === undefined) {
      const own: Reading = reading = {}
      this.#reads.set(key, own)
      own.page = this.#readThere(after, limit, () => this.#reads.get(key) === own).finally(() => { if (this.#reads.get(key) === own) this.#reads.delete(key) })
    }
    return await reading.page!
  }

  /** Resolves when an event has been heard, or can no longer be. */
  async reached (position: string): Promise<void> {
    if (this.#hasHeard(position)) return
    await new Promise<void>(resolve => {
      const look = (): void => { if (this.#isDropped || this.#hasHeard(position)) done() }
      const done = (): void => {
        clearTimeout(timer)
        this.#waiting.delete(look)
        resolve()
      }
      const timer = setTimeout(done, PATIENCE)
      this.#waiting.add(look)
    })
    if (!this.#isDropped && !this.#hasHeard(position)) await this.catchUp()
  }

  drop (): void {
    this.#isDropped = true
    clearTimeout(this.timer)
    this.listeners.clear()
    this.#tail?.shrink(0)
    for (const look of [...this.#waiting]) look()
  }

  #hasHeard (position: string): boolean {
    return position === this.#last || isAfter(this.#last, position)
  }

  async #catchUp (): Promise<void> {
    for (let attempt = 0; this.#isAgain && !this.#isDropped; attempt++) {
      this.#isAgain = false
      try {
        await this.#readOn()
      } catch {
        // Failures of Redis are reported by the calls of the app.
        if (!await this.#host.pause(attempt)) return
        this.#isAgain = true
      }
    }
    // In the same tick, so that no reader relies on a closed follower.
    this.#catchingUp = undefined
  }

  async #readOn (): Promise<void> {
    let page: RedisPage
    do {
      const isStart = this.#last === ''
      page = await this.#host.read(this.#last, isStart ? 0 : PAGE)
      if (this.#isDropped) return
      this.#history = page.history
      this.#ttl = page.ttl
      if (isStart) this.#start(page.last)
      else if (page.from === undefined) this.#loseUpTo(page.last)
      else for (const [n, event] of page.entries.entries()) this.#hear(event, page.sizes[n]!)
    } while (page.entries.length === PAGE)
    this.#flush()
  }

  #start (position: string): void {
    this.#last = position
    this.#begin()
  }

  /** Passes on the events of that time, without those that were read. */
  #flush (): void {
    const queue = this.#queue!
    for (const [n, told] of queue.entries()) {
      const { position, previous } = told.event
      if (previous === this.#last) {
        this.#hearTold(told)
      } else if (!this.#hasHeard(position)) {
        // It may have been published after the log was read.
        this.#queue = queue.slice(n)
        this.#isAgain = true
        if (++this.#stuck >= MAX_STUCK) this.#lose(previous)
        return
      }
    }
    // During another read, new events wait for it.
    this.#queue = this.#isCut || this.#isAgain ? [] : undefined
  }

  /** The log does not reach back to the last event. What waits may, and goes on after that. */
  #loseUpTo (last: string): void {
    const queue = this.#queue!
    const next = queue.findIndex(({ event }) => !this.#hasHeard(event.position))
    this.#queue = next === -1 ? [] : queue.slice(next)
    this.#lose(this.#queue[0]?.event.previous ?? last)
  }

  /** The events between the last one and another position are lost. */
  #lose (to: string): void {
    const from = this.#last
    this.#known = ''
    if (to === from) return
    this.#last = to
    this.#stuck = 0
    this.#tail?.reset(to)
    this.#forgetReads()
    for (const { lost } of this.listeners) lost?.(from, to)
    this.#look()
  }

  #hearTold ({ event, history, ttl, size }: Told): void {
    this.#history = history
    this.#ttl = ttl
    this.#hear(event, size)
  }

  #hear (event: StoredEvent, size: number): void {
    if (this.#keepsTail()) this.#tail!.push(event, size, this.#history)
    this.#last = event.position
    this.#stuck = 0
    this.#forgetReads()
    for (const { hear } of this.listeners) hear(event)
    this.#look()
  }

  #look (): void {
    for (const look of [...this.#waiting]) look()
  }

  #forgetReads (): void {
    this.#reads.clear()
    this.#unknown.clear()
  }

  /** Only Redis knows what is too old. */
  #keepsTail (): boolean {
    const keeps = this.#history > 0 && this.#ttl === 0
    if (keeps) {
      this.#tail ??= new Tail(this.#host.tails, this.#last)
    } else {
      this.#tail?.shrink(0)
      this.#tail = undefined
    }
    return keeps
  }

  #readHere (after: string, limit: number): Page | undefined {
    const last = this.#last
    if (last === '' || (this.#known !== '' && !this.#hasHeard(this.#known))) return undefined
    if (after === '' || this.#unknown.has(after)) return { from: undefined, entries: [], last }
    if (after === last) return { from: last, entries: [], last }
    const page = this.#tail?.read(after, limit)
    return page && { ...page, last }
  }

  async #readThere (after: string, limit: number, isCurrent: () => boolean): Promise<Page> {
    const { history, ttl, sizes, ...page } = await this.#host.read(after, limit)
    if (page.from === undefined) {
      if (isCurrent() && this.#unknown.size < MAX_UNKNOWN) this.#unknown.add(after)
      return page
    }
    if (history === 0 || ttl > 0 || !this.#keepsTail()) return page
    const joined = this.#tail!.prepend(after, page, sizes)
    this.#tail!.shrink(this.#history)
    return joined
  }
}
