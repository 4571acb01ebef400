// Elements that htmx 2 processes when they are not in the page.
import t from 'tap'
import { SSEEvent } from 'fastify-chirp'
import { startBrowser } from './client.js'
import { startSite } from './site.js'
import { connections, shows, state } from './tabs.js'

const openPage = await startBrowser(t)

/** Sites with a second stream at `/b`. */
const startTwo = (t, setup) => startSite(t, {
  setup: site => {
    site.b = site.app.channel('b')
    site.asked = 0
    site.app.get('/b', { referenced: true }, (request, reply) => {
      site.asked++
      return reply.eventStream(site.b)
    })
    return setup?.(site)
  }
})

/** Makes an element with the stream `/b`, and has it processed; with what was processed before, in one task. */
const processOther = (page, { isFirst, isAppended }) => page.evaluate(({ isFirst, isAppended }) => {
  const other = document.createElement('main')
  other.id = 'other'
  other.setAttribute('hx-ext', 'sse')
  other.setAttribute('sse-connect', '/b')
  other.innerHTML = '<ul id="b" sse-swap="news" hx-swap="beforeend"></ul>'
  const live = document.getElementById('live')
  live.title = 'another attribute'
  if (!isFirst) window.htmx.process(live)
  window.htmx.process(other)
  if (isFirst) window.htmx.process(live)
  if (isAppended) document.body.append(other)
  window.other = other
}, { isFirst, isAppended })

const news = text => new SSEEvent({ event: 'news', data: `<li>${text}</li>` })

for (const isFirst of [false, true]) {
  for (const isAppended of [false, true]) {
    t.test(`htmx 2: an element processed outside of the page, ${isFirst ? 'before' : 'after'} one inside${isAppended ? ', that comes in' : ''}`, async t => {
      const site = await startTwo(t)
      const page = await openPage(t, `${site.url}/?htmx=2`)
      await processOther(page, { isFirst, isAppended })
      if (isAppended) await state(page, 'connected', 'other')
      else await page.waitForFunction(() => window.other.dataset.sseState)
      site.b.publish(news('of b'))
      if (isAppended) await shows(page, ['of b'], 'b')
      await site.add('one')
      await shows(page, ['one'])
      t.same(site.requests, ['/live'])
      t.equal(site.asked, isAppended ? 1 : 0)
      t.equal(site.app.eventStreams.open, isAppended ? 2 : 1)
    })
  }
}

// A preserved element whose stand-in is processed when it is gone already.
t.test('htmx 2: boosted links over an element that is preserved', async t => {
  const site = await startTwo(t, ({ app }) => {
    app.get('/boosted/:number', (request, reply) => {
      const number = Number(request.params.number)
      const scripts = ['/htmx2.js', '/sse2.js', '/_chirp/client.js'].map(src => `<script src="${src}"></script>`).join('')
      const streams = [
        `<section id="kept" hx-preserve hx-ext="sse" sse-connect="${number === 1 ? '/live' : '/b'}"><ul id="news" sse-swap="news" hx-swap="beforeend"></ul></section>`,
        `<nav id="nav"><a href="/boosted/${number + 1}">next</a></nav>`
      ]
      // Once before and once after what else is processed.
      if (number % 2) streams.reverse()
      return reply.type('text/html').send(`<html><head><title>${number}</title>${scripts}</head><body hx-boost="true">${streams.join('')}</body></html>`)
    })
  })
  const page = await openPage(t, `${site.url}/boosted/1`, { isOpen: false })
  await state(page, 'connected', 'kept')
  const items = []
  for (let number = 2; number < 6; number++) {
    await page.locator('a').click()
    await page.waitForFunction(number => document.title === String(number) && !document.querySelector('.htmx-settling'), number)
    items.push(`on ${number}`)
    site.b.publish(news('of b'))
    await site.add(items.at(-1))
    await shows(page, items)
  }
  t.same(site.requests, ['/live'])
  t.equal(site.asked, 0)
  await connections(site, 1)
})
