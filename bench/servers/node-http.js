// The baseline: plain node:http, as little code as a correct stream needs.
import http from 'node:http'
import { LISTEN, meter } from '../lib/meter.js'
import { pending, ticks } from '../lib/sources.js'

const HEAD = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' }

const HEARTBEAT = 15_000

const frame = (value) => `data: ${JSON.stringify(value)}\n\n`

const routes = {
  async '/stream' (res, query) {
    for await (const event of ticks(Number(query.get('n')))) {
      if (!res.write(frame(event))) await new Promise((resolve) => res.once('drain', resolve))
    }
    res.end()
  },

  // No generator here and in /first: a bare response is the least that a
  // connection can cost.
  '/idle' (res) {
    res.write(frame({ i: 0, t: 'tick' }))
  },

  // What keeps a stream open behind proxies, as one writes it by hand.
  '/idle/timer' (res) {
    res.write(frame({ i: 0, t: 'tick' }))
    const timer = setInterval(() => res.write(':\n'), HEARTBEAT)
    res.on('close', () => clearInterval(timer))
  },

  async '/idle/generator' (res) {
    for await (const event of pending()) res.write(frame(event))
  },

  '/first' (res) {
    res.write(frame({ i: 0, t: 'tick' }))
    res.end()
  },

  async '/first/generator' (res) {
    for await (const event of ticks(1)) res.write(frame(event))
    res.end()
  }
}

const server = http.createServer((req, res) => {
  const [path, query] = req.url.split('?')
  res.writeHead(200, HEAD)
  routes[path](res, new URLSearchParams(query))
})

server.listen(LISTEN, () => meter(server))
