// A page of six deferred values, against the same page when all of them are awaited: short blocks of text, and
// tables of twenty rows. The values take no time, but are there later: in the next turn of the loop, or each
// in a turn of its own.
import Fastify from 'fastify'
import nunjucks from 'nunjucks'
import chirp, { defer } from 'fastify-chirp'
import { answer } from '../lib/answer.js'

const names = Array.from({ length: 6 }, (_, n) => `v${n}`)
const text = 'Lorem ipsum dolor sit amet. '.repeat(20)
const rows = Array.from({ length: 20 }, (_, n) => ({ kind: `k${n % 3}`, id: n, name: `Row <${n}>`, sum: n * 12.5 }))
const links = Array.from({ length: 40 }, (_, n) => ({ href: `/menu/${n}`, name: `Item & ${n}` }))

const blocks = shown => names.map(name => `<section id="${name}">{% block ${name} %}{% if ${name} is pending %}<p class="skeleton">...</p>{% else %}${shown.replaceAll('VALUE', name)}{% endif %}{% endblock %}</section>`).join('')
const page = body => `<!doctype html><html><head><meta charset="utf-8"><title>Paint</title>{{ chirp_client() }}</head><body><h1>Paint</h1>${body}</body></html>`
const VIEWS = {
  'texts.html': page(`<p>${text}</p>`.repeat(5) + blocks('<p>{{ VALUE }}</p>')),
  'tables.html': page('<ul>{% for link in links %}<li><a href="{{ link.href }}">{{ link.name }}</a></li>{% endfor %}</ul>' +
    blocks('<table>{% for row in VALUE %}<tr class="{{ row.kind }}"><td>{{ row.id }}</td><td>{{ row.name }}</td><td>{{ row.sum }}</td></tr>{% endfor %}</table>'))
}

const env = new nunjucks.Environment({ getSource: name => ({ src: VIEWS[name], path: name, noCache: false }) }, { autoescape: true })
const app = Fastify()
await app.register(chirp, { templates: env, debug: false })

// The number of turns that the value of each name takes.
const TURNS = { once: () => 1, apart: n => n + 1, there: () => 0 }
const later = async (turns, value) => {
  for (let turn = 0; turn < turns; turn++) await new Promise(resolve => setImmediate(resolve))
  return value
}

for (const [view, value] of [['texts', text], ['tables', rows]]) {
  for (const [when, turns] of Object.entries(TURNS)) {
    const load = n => later(turns(n), value)
    app.get(`/${view}/${when}/parts`, (request, reply) =>
      reply.page(`${view}.html`, { links, ...Object.fromEntries(names.map((name, n) => [name, defer(() => load(n))])) }))
    app.get(`/${view}/${when}/page`, async (request, reply) => {
      const values = await Promise.all(names.map((_, n) => load(n)))
      return reply.page(`${view}.html`, { links, ...Object.fromEntries(names.map((name, n) => [name, values[n]])) })
    })
  }
}
await app.listen({ port: 0, host: '127.0.0.1' })

answer({ cpu: () => process.cpuUsage() }, { port: app.server.address().port })
