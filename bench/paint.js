// First paint and parts in Chromium: a page of six slow values in parts, against
// waiting for all, against `hx-trigger="load"` for each, against six requests of
// a script in the head, and against the bare shell. Then what a page costs the
// server (bench/servers/paint.js). `npm run bench:paint`; `--paint` and `--cost` do one of them.
import { readFileSync } from 'node:fs'
import http from 'node:http'
import { fileURLToPath } from 'node:url'
import { setTimeout } from 'node:timers/promises'
import Fastify from 'fastify'
import nunjucks from 'nunjucks'
import chirp, { defer } from 'fastify-chirp'
import { launch } from '../test/browser/browser.js'
import { stopAll } from './lib/child.js'
import { startServer } from './lib/processes.js'

const DELAYS = [50, 200, 500, 1000, 1500, 2000]
const ROUNDS = 11
const COST = { clients: 4, pages: 40, warm: 2000, rounds: 100 }
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
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { app, url: `http://127.0.0.1:${app.server.address().port}` }
}

const median = values => values.toSorted((a, b) => a - b)[values.length >> 1]

// One page after the other in each round, so that all of them see the same load of the machine.
async function paint (browser, urls, rounds = ROUNDS) {
  const results = urls.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [n, url] of urls.entries()) results[n].push(await load(browser, url))
  }
  return results.map(summary)
}

async function load (browser, url) {
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
  // The last value may be there before it is painted.
  await tab.waitForFunction(names => performance.getEntriesByName('first-contentful-paint').length > 0 && names.every(name => window.times[name]), names)
  const result = await tab.evaluate(names => ({
    first: performance.getEntriesByName('first-contentful-paint')[0].startTime,
    parts: names.map(name => window.times[name]),
    bytes: [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].filter(({ name }) => !/\.js/.test(name)).reduce((sum, { transferSize }) => sum + transferSize, 0)
  }), names)
  await context.close()
  return { ...result, requests }
}

function summary (results) {
  const firsts = results.map(({ first }) => first)
  return {
    first: Math.round(median(firsts)),
    best: Math.round(Math.min(...firsts)),
    parts: names.map((_, n) => Math.round(median(results.map(({ parts }) => parts[n])))).join(' '),
    bytes: median(results.map(({ bytes }) => bytes)),
    requests: results[0].requests
  }
}

// CPU time of the server for one page, the least of many short rounds: other work on the machine makes a round longer,
// and none shorter. Pages take turns, over sockets of another process.
async function cost () {
  const server = await startServer('paint')
  const agent = new http.Agent({ keepAlive: true, maxSockets: COST.clients })
  const get = path => new Promise((resolve, reject) => {
    http.get({ port: server.info.port, path, agent }, answer => answer.resume().on('end', resolve)).on('error', reject)
  })
  const getMany = (path, count) => Promise.all(Array.from({ length: COST.clients }, async () => {
    for (let n = 0; n < count / COST.clients; n++) await get(path)
  }))
  const measure = async path => {
    const before = await server.ask('cpu')
    await getMany(path, COST.pages)
    const { user, system } = await server.ask('cpu')
    return (user + system - before.user - before.system) / COST.pages
  }
  const kinds = ['texts', 'tables'].flatMap(view => ['there', 'once', 'apart'].map(when => `${view}/${when}`))
  const paths = kinds.flatMap(kind => [`/${kind}/page`, `/${kind}/parts`])
  const least = new Map(paths.map(path => [path, Infinity]))
  for (const path of paths) await getMany(path, COST.warm)
  for (let round = 0; round < COST.rounds; round++) for (const path of paths) least.set(path, Math.min(least.get(path), await measure(path)))
  for (const kind of kinds) {
    const [whole, parts] = ['page', 'parts'].map(form => least.get(`/${kind}/${form}`))
    console.log(`${kind.padEnd(13)} ${whole.toFixed(0)} us of CPU when all is awaited, ${parts.toFixed(0)} us deferred: ${(parts / whole).toFixed(2)}x`)
  }
  agent.destroy()
  await stopAll()
}

if (!process.argv.includes('--cost')) {
  const { app, url } = await startApp()
  const browser = await launch()
  // The first page of a browser is slower.
  await paint(browser, [`${url}/shell`, `${url}/parts`], 2)
  const pages = ['shell', 'parts', 'all', 'lazy', 'fetches']
  for (const [n, result] of (await paint(browser, pages.map(name => `${url}/${name}`))).entries()) console.log(pages[n].padEnd(7), result)
  await browser.close()
  await app.close()
}
if (!process.argv.includes('--paint')) await cost()
