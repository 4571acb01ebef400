// What the client script does after a gap, and that it never does so in a loop.
import t from 'tap'
import { until } from './browser.js'
import { eachHtmx } from './client.js'
import { startSite } from './site.js'
import { answerWith, connections, consoleOf, frames, listOf, logOf, pass, shows, state } from './tabs.js'

const GAP = 'event: chirp:gap\nid: 1\ndata: {}\n\n'

/** The next stream has a gap, and no other. */
function gapOnce (site, data = '{}') {
  site.answer = (request, reply) => {
    site.answer = undefined
    return frames(`event: chirp:gap\ndata: ${data}\n\n`, { ends: false })(reply)
  }
}

/** How long something takes by the clock of a page, which goes on by itself too. */
async function secondsOf (page, act) {
  const start = await page.evaluate(() => Date.now())
  await act()
  return (await page.evaluate(() => Date.now()) - start) / 1000
}

await eachHtmx(t, (t, htmx, openPage) => {
  t.test('the server closes and another one takes its port: the element is fetched anew', async t => {
    const first = await startSite(t, { items: ['zero'] })
    const page = await openPage(t, `${first.url}/?htmx=${htmx}&attributes=chirp-refresh`)
    await first.add('one')
    await shows(page, ['zero', 'one'])
    await first.app.close()
    await state(page, 'reconnecting')
    const second = await startSite(t, { port: first.port, items: [...first.items] })
    await second.add('two')
    await shows(page, ['zero', 'one', 'two'])
    await state(page, 'connected')
    await second.add('three')
    await shows(page, ['zero', 'one', 'two', 'three'])
    await connections(second, 1)
    t.same(await logOf(page), [
      'connected live /live', 'disconnected live /live closing', 'connected live /live', 'disconnected live /live gap', 'connected live /live'
    ])
  })

  t.test('a gap without chirp-refresh is left to the page', async t => {
    const site = await startSite(t)
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&url=/live?lastEventId=unknown`)
    await site.add('one')
    await shows(page, ['one'])
    t.same(site.requests, ['/live?lastEventId=unknown'])
  })

  t.test('what comes while the element is fetched is neither lost nor there twice', async t => {
    const site = await startSite(t, { items: ['zero'] })
    site.page = { url: '/live?lastEventId=unknown' }
    const page = await openPage(t, `${site.url}/elsewhere`, { isOpen: false })
    let cursor
    await page.route('**/?htmx=*', async (route, request) => {
      if (request.isNavigationRequest()) return route.continue()
      await site.add('one')
      cursor = await site.add('two')
      site.page = { url: `/live?lastEventId=${cursor}` }
      const answer = await route.fetch()
      await site.add('three')
      await route.fulfill({ response: answer })
    })
    await page.goto(`${site.url}/?htmx=${htmx}&attributes=chirp-refresh`)
    await shows(page, ['zero', 'one', 'two', 'three'])
    t.same(site.requests, ['/live?lastEventId=unknown', `/live?lastEventId=${cursor}`])
    t.match(await page.locator('#live').evaluate(element => element.outerHTML), `connect="/live?lastEventId=${cursor}"`)
    await site.add('four')
    await shows(page, ['zero', 'one', 'two', 'three', 'four'])
    site.kill()
    await site.add('five')
    await shows(page, ['zero', 'one', 'two', 'three', 'four', 'five'])
    await connections(site, 1)
  })

  t.test('a gap right after the element was fetched is as good as it gets, one after that is not', async t => {
    const site = await startSite(t, { items: ['zero'] })
    const responses = []
    answerWith(site, reply => {
      responses.push(reply.raw)
      return frames(GAP, { ends: false })(reply)
    })
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=chirp-refresh="/part"`, { isOpen: false, clock: true })
    await page.clock.runFor(1000)
    await until(() => site.parts === 1 && responses.length === 2, 'fetched')
    responses[1].write(GAP)
    await page.locator('[data-sse-stale]').waitFor({ state: 'attached' })
    t.equal((await logOf(page)).at(-1), 'stale live /live')
    responses[1].write('event: tick\ndata: x\n\n')
    responses[1].write(GAP)
    await state(page, 'reconnecting')
    t.equal(site.parts, 1, 'once')
    await pass(page, 12000)
    await until(() => site.parts === 2 && responses.length === 3, 'fetched again')
    t.same(await listOf(page), ['zero'])
  })

  t.test('what cannot be fetched is tried again, and the console says what is wrong', async t => {
    let failed = 0
    let fails = true
    const setup = ({ app }) => app.get('/failing', (request, reply) => {
      if (!fails) return reply.redirect('/part')
      failed++
      return reply.code(503).type('text/html').send('<main id="live">Service Unavailable</main>')
    })
    const site = await startSite(t, { items: ['zero'], setup })
    const page = await openPage(t, `${site.url}/elsewhere`, { isOpen: false, clock: true })
    const messages = consoleOf(page)
    await page.goto(`${site.url}/?htmx=${htmx}&url=/live?lastEventId=unknown&attributes=chirp-refresh="/failing"`)
    const seconds = await secondsOf(page, async () => {
      await until(async () => {
        await pass(page, 1000)
        return failed > 2
      }, 'three times')
    })
    t.ok(seconds >= 10, `two in ten seconds, with the page itself: three were not fetched in ${seconds}`)
    t.ok(messages.some(text => text.startsWith('Error: 503 for chirp-refresh: no #live')))
    await state(page, 'reconnecting')
    fails = false
    await pass(page, 30000)
    await state(page, 'connected')
    await until(() => site.app.eventStreams.open === 1, 'one stream')
    t.equal(site.parts, 1)
    t.same(await listOf(page), ['zero'])
  })

  t.test('a refusal is the end for what is fetched after a gap too', async t => {
    const setup = ({ app }) => app.get('/refused', (request, reply) => reply.code(401).send('Who are you?'))
    const site = await startSite(t, { setup })
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&url=/live?lastEventId=unknown&attributes=chirp-refresh="/refused"`, { isOpen: false })
    await state(page, 'closed')
    t.equal((await logOf(page)).at(-2), 'disconnected live /live?lastEventId=unknown closed 401')
  })

  t.test('a gap on each connection: the element is fetched once', async t => {
    const site = await startSite(t, { items: ['zero'] })
    answerWith(site, frames(GAP))
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=chirp-refresh="/part"`, { isOpen: false, clock: true })
    await pass(page, 25000)
    t.equal(site.parts, 1)
    t.ok(site.requests.length > 3, 'it has been there')
    t.equal(await page.locator('[data-sse-stale]').count(), 1)
    // Whatever it was is over, and a gap is worth a try again.
    site.answer = undefined
    await pass(page, 3000)
    await state(page, 'connected')
    await site.add('one')
    await until(async () => (await listOf(page)).at(-1) === 'one', 'one')
    gapOnce(site)
    site.kill()
    await pass(page, 3000)
    await until(() => site.parts === 2, 'fetched again')
    await page.locator('#live:not([data-sse-stale])').waitFor({ state: 'attached' })
  })

  t.test('a server that starts again every second: at most two loads in ten seconds', async t => {
    const setup = site => site.app.addHook('onRequest', async request => { if (request.url.startsWith('/?')) pages++ })
    let pages = 0
    const site = await startSite(t, { items: ['zero'], setup })
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=chirp-refresh`, { clock: true })
    const seconds = await secondsOf(page, async () => {
      for (let count = 0; count < 22; count++) {
        gapOnce(site)
        site.kill()
        await pass(page, 600)
        site.news.publish('alive')
        await pass(page, 400)
      }
    })
    t.ok(pages >= 3 && pages <= 2 * Math.ceil(seconds / 10), `${pages} in ${seconds} seconds`)
  })

  t.test('a gap that comes again, as the server says, is left to the page', async t => {
    const site = await startSite(t, { items: ['zero'] })
    answerWith(site, frames('event: chirp:gap\nid: 1\ndata: {"again":true}\n\nevent: chirp:gap\ndata: {"again":true}\n\n', { ends: false }))
    for (const attributes of ['chirp-refresh="/part"', '']) {
      const page = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=${attributes}`, { isOpen: false, clock: true })
      await page.locator('[data-sse-stale][data-sse-state=connected]').waitFor({ state: 'attached' })
      await pass(page, 2000)
      t.same(await logOf(page), ['connected live /live', 'stale live /live'])
      t.equal(site.parts, 0)
    }
  })

  t.test('the server hears that the page is fetched for a gap, and its stream that it was', async t => {
    let header
    const setup = site => site.app.addHook('onRequest', async request => {
      if (!request.url.startsWith('/?')) return
      header = request.headers['chirp-gap']
      site.page = { url: header ? '/live?a=b+c&chirp-gap=1&lastEventId=' : '/live?a&lastEventId=unknown' }
    })
    const site = await startSite(t, { setup })
    const page = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=chirp-refresh`, { isOpen: false })
    await until(() => site.requests.length === 2, 'fetched')
    t.equal(header, '1')
    const id = await site.add('one')
    await shows(page, ['one'])
    site.kill()
    await until(() => site.requests.length === 3, 'back')
    t.same(site.requests, ['/live?a&lastEventId=unknown', '/live?a=b+c&chirp-gap=1&lastEventId=', `/live?a=b+c&lastEventId=${id}`])
  })

  t.test('spread: not all pages at once, whatever the data is', async t => {
    const site = await startSite(t, { items: ['zero'] })
    for (const [data, milliseconds] of [['{"spread":20000}', 10000], ['{"spread":"soon"}', 250], ['null', 250], ['{', 250]]) {
      site.parts = 0
      gapOnce(site, data)
      const page = await openPage(t, `${site.url}/?htmx=${htmx}&attributes=chirp-refresh="/part"`, {
        isOpen: false, clock: true, prepare: () => { Math.random = () => 0.5 }
      })
      if (milliseconds > 1000) {
        await state(page, 'reconnecting')
        await pass(page, milliseconds / 2)
        t.equal(site.parts, 0)
      }
      await pass(page, milliseconds)
      await until(() => site.parts === 1, 'fetched')
    }
  })

  t.test('two elements that have a gap fetch the page once', async t => {
    let pages = 0
    const main = id => `<main id="${id}" hx-ext="sse" ${htmx === 2 ? 'sse-' : 'hx-sse:'}connect="/${id}" chirp-refresh hx-swap="none"><p>${id} ${pages}</p></main>`
    const setup = ({ app }) => app.get('/two', (request, reply) => {
      pages++
      const scripts = (htmx === 2 ? ['/htmx2.js', '/sse2.js'] : ['/htmx4.js', '/sse4.js']).concat('/_chirp/client.js')
      return reply.type('text/html').send(`<html><head>${scripts.map(src => `<script src="${src}"></script>`).join('')}</head><body>${main('live')}${main('other')}</body></html>`)
    })
    const site = await startSite(t, { setup })
    site.answer = (request, reply) => {
      if (site.requests.length === 2) site.answer = undefined
      return frames('event: chirp:gap\nid: 1\ndata: {"spread":2000}\n\n', { ends: false })(reply)
    }
    const page = await openPage(t, `${site.url}/two`, { isOpen: false, prepare: () => { Math.random = () => 0.9 } })
    await page.locator('#live', { hasText: 'live 2' }).waitFor()
    await page.locator('#other', { hasText: 'other 2' }).waitFor()
    await connections(site, 2)
    t.equal(pages, 2)
  })

  t.test('a page that reloads itself for a gap does so once in ten seconds', async t => {
    let pages = 0
    const setup = site => site.app.addHook('onRequest', async request => { if (request.url.startsWith('/?')) pages++ })
    const site = await startSite(t, { setup })
    site.answer = (request, reply) => frames(GAP, { ends: false })(reply)
    const attributes = htmx === 2 ? '&attributes=hx-trigger="sse:chirp:gap"' : ''
    const page = await openPage(t, `${site.url}/?htmx=${htmx}${attributes}`, {
      isOpen: false,
      isAlone: true,
      prepare: () => { for (const name of ['chirp:gap', 'sse:chirp:gap']) document.addEventListener(name, () => window.location.reload()) }
    })
    await page.locator('[data-sse-stale][data-sse-state=connected]').waitFor({ state: 'attached' })
    t.equal(pages, 2)
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
    await page.clock.runFor(1000)
    await until(() => pages === 2, 'fetched')
    await page.locator('#live[data-sse-stale][data-sse-state=connected]').waitFor({ state: 'attached' })
    await pass(page, 13000)
    t.equal(pages, 2)
    t.same(messages.filter(text => text.startsWith('chirp:')), ['chirp: #live has a gap again'])
    await site.add('one')
    await shows(page, ['zero', 'one'])
    gapOnce(site)
    site.kill()
    await pass(page, 2000)
    await until(() => pages === 3, 'fetched again')
    t.equal(await page.locator('[data-sse-stale][data-sse-state=reconnecting]').count(), 0)
  })
})
