// hono: streamSSE with a writeSSE() for each stream, which must not wait for
// the others.
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { fan } from '../../lib/fan.js'
import { LISTEN } from '../../lib/meter.js'
import { text } from '../../lib/payloads.js'

const open = new Set()

const app = new Hono()

app.get('/fan', (c) => streamSSE(c, async (stream) => {
  open.add(stream)
  await new Promise((resolve) => stream.onAbort(resolve))
  open.delete(stream)
}))

function publish (payload) {
  const message = { data: text(payload) }
  for (const stream of open) stream.writeSSE(message)
}

const server = createAdaptorServer(app)
server.listen(LISTEN, () => fan(server, publish))
