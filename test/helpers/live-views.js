// What tests of live views share: an app with tickets in memory, and pages that do what a browser does with events.
import { TestClient } from './client.js'
import { buildApp } from './app.js'
import { addressIn, views } from './live.js'

export const TICKET = `
<main {{ sse_connect() }}>
<h1 {{ sse_swap("header") }}>{% block header %}{{ ticket.title }} {{ clock }}{% endblock %}</h1>
<ul {{ sse_swap("comments") }}>{% block comments %}{% for comment in comments %}<li>{{ comment.text }}</li>{% endfor %}{% endblock %}</ul>
<b {{ sse_swap("total") }}>{% block total %}{{ ticket.total }} {{ ticket.name | ticketFilter }}{% endblock %}</b>
</main>`

/** An app with one live view of tickets; `calls` has the arguments of each `context()`. */
export async function buildTickets (t, { view: options = {}, template = TICKET, context, route = true, ...plugin } = {}) {
  const env = views({ 'ticket.html': template })
  env.addFilter('ticketFilter', value => value)
  const app = await buildApp(t, { templates: env, ...plugin })
  const tickets = new Map([['7', { title: 'Seven', total: 1, comments: ['a'] }]])
  const calls = []
  const view = app.liveView('ticket', {
    template: 'ticket.html',
    context: async (id, given) => {
      calls.push([id, given])
      const ticket = tickets.get(id)
      if (context !== undefined) return context(id, given, ticket)
      return contextOf(ticket, given)
    },
    delay: 0,
    ...options
  })
  if (route) app.get('/tickets/:id', { live: true }, (request, reply) => reply.live(view, request.params.id))
  return { app, env, view, tickets, calls }
}

export function contextOf (ticket, { viewer } = {}) {
  if (ticket === undefined) return null
  const { title, total, comments } = ticket
  return { ticket: { title, total, name: '' }, comments: comments.map(text => ({ text })), clock: '', viewer }
}

/** A page in a browser, as far as live views go: what is in each of its places, and the cursor. */
export class Page {
  parts = new Map()
  events = []
  cursor = ''

  constructor (app, path, headers = {}) {
    this.app = app
    this.path = path
    this.headers = headers
  }

  static async load (app, path, headers) {
    const page = new Page(app, path, headers)
    await page.load()
    return page
  }

  async load () {
    const response = await this.app.inject({ url: this.path, headers: { accept: 'text/html', ...this.headers } })
    this.status = response.statusCode
    this.body = response.body
    this.parts = partsOf(response.body)
    if (this.status === 200) {
      this.address = addressIn(response.body)
      this.cursor = new URL(this.address, 'http://page').searchParams.get('lastEventId')
    }
    return this
  }

  /** Opens its stream; from then on the page follows. */
  async connect ({ cursor = this.cursor, address = this.address } = {}) {
    const url = new URL(address, 'http://page')
    url.searchParams.set('lastEventId', cursor)
    this.stream = await new TestClient(this.app).open(url.pathname + url.search, { headers: { accept: 'text/event-stream', ...this.headers } })
    return this
  }

  /** The next event, which is put into its place. */
  async next (timeout) {
    const event = await this.stream.next(timeout)
    if (event === undefined) return undefined
    this.events.push(event)
    if (event.id !== undefined) this.cursor = event.id
    if (event.event !== undefined && !event.event.startsWith('chirp:')) this.parts.set(event.event, event.data)
    return event
  }

  async take (count) {
    const names = []
    while (names.length < count) names.push((await this.next())?.event)
    return names
  }

  async close () {
    await this.stream?.close()
  }
}

/** What is in the places of a page, by their names. */
export function partsOf (html) {
  return new Map([...html.matchAll(/<(\w+) id="(\w+)"[^>]*>([^]*?)<\/\1>/g)].map(([, , id, inner]) => [id, inner.trim()]))
}

/** An outlet of an app's own, with the least that one needs, which keeps what it is sent. */
export function createOutlet (methods = {}) {
  const outlet = {
    sent: [],
    isBlocked: false,
    dialect: { name: 'test', encode: ({ target, id }) => `${target} ${id}\n` },
    share: ({ text }) => { outlet.sent.push(text) },
    send: text => { outlet.sent.push(text) },
    flush () {},
    whenDrained: () => new Promise(resolve => { outlet.drain = resolve }),
    ended () { outlet.isEnded = true },
    failed (error) { outlet.error = error },
    failedLate (error) { outlet.error = error },
    ...methods
  }
  return outlet
}
