// The baseline: one string, given to every response.
import http from 'node:http'
import { fan } from '../../lib/fan.js'
import { LISTEN } from '../../lib/meter.js'
import { frame } from '../../lib/payloads.js'

const HEAD = { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' }

const open = new Set()

const server = http.createServer((req, res) => {
  res.writeHead(200, HEAD)
  res.flushHeaders()
  open.add(res)
  res.on('close', () => open.delete(res))
})

function publish (payload) {
  const event = frame(payload)
  for (const res of open) res.write(event)
}

server.listen(LISTEN, () => fan(server, publish))
