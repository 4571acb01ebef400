// What every contestant tells about itself: its CPU time, its memory and the
// longest time that its event loop was held up.
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { answer } from './answer.js'

const delay = monitorEventLoopDelay({ resolution: 5 })
let before

const methods = {
  /**
   * Starts a measurement, without the garbage of the one before. Where code
   * matters more than garbage, `collect: false` leaves it: a forced collection
   * throws away what V8 has learnt, and no server forces one.
   */
  begin ({ collect = true } = {}) {
    if (collect) globalThis.gc()
    delay.enable()
    delay.reset()
    before = process.cpuUsage()
  },

  /** Seconds of CPU since begin(), and the longest stall in milliseconds. */
  end () {
    const { user, system } = process.cpuUsage(before)
    delay.disable()
    return { cpu: (user + system) / 1e6, stall: delay.max / 1e6 }
  },

  /** Bytes in use once all garbage is gone. */
  async memory () {
    // What a first collection finalizes is only free after a second one.
    for (let i = 0; i < 3; i++) {
      globalThis.gc()
      await sleep(20)
    }
    const { heapUsed, rss } = process.memoryUsage()
    return { heapUsed, rss }
  }
}

/** Lets the parent measure this process, which serves on `server`'s port. */
export function meter (server, extra) {
  answer({ ...methods, ...extra }, { port: server.address().port })
}

/** Where all contestants listen: a free port that nobody else can reach. */
export const LISTEN = { host: '127.0.0.1', port: 0 }
