// Readings of this machine and process: taken only while someone is here, once
// for all tabs.
import { Fragment } from 'fastify-chirp'
import { Meter, readMachine } from './meter.js'
import { describeMachine, WINDOW } from './panel.js'

export class Machine {
  channel
  #interval
  #counters
  #meter = new Meter()
  #samples = []
  #timer
  #broken = 0

  constructor (app, { presence, interval }) {
    // Only the newest reading counts: who comes gets it, who is slow skips to it.
    this.channel = app.channel('machine', { latest: true })
    this.#interval = interval
    this.#counters = app.eventStreams
    presence.on('join', () => { if (!this.isRunning) this.#start() })
    presence.on('leave', () => { if (presence.size === 0) this.#stop() })
  }

  get isRunning () {
    return this.#timer !== undefined
  }

  /** What the block `machine` needs, from the newest reading. */
  context () {
    if (!this.isRunning) this.#sample()
    return { machine: describeMachine(this.#samples, this.#counters) }
  }

  /** Leaves the template without what it needs, for a few readings: see what one that fails looks like. */
  breakFor (readings) {
    this.#broken = readings
    this.#tick()
  }

  #start () {
    this.#meter.start()
    this.#timer = setInterval(() => this.#tick(), this.#interval)
    this.#tick()
  }

  #stop () {
    clearInterval(this.#timer)
    this.#timer = undefined
    this.#meter.stop()
  }

  #tick () {
    this.#sample()
    const isBroken = this.#broken > 0
    if (isBroken) this.#broken--
    // Rendered here, once for all. What fails is logged, and in debug its panel says why.
    this.channel.publish(new Fragment('station.html', 'machine', isBroken ? {} : this.context(), { target: 'machine' }))
  }

  #sample () {
    const now = Date.now()
    // What is measured since the last reading means nothing when that was just now.
    if (now - (this.#samples.at(-1)?.at ?? 0) < this.#interval / 2) return
    this.#samples = this.#samples.filter(({ at }) => at > now - WINDOW)
    this.#samples.push({ at: now, ...readMachine(this.#meter) })
  }
}
