// More of the client script, for client.test.js: answers that end a stream, gaps
// that come again and again, whose a stream is, and what a big event costs.
import { SSEEvent } from 'fastify-chirp'
import { until } from './browser.js'
import { answerWith, connections, frames, listOf, logOf, shows, state } from './tabs.js'
import { startSite } from './site.js'

const GAP = 'event: chirp:gap\nid: 1\ndata: {}\n\n'

/** Lets `milliseconds` pass for a page, and requests be answered meanwhile. */
export async function pass (page, milliseconds) {
  for (let passed = 0; passed < milliseconds; passed += 200) {
    await page.clock.runFor(200)
    await page.evaluate(() => fetch('/favicon.ico'))
  }
}

/** What the console of a page says. */
function consoleOf (page) {
  const messages = []
  page.on('console', message => messages.push(message.text()))
  return messages
}

/** A server that wants its clients back at once, and fails. */
export function addRetryCase (t, htmx, openPage) {
  t.test('retry: 0 and a server that fails: later each time', async t => {
    const site = await startSite(t)
    answerWith(site, frames('event: a\nretry: 0\ndata: \n\n'))
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`, { isOpen: false, clock: true })
    await state(page, 'reconnecting')
    const failed = answerWith(site, reply => reply.code(503).send())
    await page.clock.runFor(200)
    await failed
    await until(async () => (await logOf(page)).at(-1).endsWith('lost'), 'lost')
    const { length } = site.requests
    await pass(page, 6000)
    t.ok(site.requests.length - length <= 3, `${site.requests.length - length} more in six seconds`)
  })
}

/** Adds the cases of one generation of htmx. */
export function addCases (t, htmx, openPage) {
  const refusals = {
    'a 401': [401, reply => reply.code(401).send('Who are you?')],
    'a 403': [403, reply => reply.code(403).send('Not you')],
    'a redirect to another page': [200, reply => reply.redirect('/elsewhere')]
  }
  for (const [name, [status, answer]] of Object.entries(refusals)) {
    t.test(`${name} is the end, and the page is told`, async t => {
      const site = await startSite(t)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}`, { clock: true })
      const failed = answerWith(site, answer)
      site.kill()
      await page.clock.runFor(500)
      await failed
      await state(page, 'closed')
      t.same(await logOf(page), ['connected live /live', 'disconnected live /live lost', `disconnected live /live closed ${status}`])
      site.answer = undefined
      await pass(page, 20000)
      t.equal(site.requests.length, 2, 'nobody asks again')
      t.equal(await page.locator('p').count(), 0, 'nothing of the answer is on the page')
    })
  }

  t.test('a refusal is the end for what is fetched after a gap too', async t => {
    const setup = ({ app }) => app.get('/refused', (request, reply) => reply.code(401).send('Who are you?'))
    const site = await startSite(t, { setup })
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&url=/live?lastEventId=unknown&attributes=chirp-refresh="/refused"`, { isOpen: false })
    await state(page, 'closed')
    t.equal((await logOf(page)).at(-1), 'disconnected live /live?lastEventId=unknown closed 401')
  })

  t.test('a redirect to a page that fails is tried again, and so is one to a stream', async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
    const failed = answerWith(site, (reply, { url }) => url.startsWith('/other') ? reply.code(502).send() : reply.redirect('/other'))
    site.kill()
    await failed
    await until(async () => (await logOf(page)).length === 2, 'lost')
    site.answer = (request, reply) => request.url.startsWith('/other') ? reply.eventStream(site.news) : reply.redirect('/other')
    await state(page, 'connected')
    await site.add('one')
    await shows(page, ['one'])
  })

  t.test('retry: 0 is a time, what is no number is none', async t => {
    const site = await startSite(t)
    answerWith(site, frames('event: a\nretry: 600000\ndata: \n\nevent: b\nretry: 0\ndata: \n\nevent: c\nretry: 1e6\ndata: \n\nretry: -1\n\nretry\n\n'))
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`, { isOpen: false })
    await until(() => site.requests.length > 2, 'it is back at once, twice')
    site.answer = undefined
    await state(page, 'connected')
  })

  t.test('a gap on each connection: the element is fetched once in ten seconds', async t => {
    const site = await startSite(t, { items: ['zero'] })
    answerWith(site, frames(GAP))
    const start = Date.now()
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=chirp-refresh="/part"`, { isOpen: false, clock: true })
    await until(() => site.parts === 1, 'fetched')
    await pass(page, 21000)
    // The page's clock goes on by itself too.
    const seconds = (await page.evaluate(() => Date.now()) - start) / 1000
    t.ok(site.parts >= 2 && site.parts <= 1 + seconds / 10, `fetched ${site.parts} times in ${seconds} seconds`)
    // Whatever it was is over.
    site.answer = undefined
    await pass(page, 12000)
    await state(page, 'connected')
    await site.add('one')
    await until(async () => (await listOf(page)).at(-1) === 'one', 'one')
  })

  t.test('a page that says the wrong cursor is loaded and fetched twice, and not again', async t => {
    let pages = 0
    const setup = site => site.app.addHook('onRequest', async request => {
      if (request.url.startsWith('/?')) site.page = { url: `/live?lastEventId=wrong-${++pages}` }
    })
    const site = await startSite(t, { items: ['zero'], setup })
    const page = await openPage(t, `${site.url}/elsewhere`, { isOpen: false, clock: true })
    const messages = consoleOf(page)
    await page.goto(`${site.url}/?htmx=${htmx}&attributes=chirp-refresh`)
    await until(() => pages === 2, 'fetched')
    await page.locator('#live[data-sse-stale][data-sse-state=connected]').waitFor({ state: 'attached' })
    await pass(page, 20000)
    t.equal(pages, 2)
    t.same(messages.filter(text => text.startsWith('chirp-refresh')), ['chirp-refresh: #live has a gap again'])
    await site.add('one')
    await shows(page, ['zero', 'one'])
    site.answer = (request, reply) => {
      site.answer = undefined
      return frames(GAP)(reply)
    }
    site.kill()
    await pass(page, 1000)
    await until(() => pages === 3, 'fetched again')
    t.equal(await page.locator('[data-sse-stale][data-sse-state=reconnecting]').count(), 0)
  })

  t.test('a big event is looked at once, in however many pieces it comes', async t => {
    const site = await startSite(t)
    const size = 2_000_000
    const page = await openPage(t, `${site.url}/?htmx=${htmx}`)
    const looked = await page.evaluate(() => {
      window.looked = 0
      for (const name of ['replace', 'split', 'matchAll']) {
        const original = String.prototype[name]
        // eslint-disable-next-line no-extend-native
        String.prototype[name] = function (...args) {
          if (args[0] instanceof RegExp || args[0] === '\n\n') window.looked += this.length
          return Reflect.apply(original, this, args)
        }
      }
      const { exec } = RegExp.prototype
      // eslint-disable-next-line no-extend-native
      RegExp.prototype.exec = function (text) {
        if (String(this) === '/\\n?\\r?$/') window.looked += text.length
        return Reflect.apply(exec, this, [text])
      }
      document.getElementById('live').addEventListener('big', ({ detail }) => { window.big = (detail.data ?? '').length })
      return window.looked
    })
    t.equal(looked, 0)
    site.news.publish(new SSEEvent({ event: 'big', data: 'x'.repeat(size) }))
    await site.add('one')
    await shows(page, ['one'])
    const times = await page.evaluate(() => window.looked) / size
    t.ok(times >= 2 && times < 8, `each character is looked at ${times} times`)
  })
}

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

/** An element that is processed without being in the page, before or after one that is; it may come into the page. */
export function addOutsideCase (t, openPage, { isFirst, isAppended = false }) {
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

/** A preserved element whose stand-in is processed when it is gone already. */
export function addPreservedCase (t, openPage) {
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
}
