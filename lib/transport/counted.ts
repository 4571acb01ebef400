// What a connection was given: by itself, and as one of many that get the same.

/** The figures of a connection's app. */
export interface Counters {
  events: number
  bytes: number
}

/** Many that get the same, which is counted once for all of them. */
export interface Company {
  /** The events and bytes that each of them was given since it began. */
  readonly events: number
  readonly bytes: number
  /** The tick of the last write. */
  readonly written: number
  /** One of them has something of its own to do. */
  leave (one: Counted): void
}

export class Counted {
  /** Its place in its company. Kept by that. */
  place = -1
  #company: Company | undefined
  // With company: what is to be added to the company's.
  #events = 0
  #bytes = 0
  #written: number

  constructor (now: number) {
    this.#written = now
  }

  /** Events handed over so far. */
  get events (): number {
    return this.#company === undefined ? this.#events : this.#events + this.#company.events
  }

  /** Bytes handed over so far. */
  get bytes (): number {
    return this.#company === undefined ? this.#bytes : this.#bytes + this.#company.bytes
  }

  get company (): Company | undefined {
    return this.#company
  }

  /** For the company: from now on it is given what all of them are given. */
  join (company: Company, place: number): void {
    this.#company = company
    this.place = place
    this.#events -= company.events
    this.#bytes -= company.bytes
  }

  /** For the company: from now on it is given nothing by it. */
  part (): void {
    this.#events = this.events
    this.#bytes = this.bytes
    this.#written = this.written
    this.#company = undefined
    this.place = -1
  }

  /** It has something of its own to do. */
  protected leave (): void {
    this.#company?.leave(this)
  }

  /** The tick of the last write. */
  protected get written (): number {
    return this.#company === undefined ? this.#written : Math.max(this.#written, this.#company.written)
  }

  protected set written (tick: number) {
    this.#written = tick
  }

  protected countEvents (events: number, counters: Counters): void {
    this.#events += events
    counters.events += events
  }

  protected countBytes (bytes: number, counters: Counters): void {
    this.#bytes += bytes
    counters.bytes += bytes
  }
}
