// An app of any size for the checker: as many templates of some 2 kB as routes,
// and the source that goes with them. A page has the layout, two partials,
// links to other pages and a form; every fifth has a stream.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const LAYOUT = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{% block title %}{% endblock %}</title><link rel="stylesheet" href="/assets/app.css"></head>
<body>
{% include "partials/nav.html" %}
<main id="main">{% block main %}{% endblock %}</main>
</body>
</html>
`
const NAV = '<nav>{% for item in items %}<a href="{{ item.url }}">{{ item.text }}</a>{% endfor %}<a href="/page-0/1">First</a></nav>\n'
const ROW = '<tr id="row-{{ row.id }}"><td>{{ row.name }}</td><td>{% if row.url %}<a href="/page-0/{{ row.id }}">more</a>{% endif %}</td></tr>\n'

const isLive = n => n % 5 === 4
const stream = n => `<div hx-ext="sse" sse-connect="/live-${n}/{{ id }}?lastEventId={{ cursor }}" hx-target="this">
  <p sse-swap="status-${n}">{% block status %}<b>{{ status }}</b>{% endblock %}</p>
</div>`

const page = (n, count) => `{% extends "layout.html" %}
{% block title %}Page ${n}{% endblock %}
{% block main %}
${isLive(n) ? stream(n) : ''}
<table>{% for row in rows %}{% include "partials/row.html" %}{% endfor %}</table>
<div id="result-${n}"></div>
<form action="/save/${n}" method="post" hx-post="/save/${n}" hx-target="#result-${n}">
${'  <label>Name <input name="name" value="{{ name }}"></label>\n'.repeat(8)}  <button>Save</button>
</form>
<p>${'Some text of the page, with <em>words</em> and {{ values }} in it. '.repeat(10)}</p>
${Array.from({ length: 5 }, (_, i) => `<a href="/page-${(n + i) % count}/{{ id }}" class="{% if active %}on{% endif %}">Page</a>`).join('\n')}
{% endblock %}
`

const source = n => `import { Fragment } from 'fastify-chirp'

export async function page${n} (app) {
  app.get('/page-${n}/:id', (request, reply) => reply.page('page-${n}.html', { id: request.params.id }, { block: 'main' }))
  const fragment = () => new Fragment('page-${n}.html', 'main', {}, { target: 'result-${n}' })
}
`

/** Writes `count` pages; gives the folders of templates and of source. */
export function writePages (count) {
  const folder = mkdtempSync(join(tmpdir(), 'chirp-pages-'))
  const views = join(folder, 'views')
  const sources = join(folder, 'routes')
  for (const path of [sources, join(views, 'partials')]) mkdirSync(path, { recursive: true })
  writeFileSync(join(views, 'layout.html'), LAYOUT)
  writeFileSync(join(views, 'partials/nav.html'), NAV)
  writeFileSync(join(views, 'partials/row.html'), ROW)
  for (let n = 0; n < count; n++) {
    writeFileSync(join(views, `page-${n}.html`), page(n, count))
    writeFileSync(join(sources, `page-${n}.js`), source(n))
  }
  return { folder, views, sources }
}

/** The routes of the pages, in a real app. */
export function addRoutes (app, count) {
  const show = (request, reply) => reply.page('page-0.html', { id: request.params.id })
  app.get('/assets/*', show)
  app.post('/save/:page', show)
  for (let n = 0; n < count; n++) {
    app.get(`/page-${n}/:id`, show)
    if (isLive(n)) app.get(`/live-${n}/:id`, { referenced: true, events: [`status-${n}`] }, (request, reply) => reply.eventStream([]))
  }
}
