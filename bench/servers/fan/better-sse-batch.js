// better-sse at its fastest: the event is encoded once, in a buffer that is
// sent to each session of the channel.
import http from 'node:http'
import { createChannel, createEventBuffer, createSession } from 'better-sse'
import { fan } from '../../lib/fan.js'
import { LISTEN } from '../../lib/meter.js'

const channel = createChannel()

const server = http.createServer(async (req, res) => {
  channel.register(await createSession(req, res, { keepAlive: null }))
})

function publish (payload) {
  const event = createEventBuffer().push(payload)
  for (const session of channel.activeSessions) session.batch(event)
}

server.listen(LISTEN, () => fan(server, publish))
