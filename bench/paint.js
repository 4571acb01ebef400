// First paint and parts in Chromium: a page of six slow values in parts, against
// waiting for all, against `hx-trigger="load"` for each, against six requests of
// a script in the head, and against the bare shell. Then what a page costs the
// server. `npm run bench:paint`
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setTimeout } from 'node:timers/promises'
import Fastify from 'fastify'
import nunjucks from 'nunjucks'
import chirp, { defer } from 'fastify-chirp'
import { launch } from '../test/browser/browser.js'

const DELAYS = [50, 200, 500, 1000, 1500, 2000]
const ROUNDS = 5
const text = 'Lorem ipsum dolor sit amet. '.repeat(20)

const names = DELAYS.map((_, n) => `v${n}`)
const block = name => `<section id="${name}">{% block ${name} %}{% if ${name} is pending %}<p class="skeleton">...</p>{% else %}<p class="there">{{ ${name} }}</p>{% endif %}{% endblock %}</section>`
const lazy = name => `<section id="${name}" hx-get="/part/${name}" hx-trigger="load"><p class="skeleton">...</p></section>`
const page = (body, head = '<script src="/htmx.js"></script>{{ chirp_client() }}') => `<!doctype html><html><head><meta charset="utf-8"><link rel="icon" href="data:,"><title>Paint</title>${head}</head>
<body><h1>Paint</h1>${`<p>${text}</p>`.repeat(5)}${body}</body></html>`
const VIEWS = {
  'parts.html': page(names.map(block).join('')),
  'lazy.html': page(names.map(lazy).join('')),
  // As early as can be, and without a library.
  'fetches.html': page(names.map(name => `<section id="${name}"><p class="skeleton">...</p></section>`).join(''), `<script>
    const loaded = new Promise(resolve => addEventListener('DOMContentLoaded', resolve))
    for (const name of ${JSON.stringify(names)}) fetch('/part/' + name).then(answer => answer.text()).then(async html => { await loaded; document.getElementById(name).innerHTML = html })
  </script>`),
  'shell.html': page(names.map(name => `<section id="${name}"><p class="there">...</p></section>`).join('')),
  'part.html': '{% block part %}<p class="there">{{ value }}</p>{% endblock %}'
}

async function startApp () {
  const env = new nunjucks.Environment({ getSource: name => ({ src: VIEWS[name], path: name, noCache: false }) }, { autoescape: true })
  const app = Fastify({ forceCloseConnections: true })
  await app.register(chirp, { templates: env, debug: false })
  const htmx = readFileSync(fileURLToPath(import.meta.resolve('htmx.org/dist/htmx.min.js')))
  app.get('/htmx.js', (request, reply) => reply.type('text/javascript').send(htmx))
  const load = n => setTimeout(DELAYS[n], `${text}${n}`)
  app.get('/shell', (request, reply) => reply.page('shell.html'))
  app.get('/parts', (request, reply) => reply.page('parts.html', Object.fromEntries(names.map((name, n) => [name, defer(() => load(n))]))))
  app.get('/all', async (request, reply) => {
    const values = await Promise.all(names.map((_, n) => load(n)))
    return reply.page('parts.html', Object.fromEntries(names.map((name, n) => [name, values[n]])))
  })
  app.get('/lazy', (request, reply) => reply.page('lazy.html'))
  app.get('/fetches', (request, reply) => reply.page('fetches.html'))
  app.get('/part/:name', async (request, reply) => reply.fragment('part.html', 'part', { value: await load(Number(request.params.name.slice(1))) }))
  // For the cost of the server: nothing takes any time, but comes later.
  app.get('/cost/parts', (request, reply) => reply.page('parts.html', Object.fromEntries(names.map((name, n) => [name, defer(() => new Promise(resolve => setImmediate(resolve, text)))]))))
  app.get('/cost/page', async (request, reply) => {
    const values = await Promise.all(names.map(() => new Promise(resolve => setImmediate(resolve, text))))
    return reply.page('parts.html', Object.fromEntries(names.map((name, n) => [name, values[n]])))
  })
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, url: `http://127.0.0.1:${app.server.address().port}` }
}

const median = values => values.toSorted((a, b) => a - b)[values.length >> 1]

async function paint (browser, url) {
  const results = []
  for (let round = 0; round < ROUNDS; round++) {
    const context = await browser.newContext()
    const tab = await context.newPage()
    let requests = 0
    tab.on('request', () => { requests++ })
    await tab.addInitScript(names => {
      window.times = {}
      new window.MutationObserver(() => {
        for (const name of names) if (!window.times[name] && document.querySelector(`#${name} > .there`)) window.times[name] = performance.now()
      }).observe(document, { childList: true, subtree: true })
    }, names)
    await tab.goto(url)
    await tab.waitForFunction(names => names.every(name => window.times[name]), names)
    results.push(await tab.evaluate(names => ({
      first: performance.getEntriesByName('first-contentful-paint')[0].startTime,
      parts: names.map(name => window.times[name]),
      bytes: [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].filter(({ name }) => !/\.js/.test(name)).reduce((sum, { transferSize }) => sum + transferSize, 0)
    }), names).then(result => ({ ...result, requests })))
    await context.close()
  }
  return {
    first: Math.round(median(results.map(({ first }) => first))),
    parts: names.map((_, n) => Math.round(median(results.map(({ parts }) => parts[n])))).join(' '),
    bytes: median(results.map(({ bytes }) => bytes)),
    requests: results[0].requests
  }
}

async function cost (app, path) {
  const run = async count => { for (let n = 0; n < count; n++) await app.inject(path) }
  await run(500)
  const times = []
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.cpuUsage()
    await run(500)
    const { user, system } = process.cpuUsage(before)
    times.push((user + system) / 500)
  }
  return Math.round(median(times))
}

const { app, url } = await startApp()
if (!process.argv.includes('--cost')) {
  const browser = await launch()
  // The first page of a browser is slower.
  await paint(browser, `${url}/shell`)
  for (const name of ['shell', 'parts', 'all', 'lazy', 'fetches']) console.log(name.padEnd(7), await paint(browser, `${url}/${name}`))
  await browser.close()
}
const [whole, parts] = [await cost(app, '/cost/page'), await cost(app, '/cost/parts')]
console.log(`server: ${whole} us of CPU for a page that awaits all, ${parts} us in parts: ${(parts / whole).toFixed(2)}x`)
await app.close()
