// One process for each port, on one Redis, behind nginx (nginx.conf). One that dies is started again, and what
// it served meanwhile goes on in the others.
//
//   npm run build && PORTS=3001,3002,3003 REDIS_URL=redis://localhost:6379 node docs/examples/cluster/server.js
import cluster from 'node:cluster'
import { buildApp } from './app.js'

const { PORTS = '3001,3002,3003', PORT, REDIS_URL = 'redis://localhost:6379' } = process.env

if (cluster.isPrimary) {
  let isEnding = false
  const start = port => {
    const worker = cluster.fork({ PORT: port })
    worker.once('exit', (code, signal) => {
      if (isEnding) return
      console.error(`The process of port ${port} has ended (${signal ?? code}), and is started again`)
      // Not at once, for one that cannot start.
      setTimeout(() => { if (!isEnding) start(port) }, 500)
    })
  }
  for (const port of PORTS.split(',')) start(port)
  for (const name of ['SIGINT', 'SIGTERM']) {
    process.once(name, () => {
      isEnding = true
      for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill('SIGTERM')
    })
  }
} else {
  const app = await buildApp(REDIS_URL)
  for (const name of ['SIGINT', 'SIGTERM']) {
    process.once(name, async () => {
      await app.close()
      process.exit()
    })
  }
  // `exclusive`: the process has the port for itself, and nginx chooses between processes.
  console.log(await app.listen({ port: Number(PORT), host: '127.0.0.1', exclusive: true }))
}
