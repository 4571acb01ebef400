// Readings of this machine and process: taken only while someone is here, once
// for all tabs.
import { setTimeout } from 'node:timers/promises'
import { Fragment } from 'fastify-chirp'
import { Meter, readMachine } from './meter.js'
import { describeMachine, WINDOW } from './panel.js'

export class Machine {
  channel
  #interval
  #counters
  #meter = new Meter()
  #samples = []
  #broken = 0

  constructor (app, { interval }) {
    // Only the newest reading counts: a new stream gets it, a slow one skips to it.
    this.channel = app.channel('machine', { latest: true, source: ({ signal }) => this.#readings(signal) })
    this.#interval = interval
    this.#counters = app.eventStreams
  }

  get isRunning () {
    return this.#meter.isOn
  }

  /** What the block `machine` needs, from the newest reading. */
  context () {
    if (!this.isRunning) this.#sample()
    return { machine: describeMachine(this.#samples, this.#counters) }
  }

  /** Leaves the template without what it needs, for a few readings: see what one that fails looks like. */
  breakFor (readings) {
    this.#broken = readings
    this.channel.publish(this.#reading())
  }

  async * #readings (signal) {
    this.#meter.start()
    try {
      for (;;) {
        yield this.#reading()
        await setTimeout(this.#interval, undefined, { signal })
      }
    } finally {
      this.#meter.stop()
    }
  }

  /** Rendered once, for all. What fails is logged, and in debug its panel says why. */
  #reading () {
    this.#sample()
    const isBroken = this.#broken > 0
    if (isBroken) this.#broken--
    return new Fragment('station.html', 'machine', isBroken ? {} : this.context(), { target: 'machine' })
  }

  #sample () {
    const now = Date.now()
    // What is measured since the last reading means nothing when that was just now.
    if (now - (this.#samples.at(-1)?.at ?? 0) < this.#interval / 2) return
    this.#samples = this.#samples.filter(({ at }) => at > now - WINDOW)
    this.#samples.push({ at: now, ...readMachine(this.#meter) })
  }
}
