// The instruments: Node's own.
import os from 'node:os'
import { monitorEventLoopDelay } from 'node:perf_hooks'

// Milliseconds between two looks at the event loop.
const RESOLUTION = 10

/** What is measured between two readings, rather than at one moment. */
export class Meter {
  isOn = false
  #delay = monitorEventLoopDelay({ resolution: RESOLUTION })
  #times = cpuTimes()

  start () { this.isOn = this.#delay.enable() }

  stop () { this.isOn = !this.#delay.disable() }

  /** Percent of all processors that were busy since the last call. */
  cpu () {
    const before = this.#times
    this.#times = cpuTimes()
    const total = this.#times.total - before.total
    return total === 0 ? 0 : 100 * (this.#times.busy - before.busy) / total
  }

  /** Milliseconds that the event loop was late at worst since the last call. */
  loopDelay () {
    const worst = this.#delay.max / 1e6 - RESOLUTION
    this.#delay.reset()
    return Math.max(0, worst)
  }
}

export function readMachine (meter) {
  const { heapUsed, rss } = process.memoryUsage()
  return {
    cpu: meter.cpu(),
    loopDelay: meter.loopDelay(),
    heap: heapUsed,
    rss,
    memory: 100 * (1 - os.freemem() / os.totalmem())
  }
}

function cpuTimes () {
  const times = { busy: 0, total: 0 }
  for (const { times: { user, nice, sys, idle, irq } } of os.cpus()) {
    times.busy += user + nice + sys + irq
    times.total += user + nice + sys + irq + idle
  }
  return times
}
