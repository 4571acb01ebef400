// Holds one stream for each topic, and tells how long each event was on its way to the socket.
import net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { answer } from '../lib/answer.js'
import { now } from '../lib/latency.js'
import { repeat } from './repeat.js'

const PARALLEL = 50
const TIMEOUT = 20_000
// What may still be under way when the others have arrived.
const PATIENCE = 5_000

let open = 0
let latencies = []

answer({
  /** Opens streams until there are so many. */
  async hold ({ port, topics }) {
    await repeat(topics - open, PARALLEL, () => get(port, `/topic/${open++}`))
  },

  /** The latencies in milliseconds, once `count` events have arrived, or no more come. */
  async take ({ count }) {
    const end = now() + PATIENCE
    while (latencies.length < count && now() < end) await sleep(20)
    const taken = latencies
    latencies = []
    return taken
  }
})

function get (port, path) {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true })
    const timer = setTimeout(() => reject(new Error(`no answer to ${path} within ${TIMEOUT / 1000} s`)), TIMEOUT)
    let rest = ''
    socket.setEncoding('latin1').on('data', (chunk) => {
      const at = now()
      const lines = (rest + chunk).split('\n')
      rest = lines.pop()
      for (const line of lines) {
        const sent = /^data: .*"sent":([\d.]+)/.exec(line)
        if (sent) latencies.push(at - Number(sent[1]))
        // The channel has told where the stream starts: it is live.
        else if (line.startsWith('id: ')) {
          clearTimeout(timer)
          resolve()
        }
      }
    })
    socket.on('error', reject)
    socket.on('close', () => reject(new Error(`${path} was closed early`)))
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\n\r\n`)
  })
}
