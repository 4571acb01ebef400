// https://hono.dev/docs/helpers/streaming: streamSSE, each write awaited.
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { streamSSE } from 'hono/streaming'
import { LISTEN, meter } from '../lib/meter.js'
import { pending, ticks } from '../lib/sources.js'

const app = new Hono()

const send = (c, source) => streamSSE(c, async (stream) => {
  for await (const value of source) await stream.writeSSE({ data: JSON.stringify(value) })
})

app.get('/stream', (c) => send(c, ticks(Number(c.req.query('n')))))

app.get('/idle', (c) => send(c, pending()))

app.get('/first', (c) => send(c, ticks(1)))

const server = createAdaptorServer(app)
server.listen(LISTEN, () => meter(server))
