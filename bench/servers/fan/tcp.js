// The floor: bytes made once, given to every socket. It reads no request and
// frames no chunks, so it is no HTTP server; it shows what Node's sockets cost.
import net from 'node:net'
import { fan } from '../../lib/fan.js'
import { LISTEN } from '../../lib/meter.js'
import { frame } from '../../lib/payloads.js'

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nConnection: close\r\n\r\n'

const open = new Set()

const server = net.createServer({ noDelay: true }, (socket) => {
  socket.once('data', () => {
    socket.write(HEAD)
    open.add(socket)
  })
  socket.on('close', () => open.delete(socket))
  socket.on('error', () => {})
})

function publish (payload) {
  const event = Buffer.from(frame(payload))
  for (const socket of open) socket.write(event)
}

server.listen(LISTEN, () => fan(server, publish))
