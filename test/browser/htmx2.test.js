// htmx 2.0.11 with its extension for Server-Sent Events, in Chromium.
import t from 'tap'
import { Fragment, Fragments, SSEEvent } from 'fastify-chirp'
import { launch, until } from './browser.js'
import { addCommonCases } from './cases.js'
import { left, opener, startPages } from './pages.js'

const browser = await launch()
t.teardown(() => browser.close())

addCommonCases(t, browser, 'htmx2')

const text = (text, options) => new Fragment('parts.html', 'text', { text }, options)

t.test('one element takes events of several names, and a named event triggers a request', async t => {
  const { app, url } = await startPages(t, 'htmx2', {
    page: '<div {{ sse_connect("/live") }}><p id="both" sse-swap="one, two"></p><p id="told" hx-get="/told" hx-trigger="sse:orders"></p></div>'
  }, {
    routes (app) {
      app.get('/told', (request, reply) => reply.type('text/html').send('told'))
      app.get('/live', (request, reply) => reply.eventStream(app.channel('all')))
    }
  })
  const page = await opener(t, browser)(`${url}/page`)
  await until(() => app.eventStreams.open === 1, 'it is connected')
  for (const target of ['one', 'two']) {
    app.channel('all').publish(text(target, { target }))
    await page.locator('#both', { hasText: target }).waitFor()
  }
  app.channel('all').publish(new SSEEvent({ event: 'orders' }))
  await page.locator('#told', { hasText: 'told' }).waitFor()
})

t.test('what only has parts for elsewhere empties its own element; fragments in a message do not', async t => {
  const { app, url } = await startPages(t, 'htmx2', {
    page: '<div {{ sse_connect("/live") }}><p id="main" sse-swap="message">mine</p><p id="none" sse-swap="message" hx-swap="none">mine</p></div><b id="other"></b>'
  }, { routes: app => app.get('/live', (request, reply) => reply.eventStream(app.channel('all'))) })
  const page = await opener(t, browser)(`${url}/page`)
  await until(() => app.eventStreams.open === 1, 'it is connected')
  app.channel('all').publish(new Fragments([text('message', { target: 'other' })]))
  await page.locator('#other', { hasText: 'message' }).waitFor()
  t.equal(await page.locator('#main').textContent(), 'mine')
  app.channel('all').publish('<b id="other" hx-swap-oob="true">oob</b>')
  await page.locator('#other', { hasText: 'oob' }).waitFor()
  t.equal(await page.locator('#main').textContent(), '')
  t.equal(await page.locator('#none').textContent(), 'mine')
})

t.test('a form that is answered by a stream shows its text when it ends', async t => {
  const { url } = await startPages(t, 'htmx2', { page: '<form hx-post="/ask" hx-target="#answer"><button>Ask</button></form><p id="answer"></p>' }, {
    routes: app => app.post('/ask', (request, reply) => reply.eventStream(['word']))
  })
  const page = await opener(t, browser)(`${url}/page`)
  await page.locator('button').click()
  await page.locator('#answer', { hasText: 'data: word' }).waitFor()
})

t.test('a message for an element that is not there says so in the console, and does the rest', async t => {
  const { url } = await startPages(t, 'htmx2', {
    page: '<div {{ sse_connect("/live") }} {{ sse_swap("message") }}><p id="here">-</p></div>'
  }, {
    routes: app => app.get('/live', (request, reply) => reply.eventStream(async function * ({ signal }) {
      yield new Fragments([text('lost', { target: 'nowhere' }), text('found', { target: 'here', swap: 'innerMorph' })])
      await left(signal)
    }))
  })
  const context = await browser.newContext()
  t.teardown(() => context.close())
  const page = await context.newPage()
  const errors = []
  page.on('console', message => { if (message.type() === 'error') errors.push(message.text()) })
  await page.goto(`${url}/page`)
  await page.locator('#here', { hasText: 'found' }).waitFor()
  t.match(errors, [/^htmx:partialErrorNoTarget/])
})

t.test('an element that replaces itself keeps up with many events at once when it settles at once', async t => {
  const element = n => `<p id="self" sse-swap="self" hx-swap="outerHTML settle:0ms">${n}</p>`
  const { url } = await startPages(t, 'htmx2', { page: `<div {{ sse_connect("/live") }}>${element(0)}</div>` }, {
    routes: app => app.get('/live', (request, reply) => reply.eventStream(async function * ({ signal }) {
      for (const n of [1, 2, 3]) yield new SSEEvent({ event: 'self', data: element(n) })
      await left(signal)
    }))
  })
  const page = await opener(t, browser)(`${url}/page`)
  await page.locator('#self', { hasText: '3' }).waitFor()
})
