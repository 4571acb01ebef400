// A site for the client script: pages of both generations of htmx over one
// channel, and a server that can fail in all ways that a stream meets.
import { fileURLToPath } from 'node:url'
import Fastify from 'fastify'
import chirp, { Fragment } from 'fastify-chirp'
import { serveScripts } from './scripts.js'

const views = fileURLToPath(new URL('../fixtures/client', import.meta.url))

export const SCRIPTS = {
  2: { '/htmx2.js': 'htmx.org/dist/htmx.min.js', '/sse2.js': 'htmx-ext-sse/dist/sse.min.js' },
  4: { '/htmx4.js': 'htmx4/dist/htmx.min.js', '/sse4.js': 'htmx4/dist/ext/hx-sse.min.js' }
}

/**
 * Starts the site, whose app can be added to by `setup(site)`.
 *
 * - `site.answer(request, reply)`: set it to answer streams with something else.
 * - `site.requests`: the addresses of the streams that were asked for.
 * - `site.parts`: how often `/part` was, which has the element alone.
 * - `site.page`: what the pages of the template are made with, over their query.
 */
export async function startSite (t, { port = 0, items = [], setup, ...options } = {}) {
  const app = Fastify({ forceCloseConnections: true })
  t.teardown(() => app.close())
  await app.register(chirp, { templates: views, debug: false, retry: 50, shutdownGrace: 0, ...options })
  const news = app.channel('news', { history: 100 })
  const site = { app, news, items, requests: [], parts: 0, answer: undefined, page: {} }

  /** A piece of news: in the list, and on the channel. Resolves to its id. */
  site.add = text => {
    items.push(text)
    return news.publish(new Fragment('page.html', 'item', { text }, { target: 'news', swap: 'beforeend' }))
  }
  /** The connection of every stream is cut. */
  site.kill = () => app.server.closeAllConnections()

  serveScripts(app, { ...SCRIPTS[2], ...SCRIPTS[4] })
  app.get('/', (request, reply) => {
    const { htmx, ...query } = request.query
    const scripts = [...Object.keys(SCRIPTS[htmx] ?? {}), ...(query.twice ? ['/_chirp/client.js', '/_chirp/client.js'] : [])]
    return reply.page('page.html', { title: 'Live', url: '/live', htmx: Number(htmx), scripts, script: true, items, ...query, ...site.page })
  })
  app.get('/part', (request, reply) => {
    site.parts++
    return reply.page('page.html', { items, htmx: 0, url: '/live' })
  })
  app.get('/elsewhere', (request, reply) => reply.type('text/html').send('<title>Elsewhere</title><p>elsewhere</p>'))
  app.get('/favicon.ico', (request, reply) => reply.code(204).send())
  const live = (request, reply) => {
    site.requests.push(request.url)
    return site.answer?.(request, reply) ?? reply.eventStream(news)
  }
  app.get('/live', { referenced: true }, live)
  app.get('/other', { referenced: true }, live)

  await setup?.(site)
  site.url = await app.listen({ port, host: '127.0.0.1' })
  site.port = app.server.address().port
  return site
}
