// The server's side of the fan-out suite. A contestant serves GET /fan and
// gives `publish(payload)`, which sends one event to all of its connections.
import { setImmediate as nextTick } from 'node:timers/promises'
import { meter } from './meter.js'
import { payloads } from './payloads.js'

let published = 0

/** Lets the parent publish on this process, and measure it. */
export function fan (server, publish, extra) {
  meter(server, {
    /** In each of `ticks` ticks of the event loop, publishes `perTick` events. */
    async publish ({ kind, ticks, perTick }) {
      for (let tick = 0; tick < ticks; tick++) {
        for (let i = 0; i < perTick; i++) publish(payloads[kind](published++))
        await nextTick()
      }
    },

    ...extra
  })
}
