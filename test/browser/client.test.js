// The client script and what else is on a page: other users of htmx, pages
// without it, and streams of every form.
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { SSEEvent } from 'fastify-chirp'
import { until } from './browser.js'
import { startBrowser } from './client.js'
import { startSite } from './site.js'
import { answerWith, connections, logOf, shows, state } from './tabs.js'

const openPage = await startBrowser(t)

t.test('htmx 2: what was replaced by an event hears the next one in the same packet', async t => {
  const site = await startSite(t)
  const page = await openPage(t, `${site.url}/?htmx=2`)
  await page.evaluate(() => {
    document.getElementById('news').outerHTML = '<p id="self" sse-swap="self" hx-swap="outerHTML">0</p>'
    window.htmx.process(document.getElementById('self'))
  })
  for (const number of [1, 2, 3]) site.news.publish(new SSEEvent({ event: 'self', data: `<p id="self" sse-swap="self" hx-swap="outerHTML">${number}</p>` }))
  await page.locator('#self', { hasText: '3' }).waitFor()
})

t.test('htmx 2: an address that changes is another stream', async t => {
  const site = await startSite(t)
  const page = await openPage(t, `${site.url}/?htmx=2`)
  await page.evaluate(() => {
    document.getElementById('live').setAttribute('sse-connect', '/other')
    window.htmx.process(document.body)
  })
  await until(() => site.requests.length === 2, 'it is asked for')
  await connections(site, 1)
  await site.add('one')
  await shows(page, ['one'])
  t.same(site.requests, ['/live', '/other'])
})

t.test('htmx 2: what others make and listen to is left alone', async t => {
  const site = await startSite(t)
  const page = await openPage(t, `${site.url}/?htmx=2`, {
    prepare: () => document.addEventListener('htmx:sseOpen', ({ detail: { source } }) => {
      source.addEventListener('tick', ({ data }) => { document.title = data })
    })
  })
  await site.news.publish(new SSEEvent({ event: 'tick', data: 'heard' }))
  await until(async () => await page.title() === 'heard', 'heard')
  t.ok(await page.evaluate(() => {
    const source = window.htmx.createEventSource('/live')
    const isNative = source instanceof window.EventSource
    source.close()
    return isNative
  }))
})

t.test('htmx 4: other requests of the element are its own', async t => {
  const site = await startSite(t)
  const page = await openPage(t, `${site.url}/?htmx=4&attributes=hx-get="/elsewhere" hx-trigger="load, other" hx-target="%23news"`)
  await page.locator('#live').evaluate(element => window.htmx.ajax('GET', '/elsewhere', { source: element, target: '#news', swap: 'innerHTML' }))
  await page.locator('p', { hasText: 'elsewhere' }).waitFor()
  await connections(site, 1)
})

t.test('a redirect to another page is the end from the start', async t => {
  const site = await startSite(t)
  answerWith(site, reply => reply.redirect('/elsewhere'))
  const page = await openPage(t, `${site.url}/?htmx=2`, { isOpen: false, prepare: () => document.addEventListener('chirp:refused', event => event.preventDefault()) })
  await state(page, 'closed')
  t.same(await logOf(page), ['disconnected live /live closed 200 /elsewhere', 'refused live /live 200 /elsewhere'])
})

t.test('a page without htmx is none of its business', async t => {
  const site = await startSite(t)
  const page = await openPage(t, `${site.url}/`, { isOpen: false })
  t.equal(await page.locator('[data-sse-state]').count(), 0)
  t.same(site.requests, [])
})

t.test('a stream is read as the standard says', async t => {
  const cases = JSON.parse(readFileSync(new URL('../fixtures/cases/parse-cases.json', import.meta.url), 'utf8'))
    // A CR at the very end waits for what follows.
    .filter(({ chunks }) => typeof chunks[0] === 'string' && !chunks.at(-1).endsWith('\r'))
  const seen = new Set()
  const setup = ({ app }) => app.get('/case/:number', async (request, reply) => {
    const { number } = request.params
    if (seen.has(number)) return reply.code(204).send()
    seen.add(number)
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const chunk of cases[number].chunks) {
      if (chunk !== '') reply.raw.write(Buffer.from(chunk, 'latin1'))
      await wait(2)
    }
    reply.raw.end()
  })
  const site = await startSite(t, { setup })
  const page = await openPage(t, `${site.url}/?htmx=2`)
  const results = await page.evaluate(count => Promise.all(Array.from({ length: count }, async (_, number) => {
    const main = document.createElement('main')
    main.setAttribute('hx-ext', 'sse')
    main.setAttribute('sse-connect', `/case/${number}`)
    const events = []
    main.addEventListener('htmx:sseOpen', ({ detail: { source } }) => {
      for (const name of ['message', 'e', 'greet']) {
        source.addEventListener(name, ({ type, data, lastEventId }) => {
          events.push({ data, ...(type !== 'message' && { event: type }), ...(lastEventId && { lastEventId }) })
        })
      }
    }, { once: true })
    const closed = new Promise(resolve => main.addEventListener('chirp:disconnected', ({ detail }) => { if (detail.reason === 'closed') resolve() }))
    document.body.append(main)
    window.htmx.process(main)
    await closed
    return events
  })), cases.length)
  for (const [number, { name, parsed }] of cases.entries()) t.same(results[number], parsed, name)
})
