// What tests of channels on several engines share: the engines, a channel without an app, and a client that needs no connection.
import { Channel } from '../../dist/channel/channel.js'
import { htmx2 } from '../../dist/dialects/htmx2.js'
import { MemoryEngine } from '../../dist/channel/memory.js'
import { kAttach } from '../../dist/stream/feed.js'
import { AsyncEngine } from './engine.js'

export const ENGINES = { memory: () => new MemoryEngine(), async: () => new AsyncEngine(), 'async that lags': () => new AsyncEngine({ lag: true }) }

/** A channel that is not in an app; what is published is a record. */
export function buildChannel (engine, options = {}, name = 'a') {
  const errors = []
  const report = error => { errors.push(error) }
  const late = []
  const log = { debug: ({ err }) => { late.push(err) } }
  const channel = new Channel(name, options, { engine, maxBuffer: 1e6, log, toRecord: record => record, errorRecord: () => {}, report })
  return { channel, errors, late }
}

/** A reader in memory whose client may stall: what was sent to it meanwhile is lost when it leaves. */
export class Client {
  dialect = htmx2
  events = []
  cursor = ''
  isStalled = false
  error
  #source
  #waiting = []
  #attachment
  #wakes = []
  // Tells the connections of one client apart.
  #target

  constructor (source) {
    this.#source = source
  }

  get isConnected () {
    return this.#attachment !== undefined
  }

  connect () {
    const client = this
    const target = this.#target = {
      dialect: htmx2,
      get isBlocked () { return client.isStalled && client.#waiting.length > 0 },
      send (text) { client.#take(target, text) },
      share ({ text }) { client.#take(target, text) },
      flush () {},
      whenDrained: () => this.isStalled && this.#waiting.length > 0 ? new Promise(resolve => { this.#wakes.push(resolve) }) : Promise.resolve(),
      ended () {},
      failed (error) { client.error = error }
    }
    this.#attachment = this.#source[kAttach](target, this.cursor)
  }

  disconnect () {
    this.#attachment.detach()
    this.#attachment = this.#target = undefined
    this.#waiting = []
    this.#wake()
  }

  heartbeat () {
    const cursor = this.#attachment.cursor()
    if (cursor !== undefined) this.#take(this.#target, `id: ${cursor}\n\n`)
  }

  stall () {
    this.isStalled = true
  }

  resume () {
    this.isStalled = false
    for (const text of this.#waiting.splice(0)) this.#read(text)
    this.#wake()
  }

  #wake () {
    for (const wake of this.#wakes.splice(0)) wake()
  }

  #take (target, text) {
    if (target !== this.#target) return
    if (this.isStalled) this.#waiting.push(text)
    else this.#read(text)
  }

  #read (text) {
    for (const frame of text.split('\n\n').slice(0, -1)) {
      const fields = Object.fromEntries(frame.split('\n').map(line => line.split(/: (.*)/s)))
      if (fields.id !== undefined) this.cursor = fields.id
      if (fields.data !== undefined) this.events.push(fields)
    }
  }
}
