// The checker on pages that have their stream at their own address.
import { mkdirSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { buildApp } from '../helpers/app.js'

const LAYOUT = '<!doctype html><html><head><script src="/htmx.min.js"></script></head><body>{% block main %}{% endblock %}</body></html>'
const LIST = '{% extends "layout.html" %}{% block main %}<ol {{ sse_connect() }} {{ sse_swap("news") }} hx-swap="beforeend">{% for item in items %}{% block item %}<li>{{ item }}</li>{% endblock %}{% endfor %}</ol>{% endblock %}'

/** What the checker says of an app with these templates and routes. */
async function check (t, templates, routes) {
  const folder = t.testdir()
  mkdirSync(`${folder}/views`)
  for (const [name, text] of Object.entries({ 'layout.html': LAYOUT, ...templates })) writeFileSync(`${folder}/views/${name}`, text)
  const app = await buildApp(t, { templates: `${folder}/views` })
  app.get('/htmx.min.js', (request, reply) => reply.send(''))
  const news = app.channel('news')
  routes(app, news)
  const { issues } = await app.checkContracts({ sources: [] })
  // What a template is rendered by is in the source, of which there is none.
  return issues.filter(({ category, route = '' }) => category !== 'dead-template' && !route.includes('htmx.min.js')).map(({ category, severity, route }) => [category, severity, route])
}

t.test('a live page is no stream that nobody opens, no orphan, and connects to itself', async t => {
  for (const options of [{ live: true }, { live: true, events: ['news'] }, {}]) {
    t.same(await check(t, { 'news.html': LIST }, (app, news) => {
      app.get('/news', options, (request, reply) => reply.page('news.html', () => ({ items: [] }), { live: news }))
      app.get('/short', options, (request, reply) => {
        const live = news
        return reply.page('news.html', () => ({ items: [] }), { live })
      })
    }), [])
  }
})

t.test('others may connect to it, and a page that is none stays none', async t => {
  const other = '{% extends "layout.html" %}{% block main %}<p hx-ext="sse" sse-connect="/news" sse-swap="news"></p>{% endblock %}'
  t.same(await check(t, { 'other.html': other }, (app, news) => {
    app.get('/news', (request, reply) => reply.page('news.html', {}, { live: news }))
  }), [])
  const options = { live: undefined }
  t.same(await check(t, { 'other.html': other }, (app, news) => {
    app.get('/news', (request, reply) => reply.page('news.html', {}, { ...options }))
  }), [['orphan', 'info', undefined]].slice(1), 'nobody knows')
  t.same(await check(t, { 'other.html': other }, (app, news) => {
    app.get('/news', (request, reply) => reply.page('news.html', {}, { block: 'a' }))
  }), [['not-a-stream', 'error', 'GET /news']])
})
