// What tests of live pages share: templates in memory, and the way from a page to its stream.
import nunjucks from 'nunjucks'
import { TestClient } from 'fastify-chirp/testing'
import { memoryLoader } from './renderer.js'

export const PAGE = '<ol {{ sse_connect() }}>{% for item in items %}{% block item %}<li>{{ item }}</li>{% endblock %}{% endfor %}</ol>'

/** An environment of templates by name, whose filter `later` answers when it is told to by `env.answer()`. */
export function views (templates) {
  const env = new nunjucks.Environment(memoryLoader(templates), { autoescape: true, throwOnUndefined: true })
  env.waiting = []
  env.addFilter('later', (value, callback) => { env.waiting.push(() => callback(null, value)) }, true)
  env.answer = () => { for (const answer of env.waiting.splice(0)) answer() }
  return env
}

/** The address that a page connects to. */
export function addressIn (html) {
  const [, escaped] = /(?:sse-connect|hx-sse:connect)="([^"]*)"/.exec(html)
  return escaped.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'")
}

export const itemsIn = html => [...html.matchAll(/<li>(.*?)<\/li>/g)].map(([, item]) => item)

/** Loads a page; `connect()` opens its stream, and `follow(count)` gives the data of its first events. */
export async function load (app, path, headers = {}) {
  const response = await app.inject({ url: path, headers: { accept: 'text/html', ...headers } })
  const html = response.body
  const connect = (options) => new TestClient(app).open(addressIn(html), { headers: { accept: 'text/event-stream' }, ...options })
  const follow = async count => {
    const stream = await connect()
    const events = []
    while (events.length < count) events.push(await stream.next())
    await stream.close()
    return events.map(({ event, data }) => event ?? data)
  }
  return { response, html, connect, follow }
}
