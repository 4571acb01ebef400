// A process that checks hostile cases one after the other, as they are asked for.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Fastify from 'fastify'
import chirp from 'fastify-chirp'
import { cases, js } from './hostile-cases.js'

/** The findings of a case, each as `category name`. */
async function run (title, folder) {
  const { template = '', more = {}, source = js(''), routes = [] } = cases[title]()
  const templates = { 'page.html': template, 'other.html': '<html><a href="/dead"></a></html>', ...more }
  mkdirSync(join(folder, 'views'), { recursive: true })
  mkdirSync(join(folder, 'source'))
  for (const [name, text] of Object.entries(templates)) writeFileSync(join(folder, 'views', name), text)
  writeFileSync(join(folder, 'source/app.js'), source)
  const app = Fastify({ logger: false })
  await app.register(chirp, { templates: join(folder, 'views'), debug: false })
  for (const route of routes) {
    const [method, url, events] = route.split(' ')
    app.route({ method, url, exposeHeadRoute: false, handler: (request, reply) => reply.send(''), ...(events && { events: events.slice('events='.length).split(',') }) })
  }
  const { issues } = await app.checkContracts({ sources: [join(folder, 'source')] })
  await app.close()
  return [...new Set(issues.map(({ category, template, file }) => `${category} ${file?.endsWith('app.js') ? 'app.js' : template ?? ''}`.trim()))]
}

process.on('message', async ({ title, folder }) => {
  try {
    process.send({ found: await run(title, folder) })
  } catch (error) {
    process.send({ error: String(error.stack) })
  }
})
