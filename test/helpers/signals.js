// What tests of signals share: an app with templates in memory, and streams as a page sees them.
import { TestClient } from './client.js'
import { buildApp } from './app.js'
import { addressIn, views } from './live.js'

export const PAGE = '<main {{ sse_connect() }}>{{ signal("a") }}{% block item %}<i>{{ value }}</i>{% endblock %}</main>'
const LATER = '{% block later %}<u>{{ value | later }}</u>{% endblock %}'

/** An app with `page.html` and a route `/` of all signals, or those of `feed`. A block of `later.html` is there when `env.answer()` says so. */
export async function buildSignals (t, { page = PAGE, templates = {}, feed, declare = () => {}, ...options } = {}) {
  const env = views({ 'page.html': page, 'later.html': LATER, ...templates })
  const app = await buildApp(t, { templates: env, ...options })
  await declare(app)
  app.get('/', { live: true }, (request, reply) => reply.page('page.html', { value: '' }, { live: app.signals(feed?.(request)) }))
  return { app, env, lines: () => app.log.lines.filter(({ level }) => level >= 40).map(({ msg, err }) => err === undefined ? msg : `${msg}: ${err.message}`) }
}

/** A stream of a page: `next()` gives `name=data` of the next value. */
export async function follow (app, { path = '/', ...options } = {}) {
  const { body } = await app.inject({ url: path, headers: { accept: 'text/html', ...options.headers } })
  const stream = await new TestClient(app).open(addressIn(body), { ...options, headers: { accept: 'text/event-stream', ...options.headers } })
  const next = async () => {
    const event = await stream.next()
    return event?.event === undefined ? event?.data : `${event.event.replace('signal:', '')}=${event.data}`
  }
  const take = async count => {
    const values = []
    while (values.length < count) values.push(await next())
    return values
  }
  return { body, stream, next, take, close: () => stream.close() }
}

/** What a page shows of signals, in the order of their places. */
export const shown = html => [...html.matchAll(/<span [^>]*data-signal="([^"]*)"[^>]*>([^]*?)<\/span>/g)].map(([, name, value]) => `${name}=${value}`)
