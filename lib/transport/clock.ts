// One timer for all connections of an app. A timer for each would cost 245
// bytes and a re-arm on every write; here a write only notes the current tick,
// and a connection is looked at when its slot comes up.

import { List, unlink, type Linked } from '../util/list.js'

/** Something that wants to be woken. */
export interface Sleeper extends Linked {
  /** The tick that it was last scheduled for. Kept by the clock. */
  due: number
  /** Called at that tick or shortly after; schedules itself again if it wants more. */
  wake (): void
}

/** Milliseconds of one tick: how late a wake-up may be. */
export const TICK = 100

// Ten thousand heartbeats in one go would hold the event loop for 50-90 ms, so
// what is beyond this waits for the next tick.
const WAKES_PER_TICK = 1000

/** Wakes sleepers by tick; runs, without holding the process, only while there are any. */
export class Clock {
  /** The current tick: an integer, cheap to note. */
  now = currentTick()
  /** Number of turns of the event loop that reached the clock: does not count the ticks that a busy loop has missed. */
  turns = 0
  readonly #slots = new Map<number, List<Sleeper>>()
  #sleepers = 0
  #timer: NodeJS.Timeout | undefined

  /** Ticks that last at least so many milliseconds from any moment of the current one; 0 stays 0, for off. */
  static ticks (milliseconds: number): number {
    return milliseconds === 0 ? 0 : Math.ceil(milliseconds / TICK) + 1
  }

  /** The current tick, also when the clock stands still because it has no sleeper. */
  refresh (): number {
    if (this.#timer === undefined) this.now = currentTick()
    return this.now
  }

  /** Wakes `sleeper` at tick `due`, instead of when it was scheduled before. */
  schedule (sleeper: Sleeper, due: number): void {
    if (this.#timer === undefined) this.#start()
    this.cancel(sleeper)
    this.#add(sleeper, Math.max(due, this.now + 1))
  }

  /** Forgets `sleeper`. */
  cancel (sleeper: Sleeper): void {
    if (unlink(sleeper)) this.#sleepers--
  }

  #add (sleeper: Sleeper, due: number): void {
    let slot = this.#slots.get(due)
    if (slot === undefined) {
      slot = new List()
      this.#slots.set(due, slot)
    }
    slot.add(sleeper)
    sleeper.due = due
    this.#sleepers++
  }

  #start (): void {
    this.refresh()
    this.#timer = setInterval(() => this.#advance(), TICK).unref()
  }

  #advance (): void {
    const target = currentTick()
    this.turns++
    let wakes = 0
    while (this.now < target) {
      const slot = this.#slots.get(++this.now)
      if (slot === undefined) continue
      this.#slots.delete(this.now)
      for (let sleeper = slot.first; sleeper !== undefined; sleeper = slot.first) {
        this.cancel(sleeper)
        if (++wakes > WAKES_PER_TICK) this.#add(sleeper, target + 1)
        else sleeper.wake()
      }
    }
    // Not as soon as the last one leaves: another may be about to come.
    if (this.#sleepers !== 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#slots.clear()
  }
}

function currentTick (): number {
  return Math.floor(performance.now() / TICK)
}
