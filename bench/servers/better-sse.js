// https://matthewwid.github.io/better-sse: on node:http, its leanest host.
// iterate() is its way to send a generator. It has no backpressure, and gives
// every event a name and a UUID: that is what an app gets, so it is measured.
import http from 'node:http'
import { createSession } from 'better-sse'
import { LISTEN, meter } from '../lib/meter.js'
import { pending, ticks } from '../lib/sources.js'

const routes = {
  '/stream': (query) => ticks(Number(query.get('n'))),
  '/idle': () => pending(),
  '/first': () => ticks(1)
}

const server = http.createServer(async (req, res) => {
  const [path, query] = req.url.split('?')
  const session = await createSession(req, res)
  await session.iterate(routes[path](new URLSearchParams(query)))
  res.end()
})

server.listen(LISTEN, () => meter(server))
