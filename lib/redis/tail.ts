// The newest events of a topic as far as this process has heard them: a client that comes back and has missed a few is served
// from here, with any number at once. All tails of an engine share one budget.
import type { Page, StoredEvent } from '../channel/engine.js'

/** The position before the first event of a tail: a cursor too, as is the id that its event brought. */
interface Base {
  position: string
  id?: string | undefined
  audience?: unknown
}

interface Sized { event: StoredEvent, size: number }

export class Tails {
  readonly #limit: number
  #used = 0
  // The one that was not used for the longest time is first.
  readonly #tails = new Set<Tail>()

  constructor (limit: number) {
    this.#limit = limit
  }

  use (tail: Tail): void {
    this.#tails.delete(tail)
    this.#tails.add(tail)
  }

  change (tail: Tail, bytes: number): void {
    this.#used += bytes
    if (tail.isEmpty) this.#tails.delete(tail)
    else if (!this.#tails.has(tail)) this.#tails.add(tail)
    for (const oldest of this.#tails) {
      if (this.#used <= this.#limit) return
      oldest.shrink(0)
    }
  }
}

export class Tail {
  readonly #tails: Tails
  #base: Base
  #events: Sized[] = []

  constructor (tails: Tails, position: string) {
    this.#tails = tails
    this.#base = { position }
  }

  get isEmpty (): boolean {
    return this.#events.length === 0
  }

  push (event: StoredEvent, size: number, history: number): void {
    this.#events.push({ event, size })
    this.#tails.change(this, size)
    this.shrink(history)
  }

  /** Keeps the newest events alone. */
  shrink (count: number): void {
    const dropped = this.#events.splice(0, Math.max(0, this.#events.length - count))
    if (dropped.length === 0) return
    const { position, record, audience } = dropped.at(-1)!.event
    this.#base = { position, id: idOf(record), audience }
    this.#tails.change(this, -sum(dropped))
  }

  /** Nothing of it can be read any more. */
  reset (position: string): void {
    this.shrink(0)
    this.#base = { position }
  }

  /** The events after a cursor; undefined when it is not known here. */
  read (cursor: string, limit: number): Omit<Page, 'last'> | undefined {
    const index = this.#find(cursor)
    if (index === undefined) return undefined
    this.#tails.use(this)
    const { position, id, audience } = index === 0 ? this.#base : baseOf(this.#events[index - 1]!.event)
    return {
      from: position,
      entries: this.#events.slice(index, index + limit).map(({ event }) => event),
      audience: id === cursor && position !== cursor ? audience : undefined
    }
  }

  /** Takes over what was read from Redis, where it joins on. Gives the page with the events that are here already. */
  prepend (cursor: string, page: Page, sizes: readonly number[]): Page {
    const end = page.entries.findIndex(({ position }) => position === this.#base.position) + 1
    if (end === 0) return page
    const older = page.entries.slice(0, end).map((event, n) => ({ event, size: sizes[n]! }))
    const newer = page.entries.slice(end).map((event, n) => this.#events[n]?.event ?? event)
    this.#base = { position: page.from!, id: cursor === page.from ? undefined : cursor, audience: page.audience }
    this.#events.unshift(...older)
    this.#tails.change(this, sum(older))
    return { ...page, entries: [...page.entries.slice(0, end), ...newer] }
  }

  /** How many events from the oldest one on come before what follows the cursor. */
  #find (cursor: string): number | undefined {
    for (let n = this.#events.length; n > 0; n--) {
      const { position, record } = this.#events[n - 1]!.event
      if (position === cursor || idOf(record) === cursor) return n
    }
    return this.#base.position === cursor || this.#base.id === cursor ? 0 : undefined
  }
}

function baseOf (event: StoredEvent): Base {
  const { position, record, audience } = event
  return { position, id: idOf(record), audience }
}

// An event of another version may have any form.
function idOf (record: unknown): string | undefined {
  return (record as { id?: string } | null | undefined)?.id
}

function sum (events: readonly Sized[]): number {
  return events.reduce((bytes, { size }) => bytes + size, 0)
}
