// htmx 4.0.1 with its extension for Server-Sent Events, in Chromium.
import t from 'tap'
import { Fragment, Fragments, SSEEvent } from 'fastify-chirp'
import { launch, until } from './browser.js'
import { addCommonCases } from './cases.js'
import { LOST } from './console.js'
import { left, opener, startPages } from './pages.js'

const browser = await launch()
t.teardown(() => browser.close())

addCommonCases(t, browser, 'htmx4')

const text = (text, options) => new Fragment('parts.html', 'text', { text }, options)
const item = (text, options) => new Fragment('parts.html', 'item', { text }, options)

/** Notes in the page why streams were closed. */
const noteEnds = page => page.evaluate(() => {
  globalThis.ends = []
  document.addEventListener('htmx:sse:close', event => globalThis.ends.push(event.detail.reason))
})

t.test('a form is answered by a stream, event by event, and only once', async t => {
  let mayEnd = false
  const { app, url } = await startPages(t, 'htmx4', {
    page: '<form hx-post="/ask" hx-target="#answer" hx-swap="beforeend"><input name="question" value="why?"><button>Ask</button></form><ol id="answer"></ol><p id="status"></p>'
  }, {
    routes: app => app.post('/ask', (request, reply) => reply.eventStream(async function * () {
      for (const word of ['you', 'asked', request.body.question]) yield item(word)
      yield text('answered', { target: 'status' })
      await until(() => mayEnd, 'it may end')
      yield new Fragments([item('end', { target: 'answer', swap: 'beforeend' }), text('done', { target: 'status' })])
    }, { closeEvent: 'done' }))
  })
  const page = await opener(t, browser)(`${url}/page`, { expected: LOST })
  await noteEnds(page)
  await page.locator('button').click()
  await page.locator('#status', { hasText: 'answered' }).waitFor()
  t.same(await page.locator('#answer > li').allTextContents(), ['you', 'asked', 'why?'], 'while it is open')
  mayEnd = true
  await page.locator('#status', { hasText: 'done' }).waitFor()
  await until(async () => (await page.evaluate(() => globalThis.ends)).length > 0, 'htmx is done with it')
  t.same(await page.evaluate(() => globalThis.ends), ['ended'])
  t.equal(app.eventStreams.total, 1, 'and does not ask again by itself')
  t.same(await page.locator('#answer > li').allTextContents(), ['you', 'asked', 'why?', 'end'])

  mayEnd = false
  await page.locator('button').click()
  await until(() => app.eventStreams.total === 2, 'one can ask again')
  await page.locator('button').click()
  app.server.closeAllConnections()
  await until(() => app.eventStreams.total === 3, 'a second submit waits for the end of the first, which is not repeated')
  mayEnd = true
  await until(async () => (await page.evaluate(() => globalThis.ends)).length === 3, 'htmx is done with all')
  t.equal(app.eventStreams.total, 3)
})

t.test('hx-sse:close ends a stream, also when its source goes on', async t => {
  let isNoted = false
  const { app, url } = await startPages(t, 'htmx4', {
    page: '<div {{ sse_connect("/live") }} {{ sse_close("done") }}><p {{ sse_swap("news") }}></p></div>'
  }, {
    routes: app => app.get('/live', (request, reply) => reply.eventStream(async function * ({ signal }) {
      yield text('last', { target: 'news' })
      await until(() => isNoted, 'the page listens')
      yield new SSEEvent({ event: 'done' })
      await left(signal)
    }))
  })
  const page = await opener(t, browser)(`${url}/page`)
  await noteEnds(page)
  isNoted = true
  await until(() => app.eventStreams.total === 1 && app.eventStreams.open === 0, 'the source is closed')
  t.same(await page.evaluate(() => globalThis.ends), ['message'])
})

t.test('a hidden tab lets go of its stream, and misses nothing when it is back', async t => {
  const { app, url } = await startPages(t, 'htmx4', {
    page: '<div {{ sse_connect("/live") }}><ol {{ sse_swap("log") }}></ol></div>'
  }, { routes: app => app.get('/live', (request, reply) => reply.eventStream(app.channel('log'))) })
  const page = await opener(t, browser)(`${url}/page`)
  const log = app.channel('log')
  const publish = text => log.publish(item(text, { target: 'log', swap: 'beforeend' }))
  const show = isHidden => page.evaluate(isHidden => {
    Object.defineProperty(document, 'hidden', { value: isHidden, configurable: true })
    document.dispatchEvent(new Event('visibilitychange'))
  }, isHidden)
  await until(() => log.size === 1, 'it is connected')
  await publish('a')
  await page.locator('#log > li').waitFor()
  for (const letters of ['bc', 'de']) {
    await show(true)
    await until(() => app.eventStreams.open === 0, 'the stream is closed')
    for (const letter of letters) await publish(letter)
    await show(false)
    await page.locator('#log > li', { hasText: letters[1] }).waitFor()
  }
  await publish('f')
  await page.locator('#log > li', { hasText: 'f' }).waitFor()
  t.same(await page.locator('#log > li').allTextContents(), [...'abcdef'])
})

