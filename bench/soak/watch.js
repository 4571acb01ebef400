// What one client of the soak has seen of a route, and what is wrong with it.

/** Kinds of which every publication arrives, in order; of the others the newest does, and never an older one after it. */
const COMPLETE = new Set(['events', 'html', 'audience', 'viewer', 'pull'])

export class Watch {
  faults = []
  gaps = 0
  events = 0
  #kind
  #user
  #seen = new Map()
  // A gap was told: what follows may leave something out.
  #isAfterGap = false

  constructor (kind, user) {
    this.#kind = kind
    this.#user = user
  }

  event ({ event, data }) {
    if (event === 'chirp:gap') {
      this.gaps++
      this.#isAfterGap = true
      return
    }
    if (event?.startsWith('chirp:') || event === 'error') return
    this.events++
    const number = /seq=(\d+);/.exec(data)
    if (number === null) return this.#fault(`an event without a number: ${event} ${data}`)
    if (this.#kind === 'viewer' && !data.includes(`<p>${this.#user} `)) this.#fault(`the HTML of another viewer: ${data}`)
    const seq = Number(number[1])
    const key = this.keyOf(event)
    const last = this.#seen.get(key)
    this.#seen.set(key, Math.max(seq, last ?? 0))
    if (last === undefined) return
    if (isComplete(this.#kind, key)) {
      if (seq <= last) this.#fault(`${key}: ${seq} after ${last}`)
      else if (seq > last + 1 && !this.#isAfterGap) this.#fault(`${key}: ${seq} after ${last}, without a word about what is missing`)
      this.#isAfterGap = false
    } else if (seq < last) {
      this.#fault(`${key}: the older ${seq} after ${last}`)
    }
  }

  /** Which counter of the server an event belongs to. */
  keyOf (event) {
    if (this.#kind === 'values' || (this.#kind === 'merge' && event?.startsWith('v'))) return event
    if (this.#kind === 'merge') return 'events'
    return this.#kind === 'audience' ? `audience ${this.#user}` : this.#kind
  }

  /** What it has not come to yet. A client that has seen nothing of something has come after it. */
  behind (newest) {
    return [...this.#seen].filter(([key, seq]) => seq !== newest[key]).map(([key, seq]) => `${this.#kind}, ${key}: ${seq}, not ${newest[key]}`)
  }

  #fault (text) {
    this.faults.push(`${this.#kind}: ${text}`)
  }
}

function isComplete (kind, key) {
  return COMPLETE.has(kind) || (kind === 'merge' && key === 'events')
}
