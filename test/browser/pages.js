// Pages of either htmx, on an app with the plugin, and a network that can be
// made to behave badly.
import net from 'node:net'
import formbody from '@fastify/formbody'
import nunjucks from 'nunjucks'
import { buildApp, certificate, listen } from '../helpers/app.js'
import { failOverErrors } from './console.js'
import { serveScripts } from './scripts.js'

const SCRIPTS = {
  htmx2: ['htmx.org/dist/htmx.min.js', 'htmx-ext-sse/dist/sse.min.js'],
  htmx4: ['htmx4/dist/htmx.min.js', 'htmx4/dist/ext/hx-sse.js']
}

const LAYOUT = `<!doctype html>
<meta charset="utf-8">
<link rel="icon" href="data:,">
{% for script in scripts %}<script src="/{{ script }}"></script>
{% endfor %}{% block body %}{% endblock %}`

const PARTS = `{% block item %}<li>{{ text }}</li>{% endblock %}
{% block row %}<tr><td>{{ text }}</td></tr>{% endblock %}
{% block text %}{{ text }}{% endblock %}`

/**
 * An app with pages for a browser: `pages` are bodies by name, which are served
 * at `/NAME` for `dialect`, or for the one that `?page=` names. The blocks of
 * `parts.html`, and of each page, can be sent as fragments.
 */
export async function startPages (t, dialect, pages, { secure = false, port = 0, routes = () => {}, ...options } = {}) {
  const views = { 'layout.html': LAYOUT, 'parts.html': PARTS }
  for (const [name, body] of Object.entries(pages)) views[`${name}.html`] = `{% extends "layout.html" %}{% block body %}${body}{% endblock %}`
  const loader = { getSource: name => views[name] === undefined ? null : { src: views[name], path: name, noCache: false } }
  const templates = new nunjucks.Environment(loader, { autoescape: true, throwOnUndefined: true })
  const app = await buildApp(t, { templates, retry: 50, ...options }, secure ? { http2: true, https: certificate() } : {})
  await app.register(formbody)
  serveScripts(app, Object.fromEntries(Object.values(SCRIPTS).flat().map(file => [`/${file}`, file])))
  for (const name of Object.keys(pages)) {
    app.get(`/${name}`, (request, reply) => {
      const shown = request.query.page ?? dialect
      return reply.page(`${name}.html`, { dialect: request.query.attributes ?? shown, scripts: SCRIPTS[shown], lastEventId: '' })
    })
  }
  routes(app)
  if (port === 0) await listen(app)
  else await app.listen({ port, host: '127.0.0.1' })
  return { app, port: app.server.address().port, url: `${secure ? 'https' : 'http'}://127.0.0.1:${app.server.address().port}` }
}

/** A function that opens tabs, and fails the test over an error in a console that is not `expected`. */
export function opener (t, browser) {
  return async function open (url, { context, expected = /^$/ } = {}) {
    if (context === undefined) {
      context = await browser.newContext({ ignoreHTTPSErrors: true })
      t.teardown(() => context.close())
    }
    const page = await context.newPage()
    await failOverErrors(t, page, expected)
    await page.goto(url)
    return page
  }
}

/**
 * A way to a server over which bytes can be lost or held back. `cutAfter` is
 * where the connection that carries it breaks, once; until `holdUntil` has
 * come, nothing of that connection passes.
 */
export async function startProxy (t, port, { cutAfter, holdUntil } = {}) {
  const sockets = new Set()
  const server = net.createServer(client => {
    const upstream = net.connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => { sockets.delete(socket); client.destroy(); upstream.destroy() })
    }
    client.pipe(upstream)
    let held = ''
    upstream.setEncoding('latin1').on('data', text => {
      held += text
      if (holdUntil !== undefined && /content-type: text\/event-stream/i.test(held) && !held.includes(holdUntil)) return
      const cut = cutAfter === undefined ? -1 : held.indexOf(cutAfter)
      if (cut === -1) {
        client.write(held, 'latin1')
        held = ''
      } else {
        client.end(held.slice(0, cut + cutAfter.length), 'latin1')
        upstream.destroy()
        cutAfter = undefined
      }
    })
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `http://127.0.0.1:${server.address().port}`
}

/** Keeps a stream open until its client leaves. */
export const left = signal => new Promise(resolve => {
  if (signal.aborted) resolve()
  else signal.addEventListener('abort', () => resolve())
})
