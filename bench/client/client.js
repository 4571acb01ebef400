// The client of all contestants, in a process of its own so that its CPU time
// is not theirs. It speaks HTTP over a bare socket: it must be faster than the
// servers, or it would be what is measured.
import net from 'node:net'
import { answer } from '../lib/answer.js'
import { median } from '../lib/stats.js'
import { EventCounter } from './counter.js'
import { repeat } from './repeat.js'

const TIMEOUT = 45_000

const open = new Set()

answer({
  /** Reads a stream to its end, and checks that all `n` events came. */
  async stream ({ port, n }) {
    const from = performance.now()
    const counter = await get(port, `/stream?n=${n}`, (counter) => counter.done)
    const seconds = (performance.now() - from) / 1000
    if (counter.events !== n) throw new Error(`${counter.events} of ${n} events arrived`)
    if (!counter.tail.includes(`"i":${n - 1},`)) throw new Error('the last event is not the last one sent')
    return { seconds, bytes: counter.bytes }
  },

  /** Opens connections that stay, so many at a time, and resolves when each has its first events. */
  async hold ({ port, path, connections, events = 1, parallel = 50 }) {
    const from = performance.now()
    await repeat(connections, parallel, () => get(port, path, (counter) => counter.events >= events, true))
    return { seconds: (performance.now() - from) / 1000 }
  },

  /** Closes what hold() opened. */
  async release () {
    for (const socket of open) socket.destroy()
    open.clear()
  },

  /** Connects anew for every single event. */
  async connect ({ port, path, connections, parallel }) {
    const waits = []
    const from = performance.now()
    await repeat(connections, parallel, async () => {
      const counter = await get(port, path, (counter) => counter.done)
      waits.push(counter.firstEvent)
    })
    return { seconds: (performance.now() - from) / 1000, wait: median(waits) }
  }
})

// One request on one connection, until `enough` says so.
function get (port, path, enough, keep = false) {
  return new Promise((resolve, reject) => {
    const from = performance.now()
    const counter = new EventCounter()
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true })
    const timer = setTimeout(() => finish(new Error(`no end of ${path} within ${TIMEOUT / 1000} s`)), TIMEOUT)
    let finished = false

    function finish (error) {
      if (finished) return
      finished = true
      clearTimeout(timer)
      if (keep && error === undefined) open.add(socket)
      else socket.destroy()
      if (error === undefined) resolve(counter)
      else reject(error)
    }

    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n\r\n`)
    socket.on('data', (chunk) => {
      if (finished) return
      try {
        counter.push(chunk)
        if (counter.events > 0) counter.firstEvent ??= performance.now() - from
        if (enough(counter)) finish()
      } catch (error) {
        finish(error)
      }
    })
    socket.on('error', finish)
    socket.on('close', () => finish(new Error(`${path} was closed early, after ${counter.events} events`)))
  })
}
