// Readings of this machine and process: taken only while someone looks, once
// for all tabs.
import { Meter, readMachine } from './meter.js'
import { describeMachine, WINDOW } from './panel.js'

export class Machine {
  #hub
  #interval
  #counters
  #meter = new Meter()
  #samples = []
  #watchers = 0
  #timer
  #broken = 0

  constructor (hub, { interval, counters }) {
    this.#hub = hub
    this.#interval = interval
    this.#counters = counters
  }

  /** Takes readings until `signal` aborts, and longer where others still look. */
  watch (signal) {
    if (this.#watchers++ === 0) this.#start()
    signal.addEventListener('abort', () => {
      if (--this.#watchers === 0) this.#stop()
    }, { once: true })
  }

  get isRunning () {
    return this.#timer !== undefined
  }

  /** What the block `machine` needs, from the newest reading. */
  context () {
    if (!this.isRunning) this.#sample()
    return { machine: describeMachine(this.#samples, this.#counters()) }
  }

  /** Leaves the template without what it needs, for a few readings: see what one that fails looks like. */
  breakFor (readings) {
    this.#broken = readings
    this.#tick()
  }

  #start () {
    this.#meter.start()
    this.#sample()
    this.#timer = setInterval(() => this.#tick(), this.#interval)
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
    this.#hub.publish('machine', isBroken ? {} : this.context())
  }

  #sample () {
    const now = Date.now()
    // What is measured since the last reading means nothing when that was just now.
    if (now - (this.#samples.at(-1)?.at ?? 0) < this.#interval / 2) return
    this.#samples = this.#samples.filter(({ at }) => at > now - WINDOW)
    this.#samples.push({ at: now, ...readMachine(this.#meter) })
  }
}
