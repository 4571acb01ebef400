// Runs one hostile case: an app in a folder, whose contracts are checked.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Fastify from 'fastify'
import chirp from 'fastify-chirp'
import { cases, js } from './hostile-cases.js'

/** The findings of a case, each as `category name`. */
export async function run (title, folder) {
  const { template = '', more = {}, source = js(''), routes = [] } = cases[title]()
  mkdirSync(join(folder, 'views'))
  mkdirSync(join(folder, 'source'))
  const templates = { 'page.html': template, 'other.html': '<html><a href="/dead"></a></html>', ...more }
  for (const [name, text] of Object.entries(templates)) writeFileSync(join(folder, 'views', name), text)
  writeFileSync(join(folder, 'source/app.js'), source)
  const app = Fastify({ logger: false })
  await app.register(chirp, { templates: join(folder, 'views') })
  for (const route of routes) {
    const [method, url, events] = route.split(' ')
    app.route({ method, url, exposeHeadRoute: false, handler: (request, reply) => reply.send(''), ...(events && { events: events.slice('events='.length).split(',') }) })
  }
  const { issues } = await app.checkContracts({ sources: [join(folder, 'source')] })
  await app.close()
  return issues.map(({ category, template, file }) => `${category} ${file?.endsWith('app.js') ? 'app.js' : template ?? ''}`)
}
