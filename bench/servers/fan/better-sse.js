// better-sse as its guide shows it: a channel, which pushes to each session.
// It sends text as JSON, because it gives only the first line a field name.
import http from 'node:http'
import { createChannel, createSession } from 'better-sse'
import { fan } from '../../lib/fan.js'
import { LISTEN } from '../../lib/meter.js'

const channel = createChannel()

const server = http.createServer(async (req, res) => {
  channel.register(await createSession(req, res, { keepAlive: null }))
})

server.listen(LISTEN, () => fan(server, (payload) => { channel.broadcast(payload) }))