t.test('morph swaps keep what somebody types', async t => {
  const form = '{% block form %}<form id="form"><label>{{ label }}</label><input id="name"></form>{% endblock %}'
  const { app, url } = await startPages(t, 'htmx4', {
    page: `<div {{ sse_connect("/live") }}><div {{ sse_swap("place") }}>{% set label = "first" %}${form}</div></div>`,
    form
  }, { routes: app => app.get('/live', (request, reply) => reply.eventStream(app.channel('form'))) })
  const page = await opener(t, browser)(`${url}/page`)
  await until(() => app.eventStreams.open === 1, 'it is connected')
  await page.locator('#name').pressSequentially('half a na')
  for (const [swap, target] of [['innerMorph', 'place'], ['outerMorph', 'form']]) {
    app.channel('form').publish(new Fragment('form.html', 'form', { label: swap }, { target, swap }))
    await page.locator('#form > label', { hasText: swap }).waitFor()
  }
  await page.keyboard.type('me')
  t.equal(await page.locator('#name').inputValue(), 'half a name')
})

t.test('a named event is a DOM event, which triggers a request', async t => {
  const { url } = await startPages(t, 'htmx4', {
    page: '<div {{ sse_connect("/live") }}></div><p id="told" hx-get="/told" hx-trigger="orders from:body"></p>'
  }, {
    routes (app) {
      app.get('/told', (request, reply) => reply.type('text/html').send('told'))
      app.get('/live', (request, reply) => reply.eventStream(async function * ({ signal }) {
        yield new SSEEvent({ event: 'orders', data: { id: 1 } })
        await left(signal)
      }))
    }
  })
  const page = await opener(t, browser)(`${url}/page`)
  await page.locator('#told', { hasText: 'told' }).waitFor()
})

t.test('what is for an element that is not there is lost, and the rest is not', async t => {
  const { app, url } = await startPages(t, 'htmx4', {
    page: '<div {{ sse_connect("/live") }}><p id="here">-</p></div>'
  }, {
    routes: app => app.get('/live', (request, reply) => reply.eventStream(async function * ({ signal }) {
      yield text('lost', { target: 'nowhere' })
      yield new Fragments([text('lost', { target: 'nowhere' }), text('found', { target: 'here' })])
      await left(signal)
    }))
  })
  const page = await opener(t, browser)(`${url}/page`)
  await page.locator('#here', { hasText: 'found' }).waitFor()
  t.equal(app.eventStreams.total, 1)
})

t.test('a target that is no selector breaks the connection', async t => {
  let dialed = 0
  const { url } = await startPages(t, 'htmx4', { page: '<div {{ sse_connect("/live") }}><p id="here">-</p></div>' }, {
    routes: app => app.get('/live', (request, reply) => reply.eventStream(async function * ({ signal }) {
      // The client closes a stream that it cannot make sense of, and comes back.
      if (++dialed === 1) yield text('nowhere', { target: '#here[' })
      yield text(`stream ${dialed}`, { target: 'here' })
      await left(signal)
    }))
  })
  const page = await opener(t, browser)(`${url}/page`, { expected: /is not a valid selector/ })
  await page.locator('#here', { hasText: 'stream 2' }).waitFor()
})

t.test('one route serves pages of both at once, from one channel, also where a page does not say what it is', async t => {
  const { app, url } = await startPages(t, 'htmx4', {
    page: '<main {{ sse_connect("/live") }} {{ sse_swap("message") }}><p {{ sse_swap("one") }}>-</p><p {{ sse_swap("two") }}>-</p></main>'
  }, { routes: app => app.get('/live', { referenced: true }, (request, reply) => reply.eventStream(app.channel('all'))) })
  const open = opener(t, browser)
  const pages = []
  for (const query of ['page=htmx2', 'page=htmx4', 'page=htmx2&attributes=auto', 'page=htmx4&attributes=auto']) pages.push(await open(`${url}/page?${query}`))
  await until(() => app.channel('all').size === 4, 'all are connected')
  await app.channel('all').publish(text('single', { target: 'one' }))
  await app.channel('all').publish(new Fragments([text('several', { target: 'two' }), text('and more', { target: 'one' })]))
  for (const page of pages) {
    await page.locator('#two', { hasText: 'several' }).waitFor()
    t.same(await page.locator('main > p').allTextContents(), ['and more', 'several'])
  }
  t.equal(app.eventStreams.total, 4, 'one stream for each page')
})
