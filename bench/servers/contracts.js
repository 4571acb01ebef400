// No server: checks an app of some size, once, in a process that has done
// nothing before, as a command does.
import { rmSync } from 'node:fs'
import Fastify from 'fastify'
import chirp from 'fastify-chirp'
import { answer } from '../lib/answer.js'
import { addRoutes, writePages } from '../lib/pages.js'

async function check ({ count }) {
  const { folder, views, sources } = writePages(count)
  try {
    const app = Fastify()
    await app.register(chirp, { templates: views, debug: false })
    addRoutes(app, count)
    await app.ready()
    const from = { cpu: process.cpuUsage(), at: performance.now() }
    const { issues } = await app.checkContracts({ sources: [sources] })
    const { user, system } = process.cpuUsage(from.cpu)
    const ms = performance.now() - from.at
    await app.close()
    return { cpu: (user + system) / 1000, ms, findings: issues.filter(({ severity }) => severity !== 'info').length }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

answer({ check }, {})
