// A TCP proxy whose target changes: what a failover looks like to a client that knows one address.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

export async function startProxy (t, target) {
  const sockets = new Set()
  const proxy = { target }
  const server = createServer(socket => {
    const other = connect(proxy.target, '127.0.0.1')
    for (const [a, b] of [[socket, other], [other, socket]]) {
      sockets.add(a)
      a.pipe(b)
      a.on('error', () => {})
      a.on('close', () => {
        sockets.delete(a)
        b.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy.url = `redis://127.0.0.1:${server.address().port}`
  proxy.cut = () => { for (const socket of sockets) socket.destroy() }
  t.teardown(() => {
    server.close()
    proxy.cut()
  })
  return proxy
}
